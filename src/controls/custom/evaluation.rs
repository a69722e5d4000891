//! An expression worked out over facts, three-valued: what touches something that
//! nobody saw, and whatever goes wrong on the way, gives no value. `&&` and `||`
//! give one all the same where the other side settles it, by Kleene's tables, so
//! a fact that is seen later never turns a *true* into a *false*.

use std::cell::RefCell;
use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};
use jiff::{SignedDuration, Timestamp};

use crate::facts::{Fact, Source, Unknown};

use super::expression::{Expression, MAX_STEPS};
use super::functions::{self, Does};
use super::macros::builds;
use super::names::{self, Facts};
use super::operations::{add, equal, order, subtract, unfit, whole};
use super::value::Value;

/// Why an expression gives no value.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// It touches something that nobody saw.
    Unseen(Unknown),
    /// It cannot be worked out; says why.
    Wrong(String),
}

/// A value, or why there is none.
pub(super) type Found = Result<Value, Stop>;

pub(super) fn wrong<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(why.into()))
}

/// The steps that one control may still take.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) fn new() -> Self {
        Self(MAX_STEPS)
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Stop> {
        match self.0.checked_sub(steps) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                // Once spent, it stays spent: nothing later can settle the matter.
                self.0 = 0;
                wrong(format!("it takes more than {MAX_STEPS} steps"))
            }
        }
    }

    fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// What stands behind each name that was looked at.
pub(super) type Looked = BTreeMap<&'static str, (Value, Vec<Source>)>;

/// Yes or no, or why neither.
pub(super) fn answer(
    expression: &Expression,
    facts: &Facts<'_>,
    budget: &mut Budget,
    looked: &mut Looked,
) -> Result<bool, Stop> {
    let run = Run {
        expression,
        facts,
        looked: RefCell::new(looked),
    };
    let found = run.value(&expression.tree, &mut Vec::new(), budget);
    if budget.is_spent() {
        return wrong(format!("it takes more than {MAX_STEPS} steps"));
    }
    match found? {
        Value::Bool(yes) => Ok(yes),
        other => wrong(format!("it gives {}, not `true` or `false`", other.kind())),
    }
}

struct Run<'r, 'f> {
    expression: &'r Expression,
    facts: &'r Facts<'f>,
    looked: RefCell<&'r mut Looked>,
}

/// What is bound: a name and its value, or why it has none.
type Scope<'e> = Vec<(&'e str, Found)>;

impl<'e> Run<'e, '_> {
    fn value(&self, node: &'e IdedExpr, scope: &mut Scope<'e>, budget: &mut Budget) -> Found {
        budget.spend(1)?;
        match &node.expr {
            Expr::Literal(literal) => literal_value(literal),
            Expr::Ident(name) => match scope.iter().rev().find(|(known, _)| known == name) {
                Some((_, found)) => found.clone(),
                None => wrong(format!("there is no name `{name}`")),
            },
            Expr::Select(select) => {
                let found = self.select(&select.operand, &select.field, scope, budget)?;
                Ok(if select.test {
                    Value::Bool(!matches!(found, Value::Null))
                } else {
                    found
                })
            }
            Expr::List(list) => {
                let mut items = Vec::new();
                for element in &list.elements {
                    items.push(self.value(element, scope, budget)?);
                }
                Ok(Value::List(items.into()))
            }
            Expr::Comprehension(each) => self.comprehension(each, scope, budget),
            Expr::Call(call) => self.call(call, scope, budget),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                wrong("it holds something that cannot be worked out")
            }
        }
    }

    fn select(
        &self,
        operand: &'e IdedExpr,
        field: &str,
        scope: &mut Scope<'e>,
        budget: &mut Budget,
    ) -> Found {
        if let Expr::Ident(root) = &operand.expr
            && !scope.iter().any(|(known, _)| known == root)
            && names::is_root(root)
        {
            return self.look(&format!("{root}.{field}"), budget);
        }
        match self.value(operand, scope, budget)? {
            Value::Record(fields) => match fields.iter().find(|(name, _)| *name == field) {
                Some((_, slot)) => slot.clone().map_err(Stop::Unseen),
                None => wrong(format!("there is no field `{field}`")),
            },
            other => wrong(format!("{} has no field `{field}`", other.kind())),
        }
    }

    /// The value of a name; it is read off the facts once.
    fn look(&self, path: &str, budget: &mut Budget) -> Found {
        let Some(name) = names::find(path) else {
            return wrong(format!("there is no name `{path}`"));
        };
        if let Some((value, _)) = self.looked.borrow().get(name.path) {
            return Ok(value.clone());
        }
        match self.facts.look(name) {
            Fact::Known { value, sources } => {
                budget.spend(value.weight())?;
                let mut looked = self.looked.borrow_mut();
                looked.insert(name.path, (value.clone(), sources));
                Ok(value)
            }
            Fact::Unknown(unknown) => Err(Stop::Unseen(unknown)),
        }
    }

    fn comprehension(
        &self,
        each: &'e ComprehensionExpr,
        scope: &mut Scope<'e>,
        budget: &mut Budget,
    ) -> Found {
        let items = match self.value(&each.iter_range, scope, budget)? {
            Value::List(items) => items,
            other => return wrong(format!("{} is no list to go through", other.kind())),
        };
        if let Some((keep, gives)) = builds(each) {
            return self.build(each, &items, keep, gives, scope, budget);
        }
        let mut result = self.value(&each.accu_init, scope, budget);
        let depth = scope.len();
        for item in items.iter() {
            scope.push((&each.accu_var, result.clone()));
            let go_on = self.value(&each.loop_cond, scope, budget);
            if matches!(go_on, Ok(Value::Bool(false))) {
                scope.truncate(depth);
                break;
            }
            scope.push((&each.iter_var, Ok(item.clone())));
            result = self.value(&each.loop_step, scope, budget);
            scope.truncate(depth);
        }
        scope.push((&each.accu_var, result));
        let found = self.value(&each.result, scope, budget);
        scope.truncate(depth);
        found
    }

    /// `map` and `filter`, whose list is built in place instead of being copied for
    /// every entry.
    fn build(
        &self,
        each: &'e ComprehensionExpr,
        items: &[Value],
        keep: Option<&'e IdedExpr>,
        gives: &'e IdedExpr,
        scope: &mut Scope<'e>,
        budget: &mut Budget,
    ) -> Found {
        let mut built = Vec::new();
        let depth = scope.len();
        for item in items {
            scope.push((&each.iter_var, Ok(item.clone())));
            let kept = keep.map_or(Ok(Value::Bool(true)), |keep| {
                self.value(keep, scope, budget)
            });
            let entry = match kept {
                Ok(Value::Bool(true)) => self.value(gives, scope, budget).map(Some),
                Ok(Value::Bool(false)) => Ok(None),
                Ok(other) => wrong(format!("{} is neither true nor false", other.kind())),
                Err(stop) => Err(stop),
            };
            scope.truncate(depth);
            built.extend(entry?);
        }
        Ok(Value::List(built.into()))
    }

    fn call(&self, call: &'e CallExpr, scope: &mut Scope<'e>, budget: &mut Budget) -> Found {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND, [one, two]) => self.settle(false, [one, two], scope, budget),
            (operators::LOGICAL_OR, [one, two]) => self.settle(true, [one, two], scope, budget),
            (operators::NOT_STRICTLY_FALSE, [one]) => {
                let found = self.value(one, scope, budget);
                Ok(Value::Bool(!matches!(found, Ok(Value::Bool(false)))))
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                match self.value(condition, scope, budget)? {
                    Value::Bool(true) => self.value(yes, scope, budget),
                    Value::Bool(false) => self.value(no, scope, budget),
                    other => wrong(format!("{} is neither true nor false", other.kind())),
                }
            }
            (name, arguments) => {
                let mut values = Vec::new();
                if let Some(target) = &call.target {
                    values.push(self.value(target, scope, budget)?);
                }
                for argument in arguments {
                    values.push(self.value(argument, scope, budget)?);
                }
                budget.spend(self.price(name, &values))?;
                self.apply(name, &values, budget)
            }
        }
    }

    /// What a call costs beyond the parts that it is made of.
    fn price(&self, name: &str, values: &[Value]) -> usize {
        match (name, values) {
            ("size" | operators::INDEX, _) => 0,
            // Equality pays for each pair as it goes.
            (operators::EQUALS | operators::NOT_EQUALS | operators::IN, _) => 0,
            ("matches", [Value::Text(text) | Value::Login(text), Value::Text(pattern)]) => {
                let pattern: &str = pattern;
                let price = self
                    .expression
                    .patterns()
                    .get(pattern)
                    .map_or(1, |(_, price)| *price);
                (text.len() / 4).saturating_mul(price)
            }
            (_, values) => values.iter().map(Value::weight).sum(),
        }
    }

    /// `&&` and `||`: one side that is `settling` decides, whatever the other is.
    fn settle(
        &self,
        settling: bool,
        sides: [&'e IdedExpr; 2],
        scope: &mut Scope<'e>,
        budget: &mut Budget,
    ) -> Found {
        let mut stopped = None;
        for side in sides {
            match self.value(side, scope, budget) {
                Ok(Value::Bool(yes)) if yes == settling => return Ok(Value::Bool(settling)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => {
                    let why = format!("{} is neither true nor false", other.kind());
                    stopped.get_or_insert(Stop::Wrong(why));
                }
                Err(stop) => {
                    stopped.get_or_insert(stop);
                }
            }
        }
        stopped.map_or(Ok(Value::Bool(!settling)), Err)
    }

    fn apply(&self, name: &str, values: &[Value], budget: &mut Budget) -> Found {
        match (name, values) {
            (operators::LOGICAL_NOT, [Value::Bool(yes)]) => Ok(Value::Bool(!yes)),
            (operators::EQUALS, [one, two]) => equal(one, two, budget).map(Value::Bool),
            (operators::NOT_EQUALS, [one, two]) => {
                equal(one, two, budget).map(|yes| Value::Bool(!yes))
            }
            (operators::LESS, [one, two]) => Ok(Value::Bool(order(one, two)?.is_lt())),
            (operators::LESS_EQUALS, [one, two]) => Ok(Value::Bool(order(one, two)?.is_le())),
            (operators::GREATER, [one, two]) => Ok(Value::Bool(order(one, two)?.is_gt())),
            (operators::GREATER_EQUALS, [one, two]) => Ok(Value::Bool(order(one, two)?.is_ge())),
            (operators::IN, [one, Value::List(items)]) => {
                for item in items.iter() {
                    if equal(one, item, budget)? {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            (operators::INDEX, [Value::List(items), Value::Int(index)]) => {
                let found = usize::try_from(*index)
                    .ok()
                    .and_then(|index| items.get(index));
                match found {
                    Some(item) => Ok(item.clone()),
                    None => wrong(format!("there is no entry number {index}")),
                }
            }
            (operators::NEGATE, [Value::Int(number)]) => whole(number.checked_neg()),
            (operators::MULTIPLY, [Value::Int(one), Value::Int(two)]) => {
                whole(one.checked_mul(*two))
            }
            (operators::DIVIDE, [Value::Int(one), Value::Int(two)]) => whole(one.checked_div(*two)),
            (operators::MODULO, [Value::Int(one), Value::Int(two)]) => whole(one.checked_rem(*two)),
            (operators::ADD, [one, two]) => add(one, two),
            (operators::SUBSTRACT, [one, two]) => subtract(one, two),
            (name, values) => self.function(name, values),
        }
    }

    fn function(&self, name: &str, values: &[Value]) -> Found {
        let Some(function) = functions::find(name) else {
            return wrong(unfit(name, values));
        };
        match (function.does, values) {
            (Does::Size, [Value::List(items)]) => Ok(Value::count(items.len())),
            (Does::Size, [Value::Text(text) | Value::Login(text)]) => {
                Ok(Value::count(text.chars().count()))
            }
            (Does::LowerAscii, [Value::Text(text) | Value::Login(text)]) => {
                Ok(Value::text(&text.to_ascii_lowercase()))
            }
            (Does::Timestamp, [Value::Text(text)]) => match text.parse::<Timestamp>() {
                Ok(time) => Ok(Value::Time(time)),
                Err(_) => wrong("a text is no timestamp"),
            },
            (Does::Duration, [Value::Text(text)]) => match text.parse::<SignedDuration>() {
                Ok(span) => Ok(Value::Span(span)),
                Err(_) => wrong("a text is no duration"),
            },
            (does, [Value::Text(text) | Value::Login(text), Value::Text(part)]) => {
                let part: &str = part;
                match does {
                    Does::Contains => Ok(Value::Bool(text.contains(part))),
                    Does::StartsWith => Ok(Value::Bool(text.starts_with(part))),
                    Does::EndsWith => Ok(Value::Bool(text.ends_with(part))),
                    Does::Matches => match self.expression.patterns().get(part) {
                        Some((pattern, _)) => Ok(Value::Bool(pattern.is_match(text))),
                        None => wrong("a pattern was not read"),
                    },
                    Does::Size | Does::LowerAscii | Does::Timestamp | Does::Duration => {
                        wrong(unfit(name, values))
                    }
                }
            }
            _ => wrong(unfit(name, values)),
        }
    }
}

fn literal_value(literal: &LiteralValue) -> Found {
    match literal {
        LiteralValue::Boolean(yes) => Ok(Value::Bool(*yes.inner())),
        LiteralValue::Int(number) => Ok(Value::Int(*number.inner())),
        LiteralValue::String(text) => Ok(Value::text(text.inner())),
        LiteralValue::Null => Ok(Value::Null),
        LiteralValue::UInt(_) | LiteralValue::Double(_) | LiteralValue::Bytes(_) => {
            wrong("it holds a number or bytes of a kind that is not used here")
        }
    }
}
