//! YAML of pipeline definitions to a plain tree: anchors, merge keys, tags and
//! several documents, as the platforms allow them. Hostile files are bounded
//! in size, depth and in what their aliases blow up to. Knows no pipelines.

use std::collections::BTreeMap;

use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

/// Largest text that is read, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Most weight of all values (see [`Node::weight`]), with everything that aliases stand for.
const MAX_WEIGHT: usize = 16 * 1024 * 1024;
/// What a value weighs beside its text.
const NODE_WEIGHT: usize = 32;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Text; `plain` if it was written without quotes.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Self>),
    /// A mapping; each key once, the last one counts.
    Map(Vec<(String, Self)>),
    /// A list behind a tag of the platform's own, e.g. `!reference`.
    Tagged(String, Vec<Self>),
}

impl Node {
    /// The value under a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The entries of a mapping; of anything else none.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            Self::Scalar { .. } | Self::List(_) | Self::Tagged(..) => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text),
            Self::List(_) | Self::Map(_) | Self::Tagged(..) => None,
        }
    }

    /// The items of a list; anything else is the only item.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Scalar { .. } | Self::Map(_) | Self::Tagged(..) => std::slice::from_ref(self),
        }
    }

    /// Whether it is YAML's null.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// About how many bytes the value takes, everything in it included.
    pub(super) fn weight(&self) -> usize {
        let inner: usize = match self {
            Self::Scalar { text, .. } => text.len(),
            Self::List(items) | Self::Tagged(_, items) => items.iter().map(Self::weight).sum(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, value)| key.len().saturating_add(value.weight()))
                .sum(),
        };
        inner.saturating_add(NODE_WEIGHT)
    }

    fn depth(&self) -> usize {
        let inner = match self {
            Self::Scalar { .. } => None,
            Self::List(items) | Self::Tagged(_, items) => items.iter().map(Self::depth).max(),
            Self::Map(entries) => entries.iter().map(|(_, value)| value.depth()).max(),
        };
        inner.unwrap_or_default().saturating_add(1)
    }
}

/// What is open while the events go by.
struct Frame {
    anchor: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Keys, Option<String>),
}

/// The entries of an open mapping, with the place of each key: a file may hold
/// a hundred thousand of them.
#[derive(Default)]
struct Keys {
    entries: Vec<(String, Node)>,
    places: BTreeMap<String, usize>,
    /// What `<<` brings.
    merges: Vec<Node>,
}

impl Keys {
    /// The last value of a key counts, in the place of the first.
    fn put(&mut self, key: String, node: Node) {
        if key == "<<" {
            self.merges.push(node);
            return;
        }
        match self
            .places
            .get(&key)
            .and_then(|at| self.entries.get_mut(*at))
        {
            Some((_, value)) => *value = node,
            None => {
                self.places.insert(key.clone(), self.entries.len());
                self.entries.push((key, node));
            }
        }
    }

    /// Takes in what `<<` brings: keys that are written out win, then the first mapping.
    fn merged(mut self) -> Vec<(String, Node)> {
        for source in std::mem::take(&mut self.merges) {
            for item in source.items() {
                for (key, value) in item.entries() {
                    if !self.places.contains_key(key) {
                        self.put(key.clone(), value.clone());
                    }
                }
            }
        }
        self.entries
    }
}

/// The documents of a text.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("the file is larger than {MAX_BYTES} bytes"));
    }
    // The scanner takes a NUL for the end of the file.
    if text.contains('\0') {
        return Err("the file contains a NUL".to_owned());
    }
    let mut parser = Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut open: Vec<Frame> = Vec::new();
    let mut anchors: BTreeMap<usize, Node> = BTreeMap::new();
    let mut found = Vec::new();
    let mut weight = 0_usize;
    loop {
        let (event, mark) = parser
            .next_token()
            .map_err(|error| format!("not readable as YAML: {error}"))?;
        let place = |what: &str| format!("{what} in line {}", mark.line());
        let (anchor, node) = match event {
            Event::StreamEnd => return Ok(found),
            Event::StreamStart | Event::DocumentStart | Event::DocumentEnd | Event::Nothing => {
                continue;
            }
            Event::Alias(id) => match anchors.get(&id) {
                Some(node) => {
                    weight = weight.saturating_add(node.weight());
                    if weight > MAX_WEIGHT {
                        return Err(too_heavy());
                    }
                    (0, node.clone())
                }
                None => return Err(place("an alias to nothing")),
            },
            Event::Scalar(text, style, anchor, _) => {
                weight = weight.saturating_add(text.len().saturating_add(NODE_WEIGHT));
                let plain = style == TScalarStyle::Plain;
                (anchor, Node::Scalar { text, plain })
            }
            Event::SequenceStart(anchor, tag) => {
                let tag = tag.as_ref().map(name);
                let content = Content::List(Vec::new());
                open.push(Frame {
                    anchor,
                    tag,
                    content,
                });
                continue;
            }
            Event::MappingStart(anchor, tag) => {
                let tag = tag.as_ref().map(name);
                let content = Content::Map(Keys::default(), None);
                open.push(Frame {
                    anchor,
                    tag,
                    content,
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                weight = weight.saturating_add(NODE_WEIGHT);
                let Some(frame) = open.pop() else {
                    return Err(place("an end without a beginning"));
                };
                (frame.anchor, closed(frame))
            }
        };
        if anchor > 0 {
            weight = weight.saturating_add(node.weight());
        }
        if weight > MAX_WEIGHT {
            return Err(too_heavy());
        }
        if open.len().saturating_add(node.depth()) > MAX_DEPTH {
            return Err(place(&format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if anchor > 0 {
            anchors.insert(anchor, node.clone());
        }
        match open.last_mut() {
            None => found.push(node),
            Some(frame) => match &mut frame.content {
                Content::List(items) => items.push(node),
                Content::Map(keys, pending) => match pending.take() {
                    Some(key) => keys.put(key, node),
                    None => match node {
                        Node::Scalar { text, .. } => *pending = Some(text),
                        Node::List(_) | Node::Map(_) | Node::Tagged(..) => {
                            return Err(place("a key that is no word"));
                        }
                    },
                },
            },
        }
    }
}

fn name(tag: &Tag) -> String {
    format!("{}{}", tag.handle, tag.suffix)
}

fn too_heavy() -> String {
    format!("the file stands for more than {MAX_WEIGHT} bytes")
}

fn closed(frame: Frame) -> Node {
    match (frame.content, frame.tag) {
        (Content::List(items), Some(tag)) if !tag.starts_with("tag:yaml.org") => {
            Node::Tagged(tag, items)
        }
        (Content::List(items), _) => Node::List(items),
        (Content::Map(keys, _), _) => Node::Map(keys.merged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Node {
        documents(text).unwrap().remove(0)
    }

    #[test]
    fn documents_anchors_merge_keys_and_tags_are_read() {
        let all = documents(
            "spec: {}\n---\na: &x {k: 1, l: 2}\nb: {<<: *x, k: 3}\nc: !reference [a, k]\n",
        )
        .unwrap();
        assert_eq!(all.len(), 2);
        let b = all[1].get("b").unwrap();
        assert_eq!(b.get("k").unwrap().text(), Some("3"));
        assert_eq!(b.get("l").unwrap().text(), Some("2"));
        assert!(
            matches!(all[1].get("c"), Some(Node::Tagged(tag, items)) if tag == "!reference" && items.len() == 2)
        );
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        assert_eq!(one("a: 1\na: 2\n").get("a").unwrap().text(), Some("2"));
    }

    #[test]
    fn null_is_what_yaml_calls_so_and_quotes_are_text() {
        let node = one("a:\nb: ~\nc: ''\n");
        let null = |key: &str| node.get(key).unwrap().is_null();
        assert_eq!((null("a"), null("b"), null("c")), (true, true, false));
    }

    #[test]
    fn hostile_files_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert!(documents(&bomb).unwrap_err().contains("stands for more"));
        let long = "x".repeat(500_000);
        let copies = format!("a: &a {long}\nb: [{}]", "*a, ".repeat(50_000));
        assert!(documents(&copies).is_err());
        assert!(documents(&"[".repeat(5000)).is_err());
        assert!(documents(&"- ".repeat(5000)).is_err());
        assert!(documents("a: \0 b").is_err());
        assert!(documents("[a]: b").is_err());
        assert!(documents("a: *b").is_err());
        assert!(documents(&"a".repeat(MAX_BYTES + 1)).is_err());
    }
}
