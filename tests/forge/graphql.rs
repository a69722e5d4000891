//! Picks from a JSON object what a GraphQL query asks for: fields, aliases,
//! fragments. A field that the model does not have is null.

use graphql_parser::query::{
    Definition, Document, Field, OperationDefinition, Selection, SelectionSet, TypeCondition,
    Value as Argument,
};
use serde_json::{Map, Value};

/// Answers `query` with variables from `root`.
pub(super) fn answer(query: &str, variables: &Value, root: &Value) -> Value {
    let document = match graphql_parser::parse_query::<String>(query) {
        Ok(document) => document,
        Err(error) => {
            return serde_json::json!({"errors": [{"message": error.to_string()}]});
        }
    };
    let mut data = Map::new();
    for definition in &document.definitions {
        if let Definition::Operation(operation) = definition {
            let set = match operation {
                OperationDefinition::SelectionSet(set) => set,
                OperationDefinition::Query(query) => &query.selection_set,
                OperationDefinition::Mutation(_) | OperationDefinition::Subscription(_) => {
                    return serde_json::json!({"errors": [{"message": "only queries"}]});
                }
            };
            select(set, root, &document, variables, &mut data);
        }
    }
    serde_json::json!({"data": data})
}

fn select(
    set: &SelectionSet<'_, String>,
    from: &Value,
    document: &Document<'_, String>,
    variables: &Value,
    into: &mut Map<String, Value>,
) {
    for selection in &set.items {
        match selection {
            Selection::Field(field) => {
                let key = field.alias.as_ref().unwrap_or(&field.name).clone();
                let value = pick(field, from, variables);
                into.insert(key, shape(&value, field, document, variables));
            }
            Selection::InlineFragment(fragment) => {
                if applies(fragment.type_condition.as_ref(), from) {
                    select(&fragment.selection_set, from, document, variables, into);
                }
            }
            Selection::FragmentSpread(spread) => {
                for definition in &document.definitions {
                    if let Definition::Fragment(fragment) = definition
                        && fragment.name == spread.fragment_name
                        && applies(Some(&fragment.type_condition), from)
                    {
                        select(&fragment.selection_set, from, document, variables, into);
                    }
                }
            }
        }
    }
}

/// Objects without a type name in the model fit every condition.
fn applies(condition: Option<&TypeCondition<'_, String>>, object: &Value) -> bool {
    match (condition, object["__typename"].as_str()) {
        (Some(TypeCondition::On(wanted)), Some(name)) => {
            wanted == name || ["Actor", "GitObject", "Node"].contains(&wanted.as_str())
        }
        _ => true,
    }
}

/// The value of a field; `pullRequest(number:)` picks one of many.
fn pick(field: &Field<'_, String>, from: &Value, variables: &Value) -> Value {
    let value = from.get(&field.name).cloned().unwrap_or(Value::Null);
    if field.name != "pullRequest" {
        return value;
    }
    let number = field
        .arguments
        .iter()
        .find(|(name, _)| name == "number")
        .and_then(|(_, argument)| match argument {
            Argument::Variable(name) => variables[name].as_u64(),
            Argument::Int(number) => number.as_i64().and_then(|number| u64::try_from(number).ok()),
            _ => None,
        });
    number
        .and_then(|number| value.get(number.to_string()).cloned())
        .unwrap_or(Value::Null)
}

fn shape(
    value: &Value,
    field: &Field<'_, String>,
    document: &Document<'_, String>,
    variables: &Value,
) -> Value {
    if field.selection_set.items.is_empty() {
        return value.clone();
    }
    match value {
        Value::Array(items) => items
            .iter()
            .map(|item| shape(item, field, document, variables))
            .collect(),
        Value::Object(_) => {
            let mut object = Map::new();
            select(&field.selection_set, value, document, variables, &mut object);
            Value::Object(object)
        }
        _ => Value::Null,
    }
}
