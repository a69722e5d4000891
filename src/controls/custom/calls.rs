//! What operators and functions want and give, as far as the kinds of their
//! arguments are known before any fact is seen.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use regex::RegexBuilder;

use super::check::{Checker, visible};
use super::expression::Flaw;
use super::functions::{self, Does, FUNCTIONS, Function};
use super::shape::Shape;

/// Sizes of compiled patterns, in bytes, and what a look at four bytes of text costs
/// with one. Time grows with text and pattern both; larger ones are refused.
const PATTERN_SIZES: [(usize, usize); 3] = [(1 << 14, 1), (1 << 16, 4), (1 << 17, 16)];

/// Most patterns of one expression.
const MAX_PATTERNS: usize = 16;

/// The macros that CEL writes out itself.
const MACROS: [&str; 6] = ["all", "exists", "exists_one", "filter", "map", "has"];

impl Checker {
    pub(super) fn call(&mut self, call: &CallExpr) -> Shape {
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
