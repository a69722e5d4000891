//! What can be said about an expression before any fact is seen: which names it
//! rests on, whether the fields and functions exist, and whether kinds go
//! together. What cannot be said here is an error when it is worked out, and
//! that makes the control unknown.

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue};
use regex::Regex;

use super::expression::Flaw;
use super::macros::keeps_entries;
use super::names::{self, NAMES, Name};
use super::shape::Shape;

/// What the check found out.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// The names, sorted by path.
    pub(super) names: Vec<&'static Name>,
    /// The patterns, compiled, with what a look at four bytes costs in steps.
    pub(super) patterns: BTreeMap<String, (Regex, usize)>,
    /// Comparisons that hold whatever is seen, in words.
    pub(super) always: Vec<String>,
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.path)
    }
}

/// Checks an expression that has to say yes or no.
pub(super) fn check(tree: &IdedExpr) -> Result<Checked, Vec<Flaw>> {
    let mut checker = Checker::default();
    let shape = checker.shape(tree);
    if checker.flaws.is_empty() && !Shape::Bool.comparable(shape) {
        let flaw = Flaw::new(format!(
            "the expression gives a {}, not `true` or `false`",
            shape.word()
        ));
        checker.flaws.push(flaw);
    }
    if !checker.flaws.is_empty() {
        return Err(checker.flaws);
    }
    Ok(Checked {
        names: checker
            .names
            .iter()
            .filter_map(|path| names::find(path))
            .collect(),
        patterns: checker.patterns,
        always: checker.always,
    })
}

#[derive(Default)]
pub(super) struct Checker {
    pub(super) flaws: Vec<Flaw>,
    names: BTreeSet<&'static str>,
    pub(super) patterns: BTreeMap<String, (Regex, usize)>,
    pub(super) always: Vec<String>,
    scope: Vec<(String, Shape)>,
}

impl Checker {
    pub(super) fn flaw(&mut self, flaw: Flaw) -> Shape {
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
        Shape::Any
    }

    fn bound(&self, name: &str) -> Option<Shape> {
        let found = self.scope.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, shape)| *shape)
    }

    pub(super) fn shape(&mut self, node: &IdedExpr) -> Shape {
        match &node.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.ident(name),
            Expr::Select(select) => {
                let shape = self.select(&select.operand, &select.field);
                if select.test { Shape::Bool } else { shape }
            }
            Expr::List(list) => {
                let shapes: Vec<Shape> = list.elements.iter().map(|one| self.shape(one)).collect();
                match shapes.as_slice() {
                    [first, rest @ ..] if rest.iter().all(|one| one == first) => first.listed(),
                    _ => Shape::List(&Shape::Any),
                }
            }
            Expr::Comprehension(each) => self.comprehension(each),
            Expr::Call(call) => self.call(call),
            Expr::Map(_) | Expr::Struct(_) => {
                self.flaw(Flaw::new("records cannot be written in an expression"))
            }
            Expr::Unspecified => self.flaw(Flaw::new("it is no expression")),
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Shape {
        match literal {
            LiteralValue::Boolean(_) => Shape::Bool,
            LiteralValue::Int(_) => Shape::Int,
            LiteralValue::String(_) => Shape::Text,
            LiteralValue::Null => Shape::Null,
            LiteralValue::UInt(_) | LiteralValue::Double(_) | LiteralValue::Bytes(_) => self.flaw(
                Flaw::new("numbers are whole, without a suffix, and there are no bytes"),
            ),
        }
    }

    fn ident(&mut self, name: &str) -> Shape {
        if let Some(shape) = self.bound(name) {
            return shape;
        }
        if names::is_root(name) {
            let inside = NAMES.iter().filter_map(|known| {
                let (root, rest) = known.path.split_once('.')?;
                (root == name).then_some(rest)
            });
            let flaw = Flaw::new(format!(
                "`{name}` alone is no value; name what of it is meant"
            ))
            .at_word(name)
            .knowing(inside);
            return self.flaw(flaw);
        }
        let known: BTreeSet<&str> = NAMES
            .iter()
            .filter_map(|known| known.path.split('.').next())
            .collect();
        let scope: Vec<String> = self.scope.iter().map(|(name, _)| name.clone()).collect();
        let known = known
            .into_iter()
            .map(str::to_owned)
            .chain(scope.into_iter().filter(|name| !name.starts_with('@')));
        let flaw = Flaw::new(format!("there is no name `{}`", visible(name)))
            .at_word(name)
            .knowing(known);
        self.flaw(flaw)
    }

    fn select(&mut self, operand: &IdedExpr, field: &str) -> Shape {
        if let Expr::Ident(root) = &operand.expr
            && self.bound(root).is_none()
            && names::is_root(root)
        {
            let path = format!("{root}.{field}");
            if let Some(name) = names::find(&path) {
                self.names.insert(name.path);
                return name.shape;
            }
            let prefix = format!("{root}.");
            let known = NAMES
                .iter()
                .filter_map(|name| name.path.strip_prefix(prefix.as_str()));
            let flaw = Flaw::new(format!("there is no name `{}`", visible(&path)))
                .at_word(field)
                .knowing(known);
            return self.flaw(flaw);
        }
        match self.shape(operand).present() {
            Shape::Any => Shape::Any,
            Shape::Record(fields) => match fields.iter().find(|known| known.name == field) {
                Some(known) => known.shape,
                None => {
                    let flaw = Flaw::new(format!("there is no field `{}` here", visible(field)))
                        .at_word(field)
                        .knowing(fields.iter().map(|known| known.name));
                    self.flaw(flaw)
                }
            },
            other => {
                let flaw = Flaw::new(format!(
                    "a {} has no field `{}`",
                    other.word(),
                    visible(field)
                ))
                .at_word(field);
                self.flaw(flaw)
            }
        }
    }

    fn comprehension(&mut self, each: &ComprehensionExpr) -> Shape {
        let range = self.shape(&each.iter_range);
        let element = match range {
            Shape::Any => Shape::Any,
            Shape::List(of) => *of,
            other => {
                let flaw = Flaw::new(format!("a {} is no list to go through", other.word()));
                self.flaw(flaw)
            }
        };
        if each.iter_var2.is_some() {
            return self.flaw(Flaw::new("a list is gone through with one name"));
        }
        if self.bound(&each.iter_var).is_some() || names::is_root(&each.iter_var) {
            let flaw = Flaw::new(format!(
                "`{}` means something already; take another name",
                visible(&each.iter_var)
            ))
            .at_word(&each.iter_var);
            self.flaw(flaw);
        }
        let start = self.shape(&each.accu_init);
        let kept = keeps_entries(each);
        self.scope.push((each.iter_var.clone(), element));
        self.scope.push((each.accu_var.clone(), start));
        self.shape(&each.loop_cond);
        let step = self.shape(&each.loop_step);
        let result = self.shape(&each.result);
        self.scope.truncate(self.scope.len().saturating_sub(2));
        match start {
            // `all` and `exists`: what is asked of each entry has to be yes or no.
            Shape::Bool => Shape::Bool,
            Shape::List(_) if kept => range,
            Shape::List(_) => step,
            _ => result,
        }
    }
}

/// Foreign words on one line, bounded.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != '`')
        .take(60)
        .collect()
}
