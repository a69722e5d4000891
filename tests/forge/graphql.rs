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
                let shaped = shape(&value, field, document, variables);
                // A field that is asked for twice is one field.
                match (into.get_mut(&key), shaped) {
                    (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
                    (_, shaped) => {
                        into.insert(key, shaped);
                    }
                }
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

/// The value of a field. `pullRequest(number:)` and `object(oid:)` pick one of many.
fn pick(field: &Field<'_, String>, from: &Value, variables: &Value) -> Value {
    let argument = |wanted: &str| {
        field.arguments.iter().find(|(name, _)| name == wanted).map(
            |(_, argument)| match argument {
                Argument::Variable(name) => plain(&variables[name]),
                Argument::Int(number) => number.as_i64().unwrap_or_default().to_string(),
                Argument::String(text) => text.clone(),
                other => other.to_string(),
            },
        )
    };
    let one_of = |key: &str, which: &str| from[key].get(which).cloned().unwrap_or(Value::Null);
    let kinds = argument("itemTypes").unwrap_or_default();
    // An expression may be a commit's id as well.
    let commit = argument("oid").or_else(|| {
        argument("expression").filter(|text| from["commitObjects"].get(text).is_some())
    });
    match (field.name.as_str(), argument("number"), commit) {
        ("timelineItems", ..) if kinds.contains("BASE_REF_CHANGED_EVENT") => {
            from["targets"].clone()
        }
        ("pullRequest", Some(number), _) => one_of("pullRequest", &number),
        ("object", _, Some(oid)) => one_of("commitObjects", &oid),
        _ => from.get(&field.name).cloned().unwrap_or(Value::Null),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
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
            select(
                &field.selection_set,
                value,
                document,
                variables,
                &mut object,
            );
            Value::Object(object)
        }
        _ => Value::Null,
    }
}
