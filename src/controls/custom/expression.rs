//! An expression from text: parsed by `cel`, held to its limits, its names and
//! kinds checked. What is wrong is found here, when the policy is loaded.

use std::collections::BTreeMap;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::parser::PrattParser;
use regex::Regex;

use super::check::{Checked, check};
use super::names::Name;

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 2048;

/// Most parts of an expression, macros written out.
pub const MAX_NODES: usize = 500;

/// Deepest nesting of parts. The parser and the evaluation recurse.
const MAX_DEPTH: usize = 64;

/// Most lists that are gone through inside of each other.
pub const MAX_LOOPS: usize = 3;

/// Most steps that one control may take over the facts, `when` and `assert`
/// together. A step is a part of an expression that is looked at; long texts and
/// lists count for more. It does not depend on the machine.
pub const MAX_STEPS: usize = 500_000;

/// Something wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong: lower case, no final period.
    pub message: String,
    /// The word that is wrong, so that its place can be found.
    pub word: Option<String>,
    /// Line and column inside the expression, from 1, where the parser tells.
    pub at: Option<(usize, usize)>,
    /// Words that would be right there.
    pub known: Vec<String>,
}

impl Flaw {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            word: None,
            at: None,
            known: Vec::new(),
        }
    }

    pub(super) fn at_word(mut self, word: &str) -> Self {
        self.word = Some(word.to_owned());
        self
    }

    pub(super) fn knowing(mut self, known: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.known = known.into_iter().map(Into::into).collect();
        self
    }
}

/// An expression that can be worked out.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    pub(super) tree: IdedExpr,
    pub(super) checked: Checked,
}

impl Expression {
    /// Reads an expression that says yes or no.
    ///
    /// # Errors
    /// Everything that is wrong with it; never empty.
    pub fn parse(text: &str) -> Result<Self, Vec<Flaw>> {
        if text.len() > MAX_LENGTH {
            return Err(vec![Flaw::new(format!(
                "the expression is longer than {MAX_LENGTH} bytes"
            ))]);
        }
        let parsed = PrattParser::new()
            .max_recursion_depth(48)
            .max_expression_node_count(MAX_NODES)
            .parse(text);
        let tree = parsed.map_err(|errors| {
            let mut flaws: Vec<Flaw> = errors
                .errors
                .iter()
                .map(|error| {
                    let place = (usize::try_from(error.pos.0), usize::try_from(error.pos.1));
                    let mut flaw = Flaw::new(plain(&error.msg));
                    if let (Ok(line @ 1..), Ok(column @ 1..)) = place {
                        flaw.at = Some((line, column));
                    }
                    flaw
                })
                .collect();
            if flaws.is_empty() {
                flaws.push(Flaw::new("it is no expression"));
            }
            flaws
        })?;
        within_limits(&tree).map_err(|flaw| vec![flaw])?;
        let checked = check(&tree)?;
        Ok(Self {
            text: text.to_owned(),
            tree,
            checked,
        })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names it rests on, sorted.
    pub fn names(&self) -> &[&'static Name] {
        &self.checked.names
    }

    pub(super) fn patterns(&self) -> &BTreeMap<String, (Regex, usize)> {
        &self.checked.patterns
    }
}

/// The parser's sentence on one line, in the house's form.
fn plain(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("Syntax error: ").unwrap_or(line);
    let line: String = line.chars().filter(|c| !c.is_control()).take(120).collect();
    line.trim_end_matches('.').to_owned()
}

/// Counts parts and depth without recursion: the tree may be deeper than the stack.
fn within_limits(tree: &IdedExpr) -> Result<(), Flaw> {
    let mut open = vec![(tree, 1_usize, 0_usize)];
    let mut nodes = 0_usize;
    while let Some((node, depth, loops)) = open.pop() {
        nodes += 1;
        if nodes > MAX_NODES {
            return Err(Flaw::new(format!(
                "the expression has more than {MAX_NODES} parts"
            )));
        }
        if depth > MAX_DEPTH {
            return Err(Flaw::new(format!(
                "the expression is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        if let Expr::Comprehension(_) = &node.expr
            && loops == MAX_LOOPS
        {
            return Err(Flaw::new(format!(
                "more than {MAX_LOOPS} lists are gone through inside of each other"
            )));
        }
        if let Expr::Comprehension(each) = &node.expr {
            // The list itself is worked out once, before it is gone through.
            open.push((&each.iter_range, depth + 1, loops));
            for part in parts(node).into_iter().skip(1) {
                open.push((part, depth + 1, loops + 1));
            }
        } else {
            for part in parts(node) {
                open.push((part, depth + 1, loops));
            }
        }
    }
    Ok(())
}

/// The parts that a part is made of.
fn parts(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(call.args.iter())
            .collect(),
        Expr::Comprehension(each) => vec![
            &each.iter_range,
            &each.accu_init,
            &each.loop_cond,
            &each.loop_step,
            &each.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Map(map) => entries(map.entries.iter().map(|entry| &entry.expr)),
        Expr::Struct(of) => entries(of.entries.iter().map(|entry| &entry.expr)),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entries<'e>(entries: impl Iterator<Item = &'e EntryExpr>) -> Vec<&'e IdedExpr> {
    entries
        .flat_map(|entry| match entry {
            EntryExpr::StructField(field) => vec![&field.value],
            EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        })
        .collect()
}
