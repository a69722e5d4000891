//! What operators make of two values. A value of another kind than the operator
//! wants is a mistake, never *different* and never *false*.

use std::cmp::Ordering;

use super::evaluation::{Budget, Found, Stop, wrong};
use super::value::Value;

/// Whether two values are the same. Values of different kinds are not compared:
/// a mistake must not read as *different*.
///
/// A list that holds another one twice costs twice, however it is kept in memory.
pub(super) fn equal(one: &Value, two: &Value, budget: &mut Budget) -> Result<bool, Stop> {
    budget.spend(match one {
        Value::List(_) => 1,
        other => 1 + other.weight(),
    })?;
    Ok(match (one, two) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Bool(one), Value::Bool(two)) => one == two,
        (Value::Int(one), Value::Int(two)) => one == two,
        (Value::Text(one), Value::Text(two)) => one == two,
        // Platforms do not tell upper from lower case in a login.
        (Value::Login(one), Value::Login(two) | Value::Text(two))
        | (Value::Text(one), Value::Login(two)) => one.eq_ignore_ascii_case(two),
        (Value::Time(one), Value::Time(two)) => one == two,
        (Value::Span(one), Value::Span(two)) => one == two,
        (Value::List(one), Value::List(two)) => {
            let mut same = one.len() == two.len();
            for (one, two) in one.iter().zip(two.iter()) {
                // Each pair is looked at, so that a mistake in a later one is one.
                same &= equal(one, two, budget)?;
            }
            same
        }
        (one, two) => {
            return wrong(format!("{} is compared with {}", one.kind(), two.kind()));
        }
    })
}

pub(super) fn order(one: &Value, two: &Value) -> Result<Ordering, Stop> {
    match (one, two) {
        (Value::Int(one), Value::Int(two)) => Ok(one.cmp(two)),
        (Value::Text(one), Value::Text(two)) => Ok(one.cmp(two)),
        (Value::Time(one), Value::Time(two)) => Ok(one.cmp(two)),
        (Value::Span(one), Value::Span(two)) => Ok(one.cmp(two)),
        (one, two) => wrong(format!("{} has no order with {}", one.kind(), two.kind())),
    }
}

pub(super) fn whole(number: Option<i64>) -> Found {
    match number {
        Some(number) => Ok(Value::Int(number)),
        None => wrong("a number is too large, or divided by zero"),
    }
}

pub(super) fn add(one: &Value, two: &Value) -> Found {
    match (one, two) {
        (Value::Int(one), Value::Int(two)) => whole(one.checked_add(*two)),
        (Value::Text(one) | Value::Login(one), Value::Text(two) | Value::Login(two)) => {
            // The lengths were paid for in steps, so this cannot grow without end.
            Ok(Value::text(&format!("{one}{two}")))
        }
        (Value::List(one), Value::List(two)) => {
            Ok(Value::List(one.iter().chain(two.iter()).cloned().collect()))
        }
        (Value::Time(time), Value::Span(span)) | (Value::Span(span), Value::Time(time)) => {
            match time.checked_add(*span) {
                Ok(time) => Ok(Value::Time(time)),
                Err(_) => wrong("a timestamp is out of range"),
            }
        }
        (Value::Span(one), Value::Span(two)) => match one.checked_add(*two) {
            Some(span) => Ok(Value::Span(span)),
            None => wrong("a duration is out of range"),
        },
        _ => wrong(unfit("+", &[one.clone(), two.clone()])),
    }
}

pub(super) fn subtract(one: &Value, two: &Value) -> Found {
    match (one, two) {
        (Value::Int(one), Value::Int(two)) => whole(one.checked_sub(*two)),
        (Value::Time(time), Value::Span(span)) => match time.checked_sub(*span) {
            Ok(time) => Ok(Value::Time(time)),
            Err(_) => wrong("a timestamp is out of range"),
        },
        (Value::Time(one), Value::Time(two)) => Ok(Value::Span(one.duration_since(*two))),
        (Value::Span(one), Value::Span(two)) => match one.checked_sub(*two) {
            Some(span) => Ok(Value::Span(span)),
            None => wrong("a duration is out of range"),
        },
        _ => wrong(unfit("-", &[one.clone(), two.clone()])),
    }
}

pub(super) fn unfit(name: &str, values: &[Value]) -> String {
    let kinds: Vec<&str> = values.iter().map(Value::kind).collect();
    format!("`{name}` does not go with {}", kinds.join(" and "))
}
