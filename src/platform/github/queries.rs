//! The text of the GraphQL questions. Only what is needed is asked; every
//! connection carries its page information, so that nothing is cut off unseen.
//! Reads no answer.

use std::fmt::Write as _;

use super::form::Form;

/// What is asked about every pull request.
pub(super) const PULL: &str = "fragment Pull on PullRequest {
  number title body state isDraft isCrossRepository
  author { __typename login ... on User { databaseId } }
  headRefName headRefOid headRepository { nameWithOwner }
  baseRefName
  labels(first: 100) { nodes { name } }
  closingIssuesReferences(first: 50) { nodes { number repository { nameWithOwner } } }
  createdAt mergedAt mergedBy { __typename login ... on User { databaseId } } mergeCommit { oid }
}";

/// The commit that was made of the target and the head to test them together.
const TEST_MERGE: &str = "potentialMergeCommit { oid parents(first: 2) { nodes { oid } } }";

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

/// Two fields that each say whether there is classic protection: what everybody may
/// see of it, and whether there is any at all.
const GUARD: &str = "refUpdateRule { __typename } branchProtectionRule { __typename }";

/// How much the first round asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Whether the policy is wanted.
    pub(super) policy: bool,
    /// Whether what newer servers know is asked as well: rulesets (Enterprise
    /// Server 3.11) and what saves requests later.
    pub(super) newer: bool,
}

impl Extent {
    fn beside(self) -> String {
        if self.newer {
            format!("{ABOUT}\n    {RULESETS}")
        } else {
            String::new()
        }
    }
}

/// First round about a pull request. Variables: `owner`, `name`, `number`, and `path` if a policy is wanted.
pub(super) fn open_change(extent: Extent) -> String {
    let (path, tip) = policy_parts(extent.policy);
    let beside = extent.beside();
    format!(
        "query CcgateOpen($owner: String!, $name: String!, $number: Int!{path}) {{
  rateLimit {{ cost }}
  viewer {{ login }}
  repository(owner: $owner, name: $name) {{
    {beside}
    defaultBranchRef {{ ...Tip }}
    pullRequest(number: $number) {{ ...Pull baseRef {{ ...Tip }} {TEST_MERGE} }}
  }}
}}
{tip}
{PULL}"
    )
}

/// First round about a commit. Variables: `owner`, `name`, `path` if a policy is
/// wanted, `branch` (`refs/heads/…`) if one is named, `commit` if one is named.
pub(super) fn open_commit(extent: Extent, branch: bool, commit: bool) -> String {
    let (path, tip) = policy_parts(extent.policy);
    let beside = extent.beside();
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
{body}    {beside}
  }}
}}
{tip}
{ORIGIN}
{PULL}"
    )
}

/// First round about a repository seen from one branch, no change and no commit.
/// Variables: `path` if a policy is wanted, `branch` if one is named.
pub(super) fn open_repository(extent: Extent, branch: bool) -> Form {
    let beside = extent.beside();
    let mut variables = Vec::new();
    if extent.policy {
        variables.push(("path", "String!"));
    }
    let mut fields = format!("    {beside}\n    defaultBranchRef {{ ...Tip }}\n");
    let mut place = "defaultBranchRef";
    if branch {
        variables.push(("branch", "String!"));
        place = "ref(qualifiedName: $branch)";
        let _ = writeln!(fields, "    branch: {place} {{ ...Tip }}");
    }
    if extent.newer {
        // A place of its own: what is refused here must not touch the policy.
        let _ = writeln!(fields, "    guard: {place} {{ {GUARD} }}");
    }
    Form {
        operation: "CcgateOpen",
        variables,
        beside: "  viewer { login }\n",
        fields,
        fragments: vec![policy_parts(extent.policy).1],
    }
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

/// The policy file at the head of a change. Variables: `owner`, `name`, `head`, `path`.
pub(super) const PROPOSAL: &str = "query CcgateProposal($owner: String!, $name: String!, $head: GitObjectID!, $path: String!) {
  rateLimit { cost }
  repository(owner: $owner, name: $name) {
    object(oid: $head) { __typename ... on Commit { oid file(path: $path) { object { __typename ... on Blob { text isTruncated isBinary } } } } }
  }
}";

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
    /// Moments at which the change was pointed at another branch.
    Targets,
    /// Comments.
    Comments,
    /// Files of the change.
    Files,
    /// Threads of the review.
    Threads,
    /// Signatures of the commits.
    Signatures,
    /// Results reported for the head commit.
    Checks,
}

impl Part {
    /// All that a group of facts is made of. [`Self::Targets`] is asked for with what overrides need.
    pub(super) const ALL: [Self; 8] = [
        Self::Commits,
        Self::Reviews,
        Self::Pushes,
        Self::Comments,
        Self::Files,
        Self::Threads,
        Self::Signatures,
        Self::Checks,
    ];

    /// What the connection hangs on in the answer's data.
    fn parent(self) -> &'static [&'static str] {
        match self {
            Self::Commits
            | Self::Reviews
            | Self::Pushes
            | Self::Targets
            | Self::Comments
            | Self::Files
            | Self::Threads
            | Self::Signatures => &["repository", "pullRequest"],
            Self::Checks => &["repository", "object", "statusCheckRollup"],
        }
    }

    /// Name of the first page in the answer, and beginning of the names of the others.
    fn key(self) -> &'static str {
        match self {
            Self::Commits => "commits",
            Self::Reviews => "reviews",
            Self::Pushes => "timelineItems",
            Self::Targets => "targets",
            Self::Comments => "comments",
            Self::Files => "files",
            Self::Threads => "reviewThreads",
            Self::Signatures => "signatures",
            Self::Checks => "contexts",
        }
    }

    /// Name of the connection in the schema.
    fn connection(self) -> &'static str {
        match self {
            Self::Signatures => "commits",
            Self::Targets => "timelineItems",
            Self::Commits
            | Self::Reviews
            | Self::Pushes
            | Self::Comments
            | Self::Files
            | Self::Threads
            | Self::Checks => self.key(),
        }
    }

    /// Further arguments of the connection.
    fn arguments(self) -> &'static str {
        match self {
            Self::Pushes => ", itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]",
            Self::Targets => {
                ", itemTypes: [BASE_REF_CHANGED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT]"
            }
            Self::Commits
            | Self::Reviews
            | Self::Comments
            | Self::Files
            | Self::Threads
            | Self::Signatures
            | Self::Checks => "",
        }
    }

    /// The connection without a cursor: its first page.
    pub(super) fn first_page(self) -> String {
        let page = Page {
            part: self,
            number: 0,
        };
        page.text()
            .replace(&format!(", after: ${}", page.cursor()), "")
    }

    /// What is asked about each entry.
    fn nodes(self) -> &'static str {
        match self {
            Self::Commits => {
                "totalCount nodes { commit {
        oid message
        author { name email user { __typename login databaseId } }
        committer { name email user { __typename login databaseId } }
        authors(first: 10) { totalCount nodes { name email user { __typename login databaseId } } }
        parents(first: 10) { totalCount nodes { oid } }
      } }"
            }
            Self::Reviews => {
                "totalCount nodes {
        state submittedAt authorCanPushToRepository author { __typename login ... on User { databaseId } } commit { oid }
      }"
            }
            Self::Pushes => {
                "nodes {
        __typename ... on HeadRefForcePushedEvent { createdAt actor { __typename login ... on User { databaseId } } beforeCommit { oid } afterCommit { oid } }
      }"
            }
            Self::Targets => {
                "nodes {
        __typename ... on BaseRefChangedEvent { createdAt } ... on AutomaticBaseChangeSucceededEvent { createdAt }
      }"
            }
            Self::Comments => {
                "totalCount nodes {
        id databaseId body createdAt lastEditedAt includesCreatedEdit author { __typename login ... on User { databaseId } }
      }"
            }
            Self::Files => "totalCount nodes { path changeType additions deletions }",
            Self::Threads => {
                "totalCount nodes {
        isResolved path resolvedBy { __typename login } comments(first: 1) { nodes { author { __typename login ... on User { databaseId } } } }
      }"
            }
            Self::Signatures => {
                "totalCount nodes { commit {
        oid signature { __typename state isValid wasSignedByGitHub signer { __typename login } }
      } }"
            }
            Self::Checks => {
                "totalCount nodes {
        __typename
        ... on CheckRun { databaseId name status conclusion startedAt completedAt checkSuite { databaseId app { databaseId } } }
        ... on StatusContext { context state createdAt }
      }"
            }
        }
    }
}

/// One page of a connection: the first one has number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Page {
    pub(super) part: Part,
    pub(super) number: usize,
}

impl Page {
    /// Its name in the answer.
    fn key(self) -> String {
        match self.number {
            0 => self.part.key().to_owned(),
            number => format!("{}{number}", self.part.key()),
        }
    }

    /// Where it stands in the answer's data.
    pub(super) fn path(self) -> Vec<String> {
        let parent = self.part.parent().iter().map(|&step| step.to_owned());
        parent.chain([self.key()]).collect()
    }

    /// Name of the variable that carries its cursor.
    pub(super) fn cursor(self) -> String {
        format!("after_{}", self.key())
    }

    fn text(self) -> String {
        let Self { part, .. } = self;
        let (key, connection) = (self.key(), part.connection());
        let name = if key == connection {
            key
        } else {
            format!("{key}: {connection}")
        };
        format!(
            "{name}(first: 100, after: ${}{}) {{ pageInfo {{ hasNextPage endCursor }} {} }}",
            self.cursor(),
            part.arguments(),
            part.nodes()
        )
    }
}

/// The second round, or further pages of it. Variables: `owner`, `name`,
/// `number` (with parts of the change), `head` (with checks), and the cursors.
pub(super) fn collect(pages: &[Page]) -> String {
    let mut header = "$owner: String!, $name: String!".to_owned();
    let mut of_change = String::new();
    let mut of_head = String::new();
    let mut files = false;
    for page in pages {
        let _ = write!(header, ", ${}: String", page.cursor());
        match page.part {
            Part::Checks => {
                let _ = write!(of_head, " {}", page.text());
            }
            Part::Commits
            | Part::Reviews
            | Part::Pushes
            | Part::Targets
            | Part::Comments
            | Part::Files
            | Part::Threads
            | Part::Signatures => {
                let _ = writeln!(of_change, "      {}", page.text());
            }
        }
        files |= page.part == Part::Files;
    }
    let mut body = String::new();
    if !of_change.is_empty() {
        header.push_str(", $number: Int!");
        let count = if files { " changedFiles" } else { "" };
        let _ = writeln!(
            body,
            "    pullRequest(number: $number) {{\n      headRefOid baseRefName{count}\n{of_change}    }}"
        );
    }
    if !of_head.is_empty() {
        header.push_str(", $head: GitObjectID!");
        let _ = writeln!(
            body,
            "    object(oid: $head) {{ __typename ... on Commit {{ statusCheckRollup {{{of_head} }} }} }}"
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

    fn first(part: Part) -> Page {
        Page { part, number: 0 }
    }

    #[test]
    fn nothing_is_asked_that_no_part_wants() {
        let text = collect(&[first(Part::Checks)]);
        assert!(text.contains("statusCheckRollup") && text.contains("$head"));
        assert!(!text.contains("pullRequest") && !text.contains("$number"));
        let text = collect(&[first(Part::Commits)]);
        assert!(!text.contains("signature") && !text.contains("changedFiles"));
    }

    /// A login alone does not tell who is who after a rename.
    #[test]
    fn everybody_who_says_or_does_something_is_asked_for_with_the_number() {
        let pages = [Part::Commits, Part::Reviews, Part::Pushes, Part::Comments];
        let text = collect(&pages.map(first)) + PULL;
        let people = text.matches("__typename login").count();
        assert_eq!(people, 8, "{text}");
        assert_eq!(text.matches("databaseId }").count(), people, "{text}");
    }

    #[test]
    fn a_policy_given_by_hand_is_not_fetched() {
        let asked = |policy| {
            open_change(Extent {
                policy,
                newer: true,
            })
        };
        assert!(!asked(false).contains("Blob"));
        assert!(asked(true).contains("Blob"));
    }

    #[test]
    fn an_older_server_is_not_asked_for_what_it_does_not_know() {
        for text in [true, false].map(|newer| {
            let extent = Extent {
                policy: true,
                newer,
            };
            [
                open_change(extent),
                open_commit(extent, true, true),
                open_repository(extent, false).text(),
            ]
            .map(|text| (newer, text))
        }) {
            for (newer, text) in text {
                assert_eq!(text.contains("rulesets("), newer, "{text}");
                assert!(text.contains("defaultBranchRef"), "{text}");
            }
        }
    }

    #[test]
    fn every_connection_of_the_second_round_can_be_followed() {
        let pages = Part::ALL.map(first);
        let text = collect(&pages);
        for page in pages {
            assert!(text.contains(&format!("after: ${}", page.cursor())));
        }
        assert_eq!(
            text.matches("hasNextPage endCursor").count(),
            pages.len(),
            "{text}"
        );
    }

    #[test]
    fn several_pages_of_one_connection_stand_in_one_document_under_names_of_their_own() {
        let page = |part, number| Page { part, number };
        let text = collect(&[
            page(Part::Files, 1),
            page(Part::Files, 2),
            page(Part::Checks, 3),
        ]);
        assert!(text.contains("files1: files(first: 100, after: $after_files1)"));
        assert!(text.contains("files2: files(first: 100, after: $after_files2)"));
        assert!(text.contains("statusCheckRollup { contexts3: contexts(first: 100"));
        assert_eq!(
            page(Part::Checks, 3).path(),
            ["repository", "object", "statusCheckRollup", "contexts3"]
        );
    }
}
