//! The text of the GraphQL questions about what came onto a branch. A page of a
//! hundred commits, or twenty changes, is one document. Reads no answer.

use std::fmt::Write as _;

use super::super::queries::{PULL, Part};

/// Commits asked about in one document.
pub(super) const COMMITS_AT_ONCE: usize = 100;

/// Changes asked about in one document; each brings up to four lists of a hundred.
pub(super) const CHANGES_AT_ONCE: usize = 20;

/// A commit with the changes that may have brought it. A merge or rebase can be told
/// from the ids and the number of commits alone.
const ARRIVAL: &str = "fragment Arrival on Commit {
  oid message
  parents(first: 10) { totalCount nodes { oid } }
  associatedPullRequests(first: 5) {
    pageInfo { hasNextPage }
    nodes { number state baseRefName headRefOid mergeCommit { oid } commits(first: 1) { totalCount } }
  }
}";

/// The newest commits under a tip. Variables: `owner`, `name`, `after`.
pub(super) fn newest() -> String {
    format!(
        "query CcgateArrivals($owner: String!, $name: String!, $after: GitObjectID!) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
    object(oid: $after) {{ __typename ... on Commit {{ history(first: {COMMITS_AT_ONCE}) {{ pageInfo {{ hasNextPage }} nodes {{ ...Arrival }} }} }} }}
  }}
}}
{ARRIVAL}"
    )
}

/// Commits by their ids. Variables: `owner`, `name`, and `c0`, `c1`, … for the ids.
pub(super) fn commits(count: usize) -> String {
    let mut header = "$owner: String!, $name: String!".to_owned();
    let mut body = String::new();
    for index in 0..count {
        let _ = write!(header, ", $c{index}: GitObjectID!");
        let _ = writeln!(
            body,
            "    c{index}: object(oid: $c{index}) {{ __typename ...Arrival }}"
        );
    }
    format!(
        "query CcgateArrivals({header}) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
{body}  }}
}}
{ARRIVAL}"
    )
}

/// Changes with everything that decides whether they were fit to be merged.
/// Variables: `owner`, `name`.
pub(super) fn changes(numbers: &[u64]) -> String {
    let mut body = String::new();
    for number in numbers {
        let _ = writeln!(
            body,
            "    p{number}: pullRequest(number: {number}) {{ ...Arrived }}"
        );
    }
    let parts: Vec<String> = [Part::Commits, Part::Reviews, Part::Pushes]
        .into_iter()
        .map(Part::first_page)
        .collect();
    format!(
        "query CcgateArrivedChanges($owner: String!, $name: String!) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
{body}  }}
}}
fragment Arrived on PullRequest {{
  ...Pull
  {}
  newest: commits(last: 1) {{ nodes {{ commit {{ oid statusCheckRollup {{ {} }} }} }} }}
}}
{PULL}",
        parts.join("\n  "),
        Part::Checks.first_page()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_commits_is_one_document_and_no_id_stands_in_it() {
        let text = commits(2);
        assert!(text.contains("$c0: GitObjectID!, $c1: GitObjectID!"));
        assert!(text.contains("c1: object(oid: $c1)") && !text.contains("c2"));
    }

    #[test]
    fn a_first_page_hangs_on_no_cursor() {
        let text = changes(&[7, 9]);
        assert!(text.contains("p9: pullRequest(number: 9)"));
        assert!(!text.contains("$after"), "{text}");
        assert_eq!(text.matches("hasNextPage").count(), 4);
    }
}
