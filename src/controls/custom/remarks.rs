//! What is legal in an expression and seldom meant: for `policy lint`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::control::Declaration;
use super::evaluation::{Budget, Looked, answer};
use super::expression::Expression;
use super::given::Given;
use super::names::Facts;
use super::shape::Shape;

/// Remarks about one control, each a sentence in lower case without a period.
pub(super) fn remarks(declaration: &Declaration) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(when) = &declaration.when
        && when.names().is_empty()
    {
        remarks.push(match verdict(when) {
            Some(true) => "`when` is always so: leave it out".to_owned(),
            Some(false) => "`when` is never so, so nothing is ever asked".to_owned(),
            None => "`when` can never be worked out".to_owned(),
        });
    }
    let assert = &declaration.assert;
    if assert.names().is_empty() {
        remarks.push(match verdict(assert) {
            Some(true) => "`assert` holds whatever is seen, so it asks for nothing".to_owned(),
            Some(false) => "`assert` can be met by nobody".to_owned(),
            None => "`assert` can never be worked out".to_owned(),
        });
    } else {
        let lists: Vec<String> = assert
            .names()
            .iter()
            .filter(|name| matches!(name.shape, Shape::List(_)))
            .map(|name| format!("`{}`", name.path))
            .collect();
        if !lists.is_empty() && verdict(assert) == Some(true) {
            remarks.push(format!(
                "`assert` holds where {} is empty, so it can be met by nobody acting: if somebody \
                 has to, ask for it too, e.g. with `exists` or `size(…) > 0`",
                lists.join(" and ")
            ));
        }
    }
    for (part, expression) in [
        ("when", declaration.when.as_ref()),
        ("assert", Some(&declaration.assert)),
    ] {
        for always in expression.iter().flat_map(|one| &one.checked.always) {
            remarks.push(format!(
                "`{part}` holds a comparison that always holds: {always}"
            ));
        }
    }
    remarks
}

/// What an expression gives where nothing has been done yet: empty lists and texts,
/// zeros, nobody.
fn verdict(expression: &Expression) -> Option<bool> {
    let nothing: BTreeMap<&'static str, Given> = expression
        .names()
        .iter()
        .filter_map(|name| Given::new(name.path, empty(name.shape)).ok())
        .collect();
    answer(
        expression,
        &Facts::Given(&nothing),
        &mut Budget::new(),
        &mut Looked::new(),
    )
    .ok()
}

fn empty(shape: Shape) -> Json {
    match shape {
        Shape::Any | Shape::Null | Shape::Maybe(_) => Json::Null,
        Shape::Bool => json!(false),
        Shape::Int => json!(0),
        Shape::Text | Shape::Login => json!(""),
        Shape::Time => json!("1970-01-01T00:00:00Z"),
        Shape::Span => json!("0s"),
        Shape::List(_) => json!([]),
        Shape::Record(fields) => Json::Object(
            fields
                .iter()
                .map(|field| (field.name.to_owned(), empty(field.shape)))
                .collect::<Map<_, _>>(),
        ),
    }
}
