//! The one GraphQL question about settings: the parts of it that somebody wants,
//! asked together, by whoever comes first. A server that refuses the whole is
//! asked for each part alone, so that one unknown field costs one part. Reads no
//! answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::facts::{FactKey, Needs, Unknown};
use crate::platform::transport::{GraphqlAnswer, NoAnswer};
use crate::platform::{Thrift, access, join};

use super::super::form::{Asked, Form};
use super::super::{Session, graph, permissions};
use super::{collaborators, definition, inventory, repository, review};

/// Name of the operation.
pub(super) const OPERATION: &str = "CcgateSettings";

/// One part of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Rulesets with their kinds of rules and the branches they mean.
    Rulesets,
    /// The file of code owners, and what the platform finds wrong with it.
    CodeOwners,
    /// The changes merged last, and what reported on their heads.
    History,
    /// The workflows at the tip of the target branch.
    Workflows,
    /// The repository's own settings.
    Repository,
    /// The newest review of access.
    AccessReview,
    /// Whether dependencies are looked at.
    Alerts,
    /// The first page of everybody who can reach the repository.
    Collaborators,
    /// The first page of those of them who are outside of the organisation.
    Outsiders,
}

impl Part {
    /// The group that the part tells of.
    fn key(self) -> FactKey {
        match self {
            Self::Rulesets => FactKey::BranchInventory,
            Self::CodeOwners => FactKey::RepositoryCodeOwners,
            Self::History => FactKey::BranchCheckHistory,
            Self::Workflows => FactKey::PipelineDefinition,
            Self::Repository => FactKey::RepositorySettings,
            Self::AccessReview => FactKey::OrganizationReview,
            Self::Alerts => FactKey::ScanAlerts,
            Self::Collaborators | Self::Outsiders => FactKey::AccessCollaborators,
        }
    }

    /// Whether the part is about one branch.
    fn of_target(self) -> bool {
        matches!(self, Self::CodeOwners | Self::History | Self::Workflows)
    }

    fn text(self) -> String {
        match self {
            Self::Rulesets => RULESETS.to_owned(),
            Self::CodeOwners => OWNERS.to_owned(),
            Self::History => HISTORY.to_owned(),
            Self::Workflows => definition::FIELDS.to_owned(),
            Self::Repository => repository::FIELDS.to_owned(),
            Self::AccessReview => review::fields(),
            Self::Alerts => "    hasVulnerabilityAlertsEnabled\n".to_owned(),
            Self::Collaborators => collaborators::fields(collaborators::Affiliation::All),
            Self::Outsiders => collaborators::fields(collaborators::Affiliation::Outside),
        }
    }
}

/// The parts that somebody needs, of those that can be asked.
pub(super) fn wanted(session: &Session, target: &str, needs: &Needs) -> BTreeSet<Part> {
    let organization = session.about.in_organization != Some(false);
    [
        Part::Rulesets,
        Part::CodeOwners,
        Part::History,
        Part::Workflows,
        Part::Repository,
        Part::AccessReview,
        Part::Alerts,
        Part::Collaborators,
        Part::Outsiders,
    ]
    .into_iter()
    .filter(|part| needs.has(part.key()) && (!part.of_target() || !target.is_empty()))
    .filter(|part| match part {
        Part::Rulesets => !inventory::is_target_alone(target, needs),
        // With two tokens the one that sees more is asked for people, by itself.
        Part::Collaborators => session.settings.is_none(),
        Part::Outsiders => session.settings.is_none() && organization,
        // The list of alerts tells it too; asked with the rest it saves that list.
        Part::Alerts => session.setup.thrift == Thrift::Requests,
        _ => true,
    })
    .collect()
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

/// The question. Variables: `branch` and `ref` (`refs/heads/…`) with code owners;
/// `branch` with history; `ref` and `tree` (`refs/heads/…:folder`) with workflows.
fn form(parts: &BTreeSet<Part>) -> Form {
    let any = |these: &[Part]| these.iter().any(|part| parts.contains(part));
    let mut variables = Vec::new();
    if any(&[Part::CodeOwners, Part::History]) {
        variables.push(("branch", "String!"));
    }
    if any(&[Part::CodeOwners, Part::Workflows]) {
        variables.push(("ref", "String!"));
    }
    if any(&[Part::Workflows]) {
        variables.push(("tree", "String!"));
    }
    let mut fragments = Vec::new();
    if any(&[Part::CodeOwners]) {
        fragments.push(TEXT);
    }
    if any(&[Part::Collaborators, Part::Outsiders]) {
        fragments.push(collaborators::PAGE);
    }
    Form {
        operation: OPERATION,
        variables,
        beside: "",
        fields: parts.iter().map(|part| part.text()).collect(),
        fragments,
    }
}

/// The whole question about one repository, for a run that asks it about several at
/// once; `None` if nothing is asked.
pub(in super::super) fn asked(session: &Session, target: &str, needs: &Needs) -> Option<Asked> {
    let parts = wanted(session, target, needs);
    (!parts.is_empty()).then(|| Asked {
        form: form(&parts),
        values: variables(session, target, &parts),
    })
}

fn variables(session: &Session, target: &str, parts: &BTreeSet<Part>) -> Value {
    let mut variables = json!({"owner": session.owner, "name": session.name});
    if parts.contains(&Part::CodeOwners) || parts.contains(&Part::History) {
        variables["branch"] = json!(target);
    }
    if parts.contains(&Part::CodeOwners) || parts.contains(&Part::Workflows) {
        variables["ref"] = json!(format!("refs/heads/{target}"));
    }
    if parts.contains(&Part::Workflows) {
        variables["tree"] = json!(format!("refs/heads/{target}:{}", definition::FOLDER));
    }
    variables
}

type Got = Result<GraphqlAnswer, NoAnswer>;

enum Answers {
    Whole(Box<Got>),
    Apart(BTreeMap<Part, Got>),
}

/// The question and, once somebody asked, its answer.
pub(super) struct Document<'a> {
    session: &'a Session,
    target: String,
    parts: BTreeSet<Part>,
    answers: OnceCell<Answers>,
}

impl<'a> Document<'a> {
    pub(super) fn new(session: &'a Session, target: &str, needs: &Needs) -> Self {
        Self {
            session,
            target: target.to_owned(),
            parts: wanted(session, target, needs),
            answers: OnceCell::new(),
        }
    }

    /// Whether the part stands in the question.
    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The answer that holds the part, or why there is none.
    pub(super) async fn answer(&self, part: Part) -> Result<&GraphqlAnswer, Unknown> {
        let key = part.key();
        if !self.has(part) {
            return Err(Unknown::not_collected(key.name()));
        }
        let answers = self.answers.get_or_init(|| Box::pin(self.ask())).await;
        let got = match answers {
            Answers::Whole(got) => Some(got.as_ref()),
            Answers::Apart(each) => each.get(&part),
        };
        match got {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(refusal)) => Err(access::refused(
                key.name(),
                permissions::needs(key),
                refusal,
            )),
            None => Err(Unknown::not_collected(key.name())),
        }
    }

    async fn ask(&self) -> Answers {
        let whole = self.ask_for(&self.parts, 0).await;
        if self.parts.len() < 2 || !touches_all(&whole) {
            return Answers::Whole(Box::new(whole));
        }
        let each =
            join::all(self.parts.iter().map(|part| async move {
                (*part, self.ask_for(&BTreeSet::from([*part]), 1).await)
            }))
            .await;
        Answers::Apart(each.into_iter().collect())
    }

    async fn ask_for(&self, parts: &BTreeSet<Part>, depth: u32) -> Got {
        let variables = variables(self.session, &self.target, parts);
        let query = form(parts).text();
        let client = &self.session.change;
        client.graphql_at(OPERATION, &query, variables, depth).await
    }
}

/// Whether something is wrong that is no single part's: a field that the server
/// does not know, a limit that it ran into.
fn touches_all(got: &Got) -> bool {
    match got {
        Ok(answer) => {
            let without_place = answer.errors.iter().any(|error| error.path.is_empty());
            without_place || graph::is_refused_whole(answer)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
