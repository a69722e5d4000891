//! What can be said about an expression before any fact is seen: which names it
//! rests on, whether the fields and functions exist, and whether kinds go
//! together. What cannot be said here is an error when it is worked out, and
//! that makes the control unknown.

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use regex::{Regex, RegexBuilder};

use super::expression::Flaw;
use super::functions::{self, Does, FUNCTIONS, Function};
use super::names::{self, NAMES, Name};
use super::shape::Shape;

/// Sizes of compiled patterns, in bytes, and what a look at four bytes of text costs
/// with one. Time grows with text and pattern both; larger ones are refused.
const PATTERN_SIZES: [(usize, usize); 3] = [(1 << 14, 1), (1 << 16, 4), (1 << 17, 16)];

/// Most patterns of one expression.
const MAX_PATTERNS: usize = 16;

/// The macros that CEL writes out itself.
const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "map", "has"];

/// What the check found out.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// The names, sorted by path.
    pub(super) names: Vec<&'static Name>,
    /// The patterns, compiled, with what a look at four bytes costs in steps.
    pub(super) patterns: BTreeMap<String, (Regex, usize)>,
    /// Lists whose emptiness was not asked for: comparisons of a size that always hold.
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
struct Checker {
    flaws: Vec<Flaw>,
    names: BTreeSet<&'static str>,
    patterns: BTreeMap<String, (Regex, usize)>,
    always: Vec<String>,
    scope: Vec<(String, Shape)>,
}

impl Checker {
    fn flaw(&mut self, flaw: Flaw) -> Shape {
        if !self.flaws.contains(&flaw) {
            self.flaws.push(flaw);
        }
        Shape::Any
    }

    fn bound(&self, name: &str) -> Option<Shape> {
        let found = self.scope.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, shape)| *shape)
    }

    fn shape(&mut self, node: &IdedExpr) -> Shape {
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
        let kept = keeps_elements(each);
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

    fn call(&mut self, call: &CallExpr) -> Shape {
        let mut shapes = Vec::new();
        if let Some(target) = &call.target {
            shapes.push(self.shape(target));
        }
        for argument in &call.args {
            shapes.push(self.shape(argument));
        }
        match (call.func_name.as_str(), shapes.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, [_, _])
            | (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [_]) => {
                for shape in shapes {
                    self.want(Shape::Bool, shape);
                }
                Shape::Bool
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.want(Shape::Bool, *condition);
                if yes == no { *yes } else { Shape::Any }
            }
            (operators::EQUALS | operators::NOT_EQUALS, [one, two]) => {
                if !one.comparable(*two) {
                    let flaw = Flaw::new(format!(
                        "a {} is never compared with a {}",
                        one.word(),
                        two.word()
                    ));
                    self.flaw(flaw);
                }
                Shape::Bool
            }
            (
                operators::LESS
                | operators::LESS_EQUALS
                | operators::GREATER
                | operators::GREATER_EQUALS,
                [one, two],
            ) => {
                let ordered = |shape: Shape| {
                    matches!(
                        shape.present(),
                        Shape::Any | Shape::Int | Shape::Text | Shape::Time | Shape::Span
                    )
                };
                if !one.comparable(*two) || !ordered(*one) || !ordered(*two) {
                    let flaw = Flaw::new(format!(
                        "a {} has no order with a {}",
                        one.word(),
                        two.word()
                    ));
                    self.flaw(flaw);
                }
                self.note_always(call);
                Shape::Bool
            }
            (operators::IN, [one, of]) => {
                let of = *of;
                match of {
                    Shape::Any => {}
                    Shape::List(element) if one.comparable(*element) => {}
                    other => {
                        let flaw =
                            Flaw::new(format!("a {} is never in a {}", one.word(), other.word()));
                        self.flaw(flaw);
                    }
                }
                Shape::Bool
            }
            (operators::INDEX, [list, index]) => {
                self.want(Shape::Int, *index);
                match list.present() {
                    Shape::List(of) => *of,
                    Shape::Any => Shape::Any,
                    other => {
                        let flaw =
                            Flaw::new(format!("a {} has no entries by number", other.word()));
                        self.flaw(flaw)
                    }
                }
            }
            (operators::ADD | operators::SUBSTRACT, [one, two]) => {
                self.sum(&call.func_name, one.present(), two.present())
            }
            (operators::MULTIPLY | operators::DIVIDE | operators::MODULO, [one, two]) => {
                self.want(Shape::Int, *one);
                self.want(Shape::Int, *two);
                Shape::Int
            }
            (operators::NEGATE, [one]) => {
                self.want(Shape::Int, *one);
                Shape::Int
            }
            (name, _) => self.function(name, call, &shapes),
        }
    }

    /// What adding or taking away gives.
    fn sum(&mut self, operator: &str, one: Shape, two: Shape) -> Shape {
        let add = operator == operators::ADD;
        match (one, two) {
            (Shape::Int, Shape::Int) => Shape::Int,
            (Shape::Span, Shape::Span) => Shape::Span,
            (Shape::Time, Shape::Span) => Shape::Time,
            (Shape::Span, Shape::Time) if add => Shape::Time,
            (Shape::Time, Shape::Time) if !add => Shape::Span,
            // How `map` and `filter` build their list; written by hand it is a list too.
            (Shape::List(_), Shape::List(of)) if add => Shape::List(of),
            (Shape::Text | Shape::Login, Shape::Text | Shape::Login) if add => Shape::Text,
            (Shape::Any, _) | (_, Shape::Any) => Shape::Any,
            (one, two) => {
                let flaw = Flaw::new(format!(
                    "a {} and a {} cannot be {}",
                    one.word(),
                    two.word(),
                    if add { "added" } else { "subtracted" }
                ));
                self.flaw(flaw)
            }
        }
    }

    fn function(&mut self, name: &str, call: &CallExpr, shapes: &[Shape]) -> Shape {
        let member = call.target.is_some();
        let known = functions::find(name).filter(|function| {
            if member {
                function.member
            } else {
                function.global
            }
        });
        let Some(function) = known else {
            let all = FUNCTIONS
                .iter()
                .map(|function| function.name)
                .chain(MACROS)
                .map(str::to_owned);
            let flaw = Flaw::new(format!(
                "there is no function `{}` in this place",
                visible(name)
            ))
            .at_word(name)
            .knowing(all);
            return self.flaw(flaw);
        };
        if shapes.len() != function.takes.len() {
            let flaw = Flaw::new(format!("`{name}` is written `{}`", function.form)).at_word(name);
            return self.flaw(flaw);
        }
        self.arguments(function, call, shapes);
        function.gives
    }

    fn arguments(&mut self, function: &Function, call: &CallExpr, shapes: &[Shape]) {
        for (wanted, given) in function.takes.iter().zip(shapes) {
            self.want(*wanted, *given);
        }
        if function.does == Does::Size
            && let [given] = shapes
            && !matches!(
                given.present(),
                Shape::Any | Shape::List(_) | Shape::Text | Shape::Login
            )
        {
            let flaw = Flaw::new(format!("a {} has no size", given.word())).at_word("size");
            self.flaw(flaw);
        }
        if function.does == Does::Matches {
            let pattern = match call.args.first().map(|argument| &argument.expr) {
                Some(Expr::Literal(LiteralValue::String(pattern))) => pattern.inner().to_owned(),
                _ => {
                    let flaw = Flaw::new("the pattern of `matches` has to be written out");
                    self.flaw(flaw.at_word("matches"));
                    return;
                }
            };
            if self.patterns.len() == MAX_PATTERNS {
                let flaw = Flaw::new(format!("there are more than {MAX_PATTERNS} patterns"));
                self.flaw(flaw);
                return;
            }
            let compiled = PATTERN_SIZES.iter().find_map(|(size, price)| {
                let regex = RegexBuilder::new(&pattern).size_limit(*size).build();
                Some((regex.ok()?, *price))
            });
            match compiled {
                Some(compiled) => {
                    self.patterns.insert(pattern, compiled);
                }
                None => {
                    let flaw = Flaw::new(format!(
                        "`{}` is no regular expression, or too large a one",
                        visible(&pattern)
                    ));
                    self.flaw(flaw.at_word("matches"));
                }
            }
        }
    }

    fn want(&mut self, wanted: Shape, given: Shape) {
        if !wanted.comparable(given) {
            let flaw = Flaw::new(format!(
                "a {} is wanted where a {} stands",
                wanted.word(),
                given.word()
            ));
            self.flaw(flaw);
        }
    }

    /// A size that is compared so that every size will do.
    fn note_always(&mut self, call: &CallExpr) {
        let is_size =
            |node: &IdedExpr| matches!(&node.expr, Expr::Call(call) if call.func_name == "size");
        let number = |node: &IdedExpr| match &node.expr {
            Expr::Literal(LiteralValue::Int(number)) => Some(*number.inner()),
            _ => None,
        };
        let [one, two] = call.args.as_slice() else {
            return;
        };
        let always = match call.func_name.as_str() {
            operators::GREATER_EQUALS => is_size(one) && number(two).is_some_and(|n| n <= 0),
            operators::GREATER => is_size(one) && number(two).is_some_and(|n| n < 0),
            operators::LESS_EQUALS => is_size(two) && number(one).is_some_and(|n| n <= 0),
            operators::LESS => is_size(two) && number(one).is_some_and(|n| n < 0),
            _ => false,
        };
        if always {
            self.always.push("a size is never below zero".to_owned());
        }
    }
}

/// Whether the list that is built holds entries of the list gone through (`filter`).
fn keeps_elements(each: &ComprehensionExpr) -> bool {
    let appended = |node: &IdedExpr| match &node.expr {
        Expr::Call(call) if call.func_name == operators::ADD => {
            call.args.get(1).is_some_and(|list| {
                matches!(&list.expr, Expr::List(list) if matches!(
                    list.elements.as_slice(),
                    [IdedExpr { expr: Expr::Ident(name), .. }] if *name == each.iter_var
                ))
            })
        }
        _ => false,
    };
    match &each.loop_step.expr {
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
            call.args.get(1).is_some_and(appended)
        }
        _ => appended(&each.loop_step),
    }
}

/// Foreign words on one line, bounded.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() && *c != '`')
        .take(60)
        .collect()
}
