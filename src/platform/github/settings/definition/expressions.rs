//! Which secrets the expressions of a workflow name. Text outside of `${{ }}` is
//! handed on as it is, so it names none.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::platform::yaml::Node;

/// Stands for every secret there is.
const ALL: &str = "inherit";

/// The token that every job has anyway; its rights are read elsewhere.
const OWN_TOKEN: &str = "GITHUB_TOKEN";

static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[^.\w'-])secrets(?:\s*\.\s*([A-Za-z_][\w-]*)|\s*\[\s*'([^']*)'\s*\]|\b)")
        .expect("the pattern is tested")
});

/// Names of secrets, gathered.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Takes in what a part of a workflow names.
    pub(super) fn take(&mut self, node: &Node) {
        match node {
            Node::Scalar { text, .. } => self.take_text(text),
            Node::List(items) | Node::Tagged(_, items) => {
                for item in items {
                    self.take(item);
                }
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    match value.text() {
                        // A condition is an expression as a whole.
                        Some(text) if key == "if" => self.take_expression(bare(text)),
                        _ => self.take(value),
                    }
                }
            }
        }
    }

    /// Every secret is handed on.
    pub(super) fn take_all(&mut self) {
        self.0.insert(ALL.to_owned());
    }

    /// The names, sorted.
    pub(super) fn names(self) -> Vec<String> {
        self.0.into_iter().collect()
    }

    fn take_text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((_, behind)) = rest.split_once("${{") {
            let (inner, after) = behind.split_once("}}").unwrap_or((behind, ""));
            self.take_expression(inner);
            rest = after;
        }
    }

    fn take_expression(&mut self, inner: &str) {
        for found in NAMED.captures_iter(inner) {
            // Without a name the whole bundle is meant, e.g. `toJSON(secrets)`.
            let name = found
                .get(1)
                .or_else(|| found.get(2))
                .map_or(ALL, |name| name.as_str());
            if !name.eq_ignore_ascii_case(OWN_TOKEN) {
                self.0.insert(name.to_owned());
            }
        }
    }
}

/// An expression without its braces.
pub(super) fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("${{")
        .and_then(|inner| inner.strip_suffix("}}"))
        .filter(|inner| !inner.contains("${{"))
        .map_or(text, str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::yaml;

    fn read(text: &str) -> Vec<String> {
        let mut secrets = Secrets::default();
        secrets.take(&yaml::documents(text).unwrap().remove(0));
        secrets.names()
    }

    #[test]
    fn secrets_are_named_in_expressions_however_they_are_written() {
        assert_eq!(
            read(
                "a: [\"${{ secrets.A }} ${{ secrets['B'] }}\", {b: \"x-${{ format('{0}', Secrets.c) }}\"}]"
            ),
            ["A", "B", "c"]
        );
        assert_eq!(read("if: secrets.A != ''"), ["A"]);
    }

    #[test]
    fn the_whole_bundle_and_a_computed_name_stand_for_all() {
        assert_eq!(read("a: '${{ toJSON(secrets) }}'"), ["inherit"]);
        assert_eq!(read("a: '${{ secrets[matrix.key] }}'"), ["inherit"]);
    }

    #[test]
    fn text_outside_of_expressions_names_none_and_neither_does_the_own_token() {
        assert!(read("run: echo secrets.A").is_empty());
        assert!(read("a: '${{ secrets.GITHUB_TOKEN }} ${{ steps.secrets.outputs.x }}'").is_empty());
        assert_eq!(read("a: '${{ secrets.OPEN'"), ["OPEN"]);
    }

    #[test]
    fn braces_around_a_whole_expression_are_taken_off() {
        assert_eq!(bare("${{ always() }}"), "always()");
        assert_eq!(bare("${{ a }} && ${{ b }}"), "${{ a }} && ${{ b }}");
    }
}
