//! The one GraphQL question about settings around branches: only those parts of
//! it are asked that somebody wants. Reads no answer.

/// Name of the operation.
pub(super) const OPERATION: &str = "CcgateSettings";

/// The parts that may be wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Rulesets with their kinds of rules and the branches they mean.
    pub(super) rulesets: bool,
    /// The file of code owners, and what the platform finds wrong with it.
    pub(super) owners: bool,
    /// The changes merged last, and what reported on their heads.
    pub(super) history: bool,
}

impl Parts {
    /// Whether anything is wanted.
    pub(super) fn any(self) -> bool {
        self != Self::default()
    }
}

const RULESETS: &str = "    rulesets(first: 100, includeParents: true) {
      pageInfo { hasNextPage }
      nodes {
        databaseId name target enforcement
        source { __typename ... on Organization { login } ... on Enterprise { slug } }
        conditions { refName { include exclude } }
        rules(first: 100) { nodes { type } }
      }
    }
";

/// The places in the order in which the platform looks.
/// <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-location>
pub(super) const PLACES: [(&str, &str); 3] = [
    ("inGithub", ".github/CODEOWNERS"),
    ("inRoot", "CODEOWNERS"),
    ("inDocs", "docs/CODEOWNERS"),
];

const OWNERS: &str = "    ref(qualifiedName: $ref) { target { __typename oid ... on Commit {
      inGithub: file(path: \".github/CODEOWNERS\") { ...Text }
      inRoot: file(path: \"CODEOWNERS\") { ...Text }
      inDocs: file(path: \"docs/CODEOWNERS\") { ...Text }
    } } }
    codeowners(refName: $branch) { errors { line kind path } }
";

const TEXT: &str = "
fragment Text on TreeEntry {
  mode
  object { __typename ... on Blob { byteSize text isTruncated isBinary } }
}";

const HISTORY: &str = "    pullRequests(states: [MERGED], baseRefName: $branch, first: 5, orderBy: {field: UPDATED_AT, direction: DESC}) {
      nodes {
        number mergedAt headRefOid
        commits(last: 1) { nodes { commit {
          oid
          statusCheckRollup { contexts(first: 100) {
            pageInfo { hasNextPage }
            nodes {
              __typename
              ... on CheckRun { name checkSuite { app { databaseId } } }
              ... on StatusContext { context }
            }
          } }
        } } }
      }
    }
";

/// The question. Variables: `owner`, `name`; `branch` with owners or history;
/// `ref` (`refs/heads/…`) with owners.
pub(super) fn query(parts: Parts) -> String {
    let mut header = "$owner: String!, $name: String!".to_owned();
    let mut body = String::new();
    if parts.owners || parts.history {
        header.push_str(", $branch: String!");
    }
    if parts.rulesets {
        body.push_str(RULESETS);
    }
    if parts.owners {
        header.push_str(", $ref: String!");
        body.push_str(OWNERS);
    }
    if parts.history {
        body.push_str(HISTORY);
    }
    let fragment = if parts.owners { TEXT } else { "" };
    format!(
        "query {OPERATION}({header}) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
{body}  }}
}}{fragment}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_that_nobody_wants() {
        let text = query(Parts {
            rulesets: true,
            ..Parts::default()
        });
        assert!(text.contains("rulesets(") && !text.contains("$branch"));
        assert!(!text.contains("codeowners") && !text.contains("pullRequests"));
        assert!(!Parts::default().any());
    }

    #[test]
    fn every_place_of_the_file_is_asked_for_under_its_alias() {
        let text = query(Parts {
            owners: true,
            ..Parts::default()
        });
        for (alias, path) in PLACES {
            assert!(text.contains(&format!("{alias}: file(path: \"{path}\")")));
        }
    }
}
