//! Values that a test of a policy gives by name, as JSON, held to the kind of the name.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::facts::Unknown;

use super::names::NAMES;
use super::shape::Shape;
use super::value::Value;

/// A value that a test of a policy gives for a name.
#[derive(Clone, Debug)]
pub struct Given(Json, Shape);

impl Given {
    /// The value for a name; its kind has to be the name's.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(path: &str, value: Json) -> Result<(&'static str, Self), String> {
        let name = NAMES
            .iter()
            .find(|name| name.path == path)
            .ok_or_else(|| format!("there is no name `{path}`"))?;
        convert(name.shape, &value, path)?;
        Ok((name.path, Self(value, name.shape)))
    }

    pub(super) fn value(&self) -> Value {
        // It was converted when it was taken.
        convert(self.1, &self.0, "").unwrap_or(Value::Null)
    }
}

/// JSON as a value of that kind. A field of a record that is left out is unknown.
fn convert(shape: Shape, json: &Json, path: &str) -> Result<Value, String> {
    let unfit = || {
        Err(format!(
            "`{path}` has to be a {}, found {}",
            shape.word(),
            kind(json)
        ))
    };
    Ok(match (shape, json) {
        (Shape::Maybe(_) | Shape::Null, Json::Null) => Value::Null,
        (Shape::Maybe(of), json) => convert(*of, json, path)?,
        (Shape::Bool, Json::Bool(yes)) => Value::Bool(*yes),
        (Shape::Int, Json::Number(number)) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => return unfit(),
        },
        (Shape::Text, Json::String(text)) => Value::text(text),
        (Shape::Login, Json::String(text)) => Value::login(text),
        (Shape::Time, Json::String(text)) => match text.parse::<Timestamp>() {
            Ok(time) => Value::Time(time),
            Err(_) => return unfit(),
        },
        (Shape::Span, Json::String(text)) => match text.parse::<SignedDuration>() {
            Ok(span) => Value::Span(span),
            Err(_) => return unfit(),
        },
        (Shape::List(of), Json::Array(items)) => {
            let mut values = Vec::new();
            for (index, item) in items.iter().enumerate() {
                values.push(convert(*of, item, &format!("{path}[{index}]"))?);
            }
            Value::List(values.into())
        }
        (Shape::Record(fields), Json::Object(given)) => {
            for name in given.keys() {
                if !fields.iter().any(|field| field.name == name) {
                    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                    return Err(format!(
                        "`{path}` has no field `{name}` (known: {})",
                        known.join(", ")
                    ));
                }
            }
            let mut slots = Vec::new();
            for field in fields {
                let inner = format!("{path}.{}", field.name);
                slots.push((
                    field.name,
                    match given.get(field.name) {
                        Some(json) => Ok(convert(field.shape, json, &inner)?),
                        None => Err(Unknown::not_collected(inner)),
                    },
                ));
            }
            Value::Record(slots.into())
        }
        _ => return unfit(),
    })
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "nothing",
        Json::Bool(_) => "`true` or `false`",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a mapping",
    }
}
