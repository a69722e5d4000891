//! What `extends` makes of a job: its templates, one over the other. Bounded,
//! since a small file can name large templates many times.

use std::collections::BTreeMap;

use super::super::super::super::yaml::Node;
use super::pipeline::short_name;

/// Deepest chain of templates, as GitLab has it.
const MAX_DEPTH: usize = 11;
/// Most weight of all jobs with their templates taken in.
const MAX_WEIGHT: usize = 32 * 1024 * 1024;

/// The templates of one text.
pub(super) struct Templates<'a> {
    written: BTreeMap<&'a str, &'a Node>,
    /// Whether a template may come from elsewhere.
    includes: bool,
    /// Templates with their own templates taken in.
    whole: BTreeMap<&'a str, Node>,
    weight: usize,
}

impl<'a> Templates<'a> {
    pub(super) fn of(top: &'a Node) -> Self {
        Self {
            written: top
                .entries()
                .iter()
                .map(|(name, node)| (name.as_str(), node))
                .collect(),
            includes: top.get("include").is_some(),
            whole: BTreeMap::new(),
            weight: 0,
        }
    }

    /// A job over its templates; keys that it writes itself win. A template
    /// that is not in this text comes with an include, or the definition is broken.
    pub(super) fn extended(&mut self, node: &Node, depth: usize) -> Result<Node, String> {
        let mut whole = Node::Map(Vec::new());
        if let Some(extends) = node.get("extends") {
            if depth >= MAX_DEPTH {
                return Err("templates extend each other too deeply".to_owned());
            }
            for name in extends.items() {
                let name = name.text().unwrap_or_default();
                if let Some(template) = self.template(name, depth)? {
                    whole = over(template, whole);
                } else if !self.includes {
                    let name = short_name(name);
                    return Err(format!("`extends` names `{name}`, which is not there"));
                }
            }
        }
        let whole = over(node, whole);
        self.weight = self.weight.saturating_add(whole.weight());
        if self.weight > MAX_WEIGHT {
            return Err(format!("the jobs stand for more than {MAX_WEIGHT} bytes"));
        }
        Ok(whole)
    }

    fn template(&mut self, name: &str, depth: usize) -> Result<Option<&Node>, String> {
        let Some((name, node)) = self
            .written
            .get_key_value(name)
            .map(|(name, node)| (*name, *node))
        else {
            return Ok(None);
        };
        if !self.whole.contains_key(name) {
            let whole = self.extended(node, depth + 1)?;
            self.whole.insert(name, whole);
        }
        Ok(self.whole.get(name))
    }
}

/// One mapping over another, all the way down; lists are replaced.
fn over(upper: &Node, lower: Node) -> Node {
    let (Node::Map(upper), Node::Map(mut lower)) = (upper, lower) else {
        return upper.clone();
    };
    let places: BTreeMap<String, usize> = lower
        .iter()
        .enumerate()
        .map(|(at, (name, _))| (name.clone(), at))
        .collect();
    for (key, value) in upper {
        match places.get(key).and_then(|at| lower.get_mut(*at)) {
            Some((_, place)) => {
                let below = std::mem::replace(place, Node::List(Vec::new()));
                *place = over(value, below);
            }
            None => lower.push((key.clone(), value.clone())),
        }
    }
    Node::Map(lower)
}
