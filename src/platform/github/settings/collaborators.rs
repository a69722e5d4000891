//! Who can reach the repository, and how each came to it. REST gives a person's
//! strongest right alone; only GraphQL tells what was given to them by name.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::facts::{
    AccessRole, Collaborator, Collaborators, Fact, FactKey, Source, TeamAccess, Unknown,
};
use crate::platform::access;
use crate::platform::join::when;
use crate::platform::transport::{GraphqlAnswer, Listing, NoAnswer};

use super::super::graph::{self, Place};
use super::super::{permissions, wire};
use super::document::Part;
use super::organization::role;
use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::AccessCollaborators;

/// Pages after which a list counts as endless.
const MOST_PAGES: usize = 100;

/// One page of people.
pub(super) const PAGE: &str = "
fragment People on RepositoryCollaboratorConnection {
  totalCount pageInfo { hasNextPage endCursor }
  edges {
    permission
    permissionSources { permission roleName source { __typename } }
    node { __typename login }
  }
}";

/// Which people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Affiliation {
    /// Everybody.
    All,
    /// Those who are outside of the organisation.
    Outside,
}

impl Affiliation {
    fn word(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Outside => "OUTSIDE",
        }
    }

    /// Where the list hangs in the answer.
    fn alias(self) -> &'static str {
        match self {
            Self::All => "everybody",
            Self::Outside => "outsiders",
        }
    }

    /// The part of the question about settings that holds the first page.
    fn part(self) -> Part {
        match self {
            Self::All => Part::Collaborators,
            Self::Outside => Part::Outsiders,
        }
    }
}

/// What is asked for the first page.
pub(super) fn fields(affiliation: Affiliation) -> String {
    connection(affiliation, "first: 100")
}

fn connection(affiliation: Affiliation, window: &str) -> String {
    let (alias, word) = (affiliation.alias(), affiliation.word());
    format!(
        "    isInOrganization
    {alias}: collaborators(affiliation: {word}, {window}) {{ ...People }}
"
    )
}

/// The question about one page alone. Variables: `owner`, `name`, `after`.
fn query(affiliation: Affiliation) -> String {
    let list = connection(affiliation, "first: 100, after: $after");
    format!(
        "query CcgateCollaborators($owner: String!, $name: String!, $after: String) {{
  rateLimit {{ cost }}
  repository(owner: $owner, name: $name) {{
{list}  }}
}}{PAGE}"
    )
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    total_count: Option<u64>,
    page_info: Option<wire::PageInfo>,
    edges: Option<Vec<Edge>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edge {
    permission: Option<String>,
    permission_sources: Option<Vec<PermissionSource>>,
    node: Option<wire::Actor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PermissionSource {
    permission: Option<String>,
    role_name: Option<String>,
    source: Option<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(rename = "__typename")]
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Team {
    slug: Option<String>,
    permission: Option<String>,
}

/// Everybody of one affiliation, and where it was read.
struct Everybody {
    in_organization: Option<bool>,
    edges: Vec<Edge>,
    sources: Vec<Source>,
}

/// Asks for people and teams.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Collaborators> {
    let organization = !asker.of_a_person();
    let (everybody, outside, teams) = tokio::join!(
        everybody(asker, Affiliation::All),
        when(organization, || everybody(asker, Affiliation::Outside)),
        when(organization && !asker.blind(), || asker.shared.teams(0)),
    );
    let in_organization = match &everybody {
        Ok(all) => match all.in_organization {
            Some(told) => Fact::seen_in(told, all.sources.clone()),
            None => Fact::Unknown(reading::not_told(
                KEY,
                "the answer does not say whether an organisation stands above the repository",
            )),
        },
        Err(unknown) => Fact::Unknown(unknown.clone()),
    };
    let teams = match teams {
        Some(list) => team_access(&asker.session.owner, list),
        None if organization => Fact::Unknown(reading::not_asked(KEY, "the teams of a repository")),
        // A person has no teams.
        None => in_organization.map_ref(|_| Vec::new()),
    };
    Fact::known_without_source(Collaborators {
        people: people(everybody, outside, &asker.session.owner),
        teams,
        in_organization,
    })
}

async fn everybody(asker: &Asker<'_>, affiliation: Affiliation) -> Result<Everybody, Unknown> {
    let session = asker.session;
    let mut found = Everybody {
        in_organization: None,
        edges: Vec::new(),
        sources: Vec::new(),
    };
    let mut after: Option<String> = None;
    if asker.shared.document.has(affiliation.part()) {
        let first = asker.shared.document.answer(affiliation.part()).await?;
        match page(first, affiliation, &mut found)? {
            Some(cursor) => after = Some(cursor),
            None => return Ok(found),
        }
    }
    let query = query(affiliation);
    for _ in 0..MOST_PAGES {
        let variables = json!({"owner": session.owner, "name": session.name, "after": after});
        let answer = asker
            .client()
            .graphql("CcgateCollaborators", &query, variables)
            .await
            .map_err(|refusal| access::refused(KEY.name(), permissions::needs(KEY), &refusal))?;
        match page(&answer, affiliation, &mut found)? {
            Some(cursor) if after.as_ref() != Some(&cursor) => after = Some(cursor),
            Some(_) => {
                return Err(incomplete(&answer, "points back to a page already read"));
            }
            None => return Ok(found),
        }
    }
    Err(reading::not_told(
        KEY,
        "the list of collaborators has no end; it was not read to it",
    ))
}

fn incomplete(answer: &GraphqlAnswer, what: &str) -> Unknown {
    access::malformed(
        KEY.name(),
        &answer.endpoint,
        answer.status,
        &format!("the list of collaborators {what}"),
    )
}

/// Takes one page in; the cursor of the next one if there is more.
fn page(
    answer: &GraphqlAnswer,
    affiliation: Affiliation,
    found: &mut Everybody,
) -> Result<Option<String>, Unknown> {
    let needs = permissions::needs(KEY);
    let path = ["repository", affiliation.alias()];
    if let Some(unknown) = graph::errors_below(answer, &path, KEY.name(), needs) {
        return Err(unknown);
    }
    let value = match graph::place(answer, &path, KEY.name(), needs) {
        Place::There(value) => value,
        Place::Empty => {
            let what = "list of collaborators";
            return Err(graph::empty(answer, KEY.name(), needs, what));
        }
        Place::Refused(unknown) => return Err(unknown),
    };
    let connection: Connection = graph::read(&value, answer, KEY.name())?;
    found.in_organization = answer
        .data
        .as_ref()
        .and_then(|data| data.pointer("/repository/isInOrganization"))
        .and_then(Value::as_bool);
    found.sources.push(answer.source.clone());
    let edges = connection
        .edges
        .ok_or_else(|| incomplete(answer, "carries nobody"))?;
    found.edges.extend(edges);
    let page = connection.page_info.unwrap_or_default();
    match (page.has_next_page, page.end_cursor) {
        (Some(true), Some(cursor)) => Ok(Some(cursor)),
        (Some(false), _) => {
            let seen = u64::try_from(found.edges.len()).unwrap_or(u64::MAX);
            if connection.total_count == Some(seen) {
                Ok(None)
            } else {
                Err(incomplete(answer, "is shorter than its own count"))
            }
        }
        _ => Err(incomplete(answer, "does not say whether there is more")),
    }
}

/// `outside` is `None` where there is no organisation to be outside of.
fn people(
    everybody: Result<Everybody, Unknown>,
    outside: Option<Result<Everybody, Unknown>>,
    owner: &str,
) -> Fact<Vec<Collaborator>> {
    let everybody = match everybody {
        Ok(everybody) => everybody,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let in_organization = outside.is_some() && everybody.in_organization != Some(false);
    let mut sources = everybody.sources;
    let strangers: Vec<String> = match outside {
        Some(Ok(outside)) => {
            sources.extend(outside.sources);
            outside
                .edges
                .into_iter()
                .filter_map(|edge| edge.node?.login)
                .collect()
        }
        Some(Err(unknown)) if in_organization => return Fact::Unknown(unknown),
        Some(Err(_)) | None => Vec::new(),
    };
    let mut all: Vec<Collaborator> = Vec::new();
    for edge in &everybody.edges {
        match collaborator(edge, in_organization, &strangers, owner) {
            Some(person) => all.push(person),
            None => {
                return Fact::Unknown(reading::not_told(
                    KEY,
                    "the answer leaves out who a collaborator is, what they may do, or where their rights come from",
                ));
            }
        }
    }
    all.sort_by(|one, other| one.account.login.cmp(&other.account.login));
    Fact::seen_in(all, sources)
}

fn collaborator(
    edge: &Edge,
    in_organization: bool,
    strangers: &[String],
    owner: &str,
) -> Option<Collaborator> {
    let account = edge.node.as_ref()?.account()?;
    let strongest = role(edge.permission.as_deref()?);
    let (direct, role) = if in_organization {
        let sources = edge.permission_sources.as_ref()?;
        let mut direct: Option<AccessRole> = None;
        let mut role = strongest;
        for source in sources {
            let given = given(source)?;
            if source.source.as_ref()?.kind.as_deref() == Some("Repository") {
                direct = direct.max(Some(given.clone()));
            }
            // A role of the organisation's own making may hold more than the
            // right that it was made from.
            role = role.max(given);
        }
        (direct, role)
    } else if account.is(owner) {
        (None, strongest)
    } else {
        (Some(strongest.clone()), strongest)
    };
    let outside = strangers.iter().any(|login| account.is(login));
    Some(Collaborator {
        account,
        role,
        outside,
        direct,
    })
}

fn given(source: &PermissionSource) -> Option<AccessRole> {
    let word = source
        .role_name
        .as_deref()
        .filter(|name| !name.is_empty())
        .or(source.permission.as_deref())?;
    Some(role(word))
}

fn team_access(owner: &str, list: &Result<Listing, NoAnswer>) -> Fact<Vec<TeamAccess>> {
    reading::list_of(
        KEY,
        list,
        |team: &Team| {
            Some(TeamAccess {
                name: format!("@{owner}/{}", team.slug.as_deref()?),
                role: role(team.permission.as_deref()?),
            })
        },
        "a team does not say its name or what it may do",
    )
}

#[cfg(test)]
#[path = "collaborators_tests.rs"]
mod tests;
