//! The names under which a job reports: its own, and one for each combination of
//! its matrix. Whatever cannot be told before a run gives no name at all.

use crate::platform::yaml::Node;

/// Most combinations that the platform runs.
const MOST: usize = 256;

/// The names; empty if they cannot be told.
pub(super) fn names(id: &str, job: &Node) -> Vec<String> {
    let name = match job.get("name") {
        Some(node) => node.text(),
        None => Some(id),
    };
    let Some(name) = name.filter(|name| !name.is_empty() && !name.contains("${{")) else {
        return Vec::new();
    };
    let Some(matrix) = job
        .get("strategy")
        .and_then(|strategy| strategy.get("matrix"))
    else {
        return vec![name.to_owned()];
    };
    combinations(matrix)
        .map(|all| {
            all.iter()
                .map(|values| format!("{name} ({values})"))
                .collect()
        })
        .unwrap_or_default()
}

/// Each combination as the platform writes it; `None` if it cannot be told.
fn combinations(matrix: &Node) -> Option<Vec<String>> {
    let Node::Map(axes) = matrix else {
        return None;
    };
    let mut all = vec![String::new()];
    for (axis, values) in axes {
        // What is put in or left out changes names in ways that are not documented.
        if axis == "include" || axis == "exclude" {
            return None;
        }
        let Node::List(values) = values else {
            return None;
        };
        let words: Vec<&str> = values.iter().map(word).collect::<Option<_>>()?;
        if words.is_empty() || all.len().checked_mul(words.len())? > MOST {
            return None;
        }
        all = all
            .iter()
            .flat_map(|left| {
                words.iter().map(move |word| {
                    if left.is_empty() {
                        (*word).to_owned()
                    } else {
                        format!("{left}, {word}")
                    }
                })
            })
            .collect();
    }
    (!axes.is_empty()).then_some(all)
}

/// A value as it stands in a name. A number is written anew by the platform
/// (`3.10` becomes `3.1`), so only one that stays as it is can be told.
fn word(value: &Node) -> Option<&str> {
    let Node::Scalar { text, plain } = value else {
        return None;
    };
    if text.is_empty() || text.contains("${{") {
        return None;
    }
    if *plain {
        let changed = match text.parse::<f64>() {
            Ok(number) => number.to_string() != *text,
            Err(_) => {
                let special = ["true", "false", "null", "~"];
                let lower = text.to_ascii_lowercase();
                special.contains(&lower.as_str())
                    || text.starts_with("0x")
                    || text.starts_with("0o")
            }
        };
        if changed {
            return None;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::yaml;

    fn read(text: &str) -> Vec<String> {
        names("build", &yaml::documents(text).unwrap().remove(0))
    }

    #[test]
    fn a_job_reports_under_its_name_or_its_id() {
        assert_eq!(read("runs-on: x"), ["build"]);
        assert_eq!(read("name: Build all"), ["Build all"]);
    }

    #[test]
    fn a_matrix_of_plain_lists_gives_one_name_for_each_combination() {
        assert_eq!(
            read("strategy: {matrix: {os: [linux, mac], node: [20, '3.10']}}"),
            [
                "build (linux, 20)",
                "build (linux, 3.10)",
                "build (mac, 20)",
                "build (mac, 3.10)"
            ]
        );
    }

    #[test]
    fn what_cannot_be_told_before_a_run_gives_no_name() {
        for text in [
            "name: Build ${{ matrix.os }}\nstrategy: {matrix: {os: [linux]}}",
            "name: [a]",
            "strategy: {matrix: '${{ fromJSON(x) }}'}",
            "strategy: {matrix: {os: '${{ fromJSON(x) }}'}}",
            "strategy: {matrix: {os: ['${{ x }}']}}",
            "strategy: {matrix: {os: [linux], include: [{os: mac}]}}",
            "strategy: {matrix: {os: [{a: b}]}}",
            "strategy: {matrix: {python: [3.10]}}",
            "strategy: {matrix: {flag: [true]}}",
            "strategy: {matrix: {}}",
            "strategy: {matrix: {os: []}}",
        ] {
            assert!(read(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_matrix_that_grows_without_bound_is_not_written_out() {
        let axis = "[a, b, c, d, e, f, g, h, i, j]";
        let text = format!("strategy: {{matrix: {{x: {axis}, y: {axis}, z: {axis}}}}}");
        assert!(read(&text).is_empty());
    }
}
