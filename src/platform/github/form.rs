//! A GraphQL question about one repository, kept in its parts, so that the same can
//! be asked about several repositories at once. Reads no answer but to take such a
//! one apart again.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value};

use crate::platform::transport::{GraphqlAnswer, GraphqlError};

/// Where a variable is used.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$([A-Za-z]+)").ok());

/// The parts of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Name of the operation.
    pub(super) operation: &'static str,
    /// Variables with their types. `owner` and `name` are always there.
    pub(super) variables: Vec<(&'static str, &'static str)>,
    /// Fields that stand beside the repository.
    pub(super) beside: &'static str,
    /// Fields of the repository.
    pub(super) fields: String,
    /// Fragments that the fields use.
    pub(super) fragments: Vec<&'static str>,
}

impl Form {
    /// The question about one repository.
    pub(super) fn text(&self) -> String {
        let owner = [("owner", "String!"), ("name", "String!")];
        let header = owner.iter().chain(&self.variables);
        document(
            self.operation,
            header.map(|(name, kind)| format!("${name}: {kind}")),
            self.beside,
            &format!(
                "  repository(owner: $owner, name: $name) {{\n{}  }}\n",
                self.fields
            ),
            &self.fragments,
        )
    }
}

fn document(
    operation: &str,
    header: impl Iterator<Item = String>,
    beside: &str,
    body: &str,
    fragments: &[&str],
) -> String {
    let header: Vec<String> = header.collect();
    let mut text = format!(
        "query {operation}({}) {{
  rateLimit {{ cost }}
{beside}{body}}}",
        header.join(", ")
    );
    for fragment in fragments {
        text.push('\n');
        text.push_str(fragment.trim_start());
    }
    text
}

/// A question with what it is asked about.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) form: Form,
    /// A value for each variable.
    pub(super) values: Value,
}

/// Under which name the repository at this place stands in the answer.
fn alias(place: usize) -> String {
    format!("r{place}")
}

/// The same question about all of them at once, with its variables. `None`: they do
/// not fit together. A variable that is the same for all is handed over once;
/// fragments know no other.
pub(super) fn together(all: &[Asked]) -> Option<(String, Value)> {
    let variable = VARIABLE.as_ref()?;
    let first = all.first()?;
    let mut header: Vec<String> = Vec::new();
    let mut values = Map::new();
    let mut body = String::new();
    let mut fragments: Vec<&str> = Vec::new();
    for (place, asked) in all.iter().enumerate() {
        let form = &asked.form;
        if form.operation != first.form.operation || form.beside != first.form.beside {
            return None;
        }
        let kinds = [("owner", "String!"), ("name", "String!")];
        let mut own = Vec::new();
        for &(name, kind) in kinds.iter().chain(&form.variables) {
            let value = asked.values.get(name)?;
            let common = all
                .iter()
                .all(|other| other.values.get(name) == Some(value));
            let called = if common {
                name.to_owned()
            } else {
                own.push(name);
                format!("{name}{place}")
            };
            let declared = format!("${called}: {kind}");
            if !header.contains(&declared) {
                header.push(declared);
            }
            values.insert(called, value.clone());
        }
        for &fragment in &form.fragments {
            let mut used = variable.captures_iter(fragment);
            if used.any(|found| own.contains(&&found[1])) {
                return None;
            }
            if !fragments.contains(&fragment) {
                fragments.push(fragment);
            }
        }
        let text = format!(
            "  {}: repository(owner: $owner, name: $name) {{\n{}  }}\n",
            alias(place),
            form.fields
        );
        body.push_str(&variable.replace_all(&text, |found: &Captures<'_>| {
            if own.contains(&&found[1]) {
                format!("{}{place}", &found[0])
            } else {
                found[0].to_owned()
            }
        }));
    }
    let text = document(
        first.form.operation,
        header.into_iter(),
        first.form.beside,
        &body,
        &fragments,
    );
    Some((text, Value::Object(values)))
}

/// What the answer to all tells about the repository at one place, as if it had been
/// asked alone. `None`: it tells less than an answer to that one would. An error that
/// belongs to no single repository may have touched each of them.
pub(super) fn apart(answer: &GraphqlAnswer, place: usize) -> Option<GraphqlAnswer> {
    let own = alias(place);
    let data = answer.data.as_ref()?.as_object()?;
    let is_place = |step: &String| {
        let number = step
            .strip_prefix('r')
            .and_then(|text| text.parse::<usize>().ok());
        number.is_some() && data.contains_key(step)
    };
    let of_one = |error: &GraphqlError| error.path.first().is_some_and(is_place);
    if !answer.errors.iter().all(of_one) {
        return None;
    }
    let mut told: Map<String, Value> = data
        .iter()
        .filter(|(name, _)| !is_place(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    told.insert("repository".to_owned(), data.get(&own)?.clone());
    let mut errors = answer.errors.clone();
    errors.retain(|error| error.path.first() == Some(&own));
    for error in &mut errors {
        if let Some(step) = error.path.first_mut() {
            "repository".clone_into(step);
        }
    }
    Some(GraphqlAnswer {
        data: Some(Value::Object(told)),
        errors,
        ..answer.clone()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::graph::testing::answer;
    use super::*;

    fn asked(name: &str, branch: &str) -> Asked {
        Asked {
            form: Form {
                operation: "Test",
                variables: vec![("branch", "String!"), ("path", "String!")],
                beside: "  viewer { login }\n",
                fields: "    ref(qualifiedName: $branch) { ...Tip }\n".to_owned(),
                fragments: vec!["fragment Tip on Ref { file(path: $path) }"],
            },
            values: json!({"owner": "acme", "name": name, "branch": branch, "path": "p"}),
        }
    }

    #[test]
    fn what_is_the_same_is_handed_over_once_and_what_differs_under_names_of_its_own() {
        let (text, values) = together(&[asked("a", "main"), asked("b", "next")]).unwrap();
        assert_eq!(
            text,
            "query Test($owner: String!, $name0: String!, $branch0: String!, $path: String!, $name1: String!, $branch1: String!) {
  rateLimit { cost }
  viewer { login }
  r0: repository(owner: $owner, name: $name0) {
    ref(qualifiedName: $branch0) { ...Tip }
  }
  r1: repository(owner: $owner, name: $name1) {
    ref(qualifiedName: $branch1) { ...Tip }
  }
}
fragment Tip on Ref { file(path: $path) }"
        );
        let all = json!({"owner": "acme", "path": "p", "name0": "a", "name1": "b",
            "branch0": "main", "branch1": "next"});
        assert_eq!(values, all);
        let (text, _) = together(&[asked("a", "main"), asked("b", "main")]).unwrap();
        assert!(text.contains("$branch: String!") && !text.contains("$branch0"));
    }

    #[test]
    fn what_does_not_fit_together_is_not_asked_together() {
        let mut other = asked("b", "main");
        other.values["path"] = json!("q");
        assert!(together(&[asked("a", "main"), other]).is_none());
        let mut other = asked("b", "main");
        other.form.operation = "Other";
        assert!(together(&[asked("a", "main"), other]).is_none());
        let mut without = asked("b", "main");
        without.values.as_object_mut().unwrap().remove("branch");
        assert!(together(&[asked("a", "main"), without]).is_none());
        assert!(together(&[]).is_none());
    }

    #[test]
    fn each_repository_gets_its_own_part_and_its_own_errors() {
        let all = answer(&json!({
            "data": {"viewer": {"login": "x"}, "r0": {"a": 1}, "r1": null},
            "errors": [{"message": "gone", "type": "NOT_FOUND", "path": ["r1"]}]}));
        let first = apart(&all, 0).unwrap();
        assert_eq!(
            first.data,
            Some(json!({"viewer": {"login": "x"}, "repository": {"a": 1}}))
        );
        assert!(first.errors.is_empty());
        let second = apart(&all, 1).unwrap();
        assert_eq!(second.data.unwrap()["repository"], Value::Null);
        assert_eq!(second.errors[0].path, ["repository"]);
        assert!(apart(&all, 2).is_none());
    }

    /// The cheat: an error that says that something was left out, filed where nobody looks.
    #[test]
    fn an_error_of_no_single_repository_spoils_them_all() {
        for path in [json!(null), json!([]), json!(["viewer"]), json!(["r7"])] {
            let all = answer(&json!({"data": {"r0": {"a": 1}},
                "errors": [{"message": "a limit", "path": path}]}));
            assert!(apart(&all, 0).is_none(), "{path}");
        }
        let nothing = answer(&json!({"data": null, "errors": [{"message": "no"}]}));
        assert!(apart(&nothing, 0).is_none());
    }
}
