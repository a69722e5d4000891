//! The text of the GraphQL questions. Only what is needed is asked; every
//! connection carries its page information, so that nothing is cut off unseen.
//! Reads no answer.

use std::fmt::Write as _;

/// What is asked about every pull request.
pub(super) const PULL: &str = "fragment Pull on PullRequest {
  number title body state isDraft isCrossRepository
  author { __typename login }
  headRefName headRefOid headRepository { nameWithOwner }
  baseRefName
  labels(first: 100) { nodes { name } }
  closingIssuesReferences(first: 50) { nodes { number repository { nameWithOwner } } }
  mergedAt mergedBy { __typename login } mergeCommit { oid }
}";

/// The tip of a branch, and the policy file there.
const TIP: &str = "fragment Tip on Ref {
  name
  target { __typename oid ... on Commit { file(path: $path) { object { __typename ... on Blob { text isTruncated isBinary } } } } }
}";

/// The tip without a policy.
const BARE_TIP: &str = "fragment Tip on Ref { name target { __typename oid } }";

/// How a commit came to be: merged changes with the commits that each of them brought.
const ORIGIN: &str = "fragment Origin on Commit {
  oid
  associatedPullRequests(first: 10) {
    pageInfo { hasNextPage }
    nodes {
      ...Pull
      mergeCommit { oid history(first: 100) { nodes { oid } } }
      commits(last: 100) { totalCount nodes { commit { oid } } }
    }
  }
}";

/// The rulesets that may apply: ids for the second round, and whether their
/// bypass lists are hidden from this token (null) or not. Beside it, whether there
/// is any release: a question of its own would cost a request.
const RULESETS: &str = "rulesets(first: 100, includeParents: true) {
      pageInfo { hasNextPage }
      nodes {
        databaseId name target enforcement bypassActors(first: 1) { totalCount }
        conditions { refName { include exclude } repositoryName { include exclude } }
      }
    }
    releases(first: 1) { totalCount }";

/// What decides which questions about settings make sense.
const ABOUT: &str = "visibility isInOrganization
    environments(first: 100) { pageInfo { hasNextPage } nodes { name } }";

/// First round about a pull request. Variables: `owner`, `name`, `number`, and `path` if a policy is wanted.
pub(super) fn open_change(with_policy: bool) -> String {
    let (path, tip) = policy_parts(with_policy);
    format!(
        "query CcgateOpen($owner: String!, $name: String!, $number: Int!{path}) {{
  rateLimit {{ cost }}
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{
    {ABOUT}
    defaultBranchRef {{ ...Tip }}
    {RULESETS}
    pullRequest(number: $number) {{ ...Pull baseRef {{ ...Tip }} }}
  }}
}}
{tip}
{PULL}"
    )
}

/// First round about a commit. Variables: `owner`, `name`, `path` if a policy is
/// wanted, `branch` (`refs/heads/…`) if one is named, `commit` if one is named.
pub(super) fn open_commit(with_policy: bool, branch: bool, commit: bool) -> String {
    let (path, tip) = policy_parts(with_policy);
    let mut header = format!("$owner: String!, $name: String!{path}");
    let mut body = String::new();
    let origin_of_tip = if commit { "" } else { " target { ...Origin }" };
    if branch {
        header.push_str(", $branch: String!");
        let _ = write!(
            body,
            "    branch: ref(qualifiedName: $branch) {{ ...Tip{origin_of_tip} }}\n    defaultBranchRef {{ ...Tip }}\n"
        );
    } else {
        let _ = writeln!(body, "    defaultBranchRef {{ ...Tip{origin_of_tip} }}");
    }
    if commit {
        header.push_str(", $commit: String!");
        body.push_str("    commit: object(expression: $commit) { __typename ...Origin }\n");
    }
    format!(
        "query CcgateOpen({header}) {{
  rateLimit {{ cost }}
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{
{body}    {ABOUT}
    {RULESETS}
  }}
}}
{tip}
{ORIGIN}
{PULL}"
    )
}

/// First round about a repository seen from one branch, no change and no commit.
/// Variables: `owner`, `name`, `path` if a policy is wanted, `branch` if one is named.
pub(super) fn open_repository(with_policy: bool, branch: bool) -> String {
    let (path, tip) = policy_parts(with_policy);
    let (variable, named) = if branch {
        (
            ", $branch: String!",
            "    branch: ref(qualifiedName: $branch) { ...Tip }\n",
        )
    } else {
        ("", "")
    };
    format!(
        "query CcgateOpen($owner: String!, $name: String!{path}{variable}) {{
  rateLimit {{ cost }}
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{
{named}    {ABOUT}
    defaultBranchRef {{ ...Tip }}
    {RULESETS}
  }}
}}
{tip}"
    )
}

/// Asks again how a commit came to be. Variables: `owner`, `name`, `commit`.
pub(super) fn origin() -> String {
    format!(
        "query CcgateOrigin($owner: String!, $name: String!, $commit: String!) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{ commit: object(expression: $commit) {{ __typename ...Origin }} }}
}}
{ORIGIN}
{PULL}"
    )
}

fn policy_parts(with_policy: bool) -> (&'static str, &'static str) {
    if with_policy {
        (", $path: String!", TIP)
    } else {
        ("", BARE_TIP)
    }
}

/// One connection of the second round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Commits of the change.
    Commits,
    /// Reviews.
    Reviews,
    /// Force pushes.
    Pushes,
    /// Comments.
    Comments,
    /// Results reported for the head commit.
    Checks,
}

impl Part {
    /// Where the connection hangs in the answer's data.
    pub(super) fn path(self) -> &'static [&'static str] {
        match self {
            Self::Commits => &["repository", "pullRequest", "commits"],
            Self::Reviews => &["repository", "pullRequest", "reviews"],
            Self::Pushes => &["repository", "pullRequest", "timelineItems"],
            Self::Comments => &["repository", "pullRequest", "comments"],
            Self::Checks => &["repository", "object", "statusCheckRollup", "contexts"],
        }
    }

    /// Name of the variable that carries the cursor.
    pub(super) fn cursor(self) -> &'static str {
        match self {
            Self::Commits => "afterCommits",
            Self::Reviews => "afterReviews",
            Self::Pushes => "afterPushes",
            Self::Comments => "afterComments",
            Self::Checks => "afterChecks",
        }
    }

    /// The connection without a cursor: its first page.
    pub(super) fn first_page(self) -> String {
        self.text()
            .replace(&format!(", after: ${}", self.cursor()), "")
    }

    fn text(self) -> &'static str {
        match self {
            Self::Commits => {
                "commits(first: 100, after: $afterCommits) { totalCount pageInfo { hasNextPage endCursor } nodes { commit {
        oid message
        author { name email user { __typename login } }
        committer { name email user { __typename login } }
        authors(first: 10) { totalCount nodes { name email user { __typename login } } }
        parents(first: 10) { totalCount nodes { oid } }
      } } }"
            }
            Self::Reviews => {
                "reviews(first: 100, after: $afterReviews) { totalCount pageInfo { hasNextPage endCursor } nodes {
        state submittedAt authorCanPushToRepository author { __typename login } commit { oid }
      } }"
            }
            Self::Pushes => {
                "timelineItems(first: 100, after: $afterPushes, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) { pageInfo { hasNextPage endCursor } nodes {
        __typename ... on HeadRefForcePushedEvent { createdAt actor { __typename login } beforeCommit { oid } afterCommit { oid } }
      } }"
            }
            Self::Comments => {
                "comments(first: 100, after: $afterComments) { totalCount pageInfo { hasNextPage endCursor } nodes {
        id databaseId body createdAt lastEditedAt includesCreatedEdit author { __typename login }
      } }"
            }
            Self::Checks => {
                "statusCheckRollup { contexts(first: 100, after: $afterChecks) { totalCount pageInfo { hasNextPage endCursor } nodes {
        __typename
        ... on CheckRun { databaseId name status conclusion startedAt completedAt checkSuite { databaseId app { databaseId } } }
        ... on StatusContext { context state createdAt }
      } } }"
            }
        }
    }
}

/// The second round, or a further page of it. Variables: `owner`, `name`,
/// `number` (with parts of the change), `head` (with checks), and the cursors.
pub(super) fn collect(parts: &[Part]) -> String {
    let mut header = "$owner: String!, $name: String!".to_owned();
    let mut of_change = String::new();
    let mut of_head = String::new();
    for part in parts {
        let _ = write!(header, ", ${}: String", part.cursor());
        let target = match part {
            Part::Checks => &mut of_head,
            Part::Commits | Part::Reviews | Part::Pushes | Part::Comments => &mut of_change,
        };
        let _ = writeln!(target, "      {}", part.text());
    }
    let mut body = String::new();
    if !of_change.is_empty() {
        header.push_str(", $number: Int!");
        let _ = writeln!(
            body,
            "    pullRequest(number: $number) {{\n      headRefOid\n{of_change}    }}"
        );
    }
    if !of_head.is_empty() {
        header.push_str(", $head: GitObjectID!");
        let _ = writeln!(
            body,
            "    object(oid: $head) {{ __typename ... on Commit {{\n{of_head}    }} }}"
        );
    }
    format!(
        "query CcgateCollect({header}) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
{body}  }}
}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_that_no_part_wants() {
        let text = collect(&[Part::Checks]);
        assert!(text.contains("statusCheckRollup") && text.contains("$head"));
        assert!(!text.contains("pullRequest") && !text.contains("$number"));
    }

    #[test]
    fn a_policy_given_by_hand_is_not_fetched() {
        assert!(!open_change(false).contains("Blob"));
        assert!(open_change(true).contains("Blob"));
    }

    #[test]
    fn every_connection_of_the_second_round_can_be_followed() {
        let parts = [
            Part::Commits,
            Part::Reviews,
            Part::Pushes,
            Part::Comments,
            Part::Checks,
        ];
        let text = collect(&parts);
        for part in parts {
            assert!(text.contains(&format!("after: ${}", part.cursor())));
        }
        assert_eq!(
            text.matches("hasNextPage endCursor").count(),
            parts.len(),
            "{text}"
        );
    }
}
