//! The names that an expression may use: for each the group of facts that it is
//! fetched with, its kind, and how it is read off a snapshot. A new name is one line.
//!
//! What is exposed here is a contract: names are added, none changes its meaning.

use std::collections::BTreeMap;

use crate::facts::{
    Association, BranchRules, Combine, Fact, FactKey, Requirement, Snapshot, Unknown, Why,
};

use crate::controls::change::approvals::counting;

use super::given::Given;
use super::records::{
    ACCOUNT, CHECK, COLLABORATOR, COMMENT, COMMIT, ENVIRONMENT, FILE, LAYER, NOTE, PUSH, REPORT,
    REVIEW, account, change_state, check, collaborator, comment, commit, environment, file, layer,
    note, push, report, review,
};
use super::shape::Shape;
use super::value::Value;

/// One name.
pub struct Name {
    /// The name, e.g. `change.title`.
    pub path: &'static str,
    /// The groups of facts that it is read from; empty: what every check knows.
    pub keys: &'static [FactKey],
    /// What kind of value.
    pub shape: Shape,
    /// What it says.
    pub about: &'static str,
    read: fn(&Snapshot) -> Fact<Value>,
}

/// Where the values come from.
pub enum Facts<'s> {
    /// A snapshot.
    Seen(&'s Snapshot),
    /// Values by name, as a test of a policy gives them; the others are unknown.
    Given(&'s BTreeMap<&'static str, Given>),
}

impl Facts<'_> {
    /// The value of a name, or why it was not seen.
    pub(super) fn look(&self, name: &Name) -> Fact<Value> {
        match self {
            Self::Seen(snapshot) => (name.read)(snapshot),
            Self::Given(values) => match values.get(name.path) {
                Some(given) => Fact::known_without_source(given.value()),
                None => Fact::Unknown(Unknown::not_collected(name.path)),
            },
        }
    }
}

const IDENTITY: &[FactKey] = &[FactKey::ChangeIdentity];
const RULES: &[FactKey] = &[FactKey::BranchRules];
const REPOSITORY: &[FactKey] = &[FactKey::RepositorySettings];
const ORGANIZATION: &[FactKey] = &[FactKey::OrganizationSettings];

/// Every name, sorted.
#[rustfmt::skip]
pub static NAMES: &[Name] = &[
    Name { path: "access.collaborators", keys: &[FactKey::AccessCollaborators], shape: Shape::List(&Shape::Record(COLLABORATOR)), about: "people who can reach the repository", read: |facts| within(&facts.settings.collaborators, |all| all.people.map_ref(|people| Value::list(people, collaborator))) },
    Name { path: "branch.approvals_required", keys: RULES, shape: Shape::Int, about: "approvals that the platform wants before a merge", read: |facts| within(&facts.branch_rules, |rules| approvals(&rules.approvals_required)) },
    Name { path: "branch.code_owner_review_required", keys: RULES, shape: Shape::Bool, about: "whether code owners of the touched paths have to approve", read: |facts| required(facts, |rules| &rules.code_owner_review_required) },
    Name { path: "branch.conversations_resolved", keys: RULES, shape: Shape::Bool, about: "whether every conversation has to be resolved", read: |facts| required(facts, |rules| &rules.conversations_resolved) },
    Name { path: "branch.deletion_blocked", keys: RULES, shape: Shape::Bool, about: "whether the branch cannot be deleted", read: |facts| required(facts, |rules| &rules.deletion_blocked) },
    Name { path: "branch.force_push_blocked", keys: RULES, shape: Shape::Bool, about: "whether force pushes are refused", read: |facts| required(facts, |rules| &rules.force_push_blocked) },
    Name { path: "branch.layers", keys: &[FactKey::BranchRules, FactKey::BranchBypass], shape: Shape::List(&Shape::Record(LAYER)), about: "what protects the branch, with who can go around it", read: |facts| facts.branch_rules.map_ref(|rules| Value::list(&rules.layers, layer)) },
    Name { path: "branch.linear_history_required", keys: RULES, shape: Shape::Bool, about: "whether merge commits are refused", read: |facts| required(facts, |rules| &rules.linear_history_required) },
    Name { path: "branch.name", keys: &[], shape: Shape::Text, about: "the branch that is judged", read: |facts| branch_name(facts) },
    Name { path: "branch.protected", keys: RULES, shape: Shape::Bool, about: "whether anything protects the branch", read: |facts| required(facts, |rules| &rules.protected) },
    Name { path: "branch.pull_request_required", keys: RULES, shape: Shape::Bool, about: "whether changes come through a pull or merge request only", read: |facts| required(facts, |rules| &rules.pull_request_required) },
    Name { path: "branch.signatures_required", keys: RULES, shape: Shape::Bool, about: "whether every commit has to be signed", read: |facts| required(facts, |rules| &rules.signatures_required) },
    Name { path: "branch.stale_approvals_dismissed", keys: RULES, shape: Shape::Bool, about: "whether approvals fall when something new is pushed", read: |facts| required(facts, |rules| &rules.stale_approvals_dismissed) },
    Name { path: "branch.up_to_date_required", keys: RULES, shape: Shape::Bool, about: "whether the change has to contain the newest state of the branch", read: |facts| required(facts, |rules| &rules.up_to_date_required) },
    Name { path: "change.approval_notes", keys: &[FactKey::ChangeThreads], shape: Shape::List(&Shape::Record(NOTE)), about: "GitLab's own notes of approvals that were not taken back, oldest first; a push that takes approvals away leaves them", read: |facts| within(&facts.discussion, |it| it.approval_notes.map_ref(|all| Value::list(all, note))) },
    Name { path: "change.approvals", keys: &[FactKey::ChangeReviews, FactKey::ChangeIdentity], shape: Shape::List(&Shape::Record(REVIEW)), about: "approvals that count for CHG-02: the latest opinion of a person who may write and is not the author", read: |facts| standing_approvals(facts) },
    Name { path: "change.author", keys: IDENTITY, shape: Shape::Maybe(&Shape::Record(ACCOUNT)), about: "who opened it; null: the account is gone", read: |facts| facts.identity.map_ref(|it| Value::maybe(it.author.as_ref(), account)) },
    Name { path: "change.body", keys: IDENTITY, shape: Shape::Text, about: "its description; empty if there is none", read: |facts| facts.identity.map_ref(|it| Value::text(&it.body)) },
    Name { path: "change.checks", keys: &[FactKey::ChangeChecks], shape: Shape::List(&Shape::Record(CHECK)), about: "results reported for the head", read: |facts| facts.checks.map_ref(|all| Value::list(all, check)) },
    Name { path: "change.comments", keys: &[FactKey::ChangeComments], shape: Shape::List(&Shape::Record(COMMENT)), about: "comments, oldest first", read: |facts| facts.comments.map_ref(|all| Value::list(all, comment)) },
    Name { path: "change.commits", keys: &[FactKey::ChangeCommits], shape: Shape::List(&Shape::Record(COMMIT)), about: "its commits, oldest first", read: |facts| facts.commits.map_ref(|all| Value::list(all, commit)) },
    Name { path: "change.direct_push", keys: &[FactKey::ChangeAssociation], shape: Shape::Bool, about: "whether a commit that stands on the branch came through no change", read: |facts| facts.association.map_ref(|how| Value::Bool(matches!(how, Association::DirectPush { .. }))) },
    Name { path: "change.draft", keys: IDENTITY, shape: Shape::Bool, about: "whether it is a draft", read: |facts| facts.identity.map_ref(|it| Value::Bool(it.draft)) },
    Name { path: "change.files", keys: &[FactKey::ChangeFiles], shape: Shape::List(&Shape::Record(FILE)), about: "the files that it touches", read: |facts| facts.files.map_ref(|all| Value::list(all, file)) },
    Name { path: "change.from_fork", keys: IDENTITY, shape: Shape::Bool, about: "whether its branch lives in another repository", read: |facts| facts.identity.map_ref(|it| Value::Bool(it.from_fork)) },
    Name { path: "change.head", keys: IDENTITY, shape: Shape::Text, about: "its newest commit", read: |facts| facts.identity.map_ref(|it| Value::text(&it.head)) },
    Name { path: "change.labels", keys: IDENTITY, shape: Shape::List(&Shape::Text), about: "its labels", read: |facts| facts.identity.map_ref(|it| Value::texts(&it.labels)) },
    Name { path: "change.linked_issues", keys: IDENTITY, shape: Shape::List(&Shape::Text), about: "issues that the platform itself links to it, e.g. `#3`", read: |facts| facts.identity.map_ref(|it| Value::texts(&it.linked_issues)) },
    Name { path: "change.merged_at", keys: IDENTITY, shape: Shape::Maybe(&Shape::Time), about: "when it was merged; null: it is not", read: |facts| facts.identity.map_ref(|it| Value::maybe(it.merged_at.as_ref(), |at| Value::Time(*at))) },
    Name { path: "change.merged_by", keys: IDENTITY, shape: Shape::Maybe(&Shape::Record(ACCOUNT)), about: "who merged it; null: nobody, or the account is gone", read: |facts| facts.identity.map_ref(|it| Value::maybe(it.merged_by.as_ref(), account)) },
    Name { path: "change.number", keys: IDENTITY, shape: Shape::Int, about: "its number", read: |facts| facts.identity.map_ref(|it| Value::count(it.number)) },
    Name { path: "change.pushes", keys: &[FactKey::ChangePushes], shape: Shape::List(&Shape::Record(PUSH)), about: "moves of its head, oldest first", read: |facts| facts.pushes.map_ref(|all| Value::list(all, push)) },
    Name { path: "change.reviews", keys: &[FactKey::ChangeReviews], shape: Shape::List(&Shape::Record(REVIEW)), about: "every review, oldest first, those that a later one replaced too; `change.approvals` are those that count", read: |facts| facts.reviews.map_ref(|all| Value::list(all, review)) },
    Name { path: "change.source", keys: IDENTITY, shape: Shape::Text, about: "the branch it comes from", read: |facts| facts.identity.map_ref(|it| Value::text(&it.source_branch)) },
    Name { path: "change.state", keys: IDENTITY, shape: Shape::Text, about: "`open`, `merged`, `closed`, or another word", read: |facts| facts.identity.map_ref(|it| Value::text(change_state(&it.state))) },
    Name { path: "change.target", keys: IDENTITY, shape: Shape::Text, about: "the branch it goes to", read: |facts| facts.identity.map_ref(|it| Value::text(&it.target_branch)) },
    Name { path: "change.title", keys: IDENTITY, shape: Shape::Text, about: "its title", read: |facts| facts.identity.map_ref(|it| Value::text(&it.title)) },
    Name { path: "check.now", keys: &[], shape: Shape::Time, about: "the moment of the check", read: |facts| Fact::known_without_source(Value::Time(facts.latest_time())) },
    Name { path: "deployment.environments", keys: &[FactKey::DeploymentEnvironments], shape: Shape::List(&Shape::Record(ENVIRONMENT)), about: "environments, and who may deploy to them", read: |facts| facts.settings.environments.map_ref(|all| Value::list(&all.list, environment)) },
    Name { path: "organization.base_permission", keys: ORGANIZATION, shape: Shape::Text, about: "what every member may do with every repository", read: |facts| within(&facts.settings.organization, |it| it.base_permission.map_ref(|role| Value::text(role.word()))) },
    Name { path: "organization.private_forking", keys: ORGANIZATION, shape: Shape::Bool, about: "whether private code may be forked out of reach", read: |facts| within(&facts.settings.organization, |it| it.private_forking.map_ref(|on| Value::Bool(*on))) },
    Name { path: "organization.two_factor_required", keys: ORGANIZATION, shape: Shape::Bool, about: "whether every member has to use two factors", read: |facts| within(&facts.settings.organization, |it| it.two_factor_required.map_ref(|on| Value::Bool(*on))) },
    Name { path: "repository.archived", keys: REPOSITORY, shape: Shape::Bool, about: "whether it is archived", read: |facts| within(&facts.settings.repository, |it| it.archived.map_ref(|on| Value::Bool(*on))) },
    Name { path: "repository.auto_merge", keys: REPOSITORY, shape: Shape::Bool, about: "whether a change may merge itself", read: |facts| within(&facts.settings.repository, |it| it.auto_merge.map_ref(|on| Value::Bool(*on))) },
    Name { path: "repository.default_branch", keys: &[], shape: Shape::Text, about: "its default branch", read: |facts| facts.repository.default_branch.map_ref(|name| Value::text(name)) },
    Name { path: "repository.merge_methods", keys: REPOSITORY, shape: Shape::List(&Shape::Text), about: "`merge`, `squash`, `rebase`, `fast-forward`", read: |facts| within(&facts.settings.repository, |it| it.merge_methods.map_ref(|all| Value::list(all, |method| Value::text(method.word())))) },
    Name { path: "repository.path", keys: &[], shape: Shape::Text, about: "its full path, e.g. `acme/payments`", read: |facts| Fact::known_without_source(Value::text(&facts.subject.repository)) },
    Name { path: "repository.paths", keys: &[FactKey::RepositoryPaths], shape: Shape::List(&Shape::Text), about: "every path on the target branch", read: |facts| facts.settings.paths.map_ref(|all| Value::texts(all)) },
    Name { path: "repository.platform", keys: &[], shape: Shape::Text, about: "`github` or `gitlab`", read: |facts| Fact::known_without_source(Value::text(facts.subject.platform.word())) },
    Name { path: "repository.visibility", keys: REPOSITORY, shape: Shape::Text, about: "`private`, `internal`, `public`, or another word", read: |facts| within(&facts.settings.repository, |it| it.visibility.map_ref(|who| Value::text(who.word()))) },
    Name { path: "scan.reports", keys: &[FactKey::ScanResults], shape: Shape::List(&Shape::Record(REPORT)), about: "scan reports that were handed in", read: |facts| facts.scans.map_ref(|all| Value::list(&all.reports, report)) },
];

/// The name of that path.
pub(super) fn find(path: &str) -> Option<&'static Name> {
    NAMES.iter().find(|name| name.path == path)
}

/// Whether names begin with that word.
pub(super) fn is_root(word: &str) -> bool {
    NAMES
        .iter()
        .any(|name| name.path.split('.').next() == Some(word))
}

/// A fact inside a group.
fn within<T>(group: &Fact<T>, inner: impl FnOnce(&T) -> Fact<Value>) -> Fact<Value> {
    match group {
        Fact::Known { value, sources } => match inner(value) {
            Fact::Known {
                value,
                sources: own,
            } if own.is_empty() => Fact::seen_in(value, sources.clone()),
            other => other,
        },
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    }
}

/// Whether the branch as a whole demands it.
fn required(
    facts: &Snapshot,
    requirement: impl FnOnce(&BranchRules) -> &Requirement<bool>,
) -> Fact<Value> {
    within(&facts.branch_rules, |rules| {
        requirement(rules).holds(|on| *on).map(Value::Bool)
    })
}

/// The number that holds for the branch; a layer that nobody could read leaves it unknown.
fn approvals(requirement: &Requirement<u32>) -> Fact<Value> {
    let mut counts = Vec::new();
    for demand in &requirement.demands {
        match demand.value.known() {
            Ok(count) => counts.push(*count),
            Err(unknown) => return Fact::Unknown(unknown),
        }
    }
    let held = match requirement.combine {
        Combine::AnyLayer => counts.iter().max(),
        Combine::EveryLayer => counts.iter().min(),
    };
    // No layer at all demands nothing.
    Fact::known_without_source(Value::count(held.copied().unwrap_or(0)))
}

fn standing_approvals(facts: &Snapshot) -> Fact<Value> {
    match counting(facts) {
        Ok(reviews) => Fact::seen_in(
            Value::list(&reviews, |one| review(one)),
            facts.reviews.sources().to_vec(),
        ),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn branch_name(facts: &Snapshot) -> Fact<Value> {
    if facts.subject.target.is_empty() {
        return Fact::Unknown(Unknown::new(
            "branch.name",
            Why::Failed,
            "the branch is not known",
        ));
    }
    Fact::known_without_source(Value::text(&facts.subject.target))
}
