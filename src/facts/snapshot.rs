//! All facts of one moment about one subject: what `--save-snapshot` writes and
//! what an auditor judges again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::TeamMembers;
use super::arrivals::{Arrivals, ArrivedChange};
use super::branch::BranchRules;
use super::bypasses::RuleBypasses;
use super::change::{
    Association, CheckResult, Comment, Commit, Identity, OverridePeople, Push, Review,
};
use super::change_analyses::ChangeAnalyses;
use super::changed_file::ChangedFile;
use super::discussion::Discussion;
use super::fact::{Fact, Unknown};
use super::key::{FactKey, Needs};
use super::originals::Original;
use super::override_register::OverrideRegister;
use super::policy_document::PolicyDocument;
use super::published_keys::{PUBLISHED_KEYS, PublishedKeys};
use super::queue::QueueResult;
use super::rules_before::RulesBefore;
use super::run_approvals::{RUN_APPROVALS, RunApprovals};
use super::scan::ScanResults;
use super::settings::Settings;
use super::settings_snapshot::SettingsOrigin;
use super::signature::CommitSignature;
use super::ticket::Tickets;

/// Version string of the snapshot format.
pub const SNAPSHOT_SCHEMA: &str = "ccgate.snapshot/v1";

/// Name of the policy that a change proposes, where it cannot be read.
pub const PROPOSED_POLICY: &str = "policy.proposed";

/// The platform a subject lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// GitHub (cloud or Enterprise Server).
    Github,
    /// GitLab (cloud or self-managed).
    Gitlab,
}

impl Platform {
    /// The word used in flags and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
        }
    }
}

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The platform.
    pub platform: Platform,
    /// Full path, e.g. `acme/payments` or `group/sub/project`.
    pub repository: String,
    /// Number of the change; `None` when a commit on a branch is judged and no change is known.
    pub change: Option<u64>,
    /// The commit judged (full id).
    pub head: String,
    /// The branch that the change goes to or the commit stands on.
    pub target: String,
}

/// The repository itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryFacts {
    /// Name of its default branch.
    pub default_branch: Fact<String>,
}

/// The policy at the two places that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFacts {
    /// At the tip of the target branch, or given by hand. Known `None`: there is no such file.
    pub target: Fact<Option<PolicyDocument>>,
    /// At the tip of the default branch: the floor. The same document when the
    /// target is the default branch; known `None` when the policy was given by hand.
    pub floor: Fact<Option<PolicyDocument>>,
}

/// One request as it was made. Nothing secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// HTTP method.
    pub method: String,
    /// Path and query, percent-encoded, without host; GraphQL: with the operation's name behind `#`.
    pub path: String,
    /// Last status; `None` if no answer came.
    pub status: Option<u16>,
    /// `sha256:<64 hex>` of the body; empty without an answer.
    pub digest: String,
    /// `x-accepted-github-permissions` if it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_permissions: Option<String>,
    /// How often it was asked (retries included).
    pub attempts: u32,
    /// Which round of requests it belongs to, from 1.
    pub wave: u32,
}

/// What the collection cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Requests sent, retries included.
    pub count: u32,
    /// GraphQL points as the platform reports them; 0 if it does not.
    pub graphql_points: u32,
    /// Rounds of requests that waited for each other.
    pub waves: u32,
    /// How often everything was read again, because the change moved while it was read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub read_again: u32,
    /// Each request.
    pub log: Vec<Recorded>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// All facts of one moment about one subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version string, [`SNAPSHOT_SCHEMA`].
    pub schema: String,
    /// Name and version of the program that collected it.
    pub collected_by: String,
    /// The moment, by the collecting machine's clock; every age is reckoned from it.
    pub observed_at: Timestamp,
    /// The platform's own clock at that moment (`Date` of its first answer).
    pub platform_time: Fact<Timestamp>,
    /// What is judged.
    pub subject: Subject,
    /// The repository.
    pub repository: RepositoryFacts,
    /// The policy.
    pub policy: PolicyFacts,
    /// Group `branch.rules` (and `branch.bypass` inside its layers).
    pub branch_rules: Fact<BranchRules>,
    /// Group `branch.arrivals`. Known `None`: no move of a branch is judged.
    #[serde(default = "not_collected::arrivals")]
    pub arrivals: Fact<Option<Arrivals>>,
    /// Group `branch.arrived_changes`: each change once that a commit of the arrivals
    /// came through. Known `None`: no move of a branch is judged.
    #[serde(default = "not_collected::arrived_changes")]
    pub arrived_changes: Fact<Option<Vec<ArrivedChange>>>,
    /// Group `branch.bypasses`. Known `None`: the platform has none of what would be on such a list, or no
    /// move of a branch is judged.
    #[serde(default = "not_collected::bypasses")]
    pub bypasses: Fact<Option<RuleBypasses>>,
    /// Group `branch.rules_before`.
    #[serde(default = "not_collected::rules_before")]
    pub rules_before: Fact<RulesBefore>,
    /// Group `ledger.overrides`.
    #[serde(default = "not_collected::override_register")]
    pub override_register: Fact<OverrideRegister>,
    /// Group `change.identity`.
    pub identity: Fact<Identity>,
    /// Group `change.association`.
    pub association: Fact<Association>,
    /// Group `change.commits`, oldest first, all of them.
    pub commits: Fact<Vec<Commit>>,
    /// Group `change.reviews`, oldest first, all of them.
    pub reviews: Fact<Vec<Review>>,
    /// Group `change.pushes`, oldest first.
    pub pushes: Fact<Vec<Push>>,
    /// Group `change.checks`: the newest result of each name, kind and app.
    pub checks: Fact<Vec<CheckResult>>,
    /// Group `change.comments`, oldest first.
    pub comments: Fact<Vec<Comment>>,
    /// Group `change.files`, all of them.
    #[serde(default = "not_collected::files")]
    pub files: Fact<Vec<ChangedFile>>,
    /// Group `change.threads`.
    #[serde(default = "not_collected::discussion")]
    pub discussion: Fact<Discussion>,
    /// Group `change.signatures`, one for each commit.
    #[serde(default = "not_collected::signatures")]
    pub signatures: Fact<Vec<CommitSignature>>,
    /// Group `change.tickets`.
    #[serde(default = "not_collected::tickets")]
    pub tickets: Fact<Tickets>,
    /// Group `change.queue`. Known `None`: no result of a merge queue or train is judged.
    #[serde(default = "not_collected::queue")]
    pub queue: Fact<Option<QueueResult>>,
    /// Group `team.members`: the teams that the policy names in its controls.
    #[serde(default = "not_collected::teams")]
    pub teams: Fact<Vec<TeamMembers>>,
    /// Group `change.originals`: one entry for each of [`Snapshot::original_references`].
    #[serde(default = "not_collected::originals")]
    pub originals: Fact<Vec<Original>>,
    /// What overrides need to know about people.
    pub override_people: Fact<OverridePeople>,
    /// SSH keys that the platform publishes for those who signed override commands. No control sees
    /// them.
    #[serde(default = "not_collected::published_keys")]
    pub published_keys: Fact<Vec<PublishedKeys>>,
    /// Who let the run that judges pass into an environment. No control sees it.
    #[serde(default = "not_collected::run_approvals")]
    pub run_approvals: Fact<RunApprovals>,
    /// The policy file at the change's head, where the change touches it. Known
    /// `None`: the change removes it. No control sees it: nothing is judged by it.
    #[serde(default = "not_collected::proposed_policy")]
    pub proposed_policy: Fact<Option<PolicyDocument>>,
    /// Group `scan.results`.
    pub scans: Fact<ScanResults>,
    /// Group `scan.change_analyses`.
    #[serde(default = "not_collected::change_analyses")]
    pub change_analyses: Fact<ChangeAnalyses>,
    /// The groups of settings.
    pub settings: Settings,
    /// The settings snapshot that they were taken from; `None`: they were asked for just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_origin: Option<SettingsOrigin>,
    /// What it cost.
    pub requests: Requests,
}

/// What a snapshot of an older version does not hold: it was not collected.
mod not_collected {
    use super::{
        Arrivals, ArrivedChange, ChangeAnalyses, ChangedFile, CommitSignature, Discussion, Fact,
        FactKey, Original, OverrideRegister, PolicyDocument, PublishedKeys, QueueResult,
        RuleBypasses, RulesBefore, RunApprovals, TeamMembers, Tickets, Unknown,
    };

    fn of<T>(key: FactKey) -> Fact<T> {
        Fact::Unknown(Unknown::not_collected(key.name()))
    }

    pub(super) fn files() -> Fact<Vec<ChangedFile>> {
        of(FactKey::ChangeFiles)
    }

    pub(super) fn discussion() -> Fact<Discussion> {
        of(FactKey::ChangeThreads)
    }

    pub(super) fn signatures() -> Fact<Vec<CommitSignature>> {
        of(FactKey::ChangeSignatures)
    }

    pub(super) fn tickets() -> Fact<Tickets> {
        of(FactKey::ChangeTickets)
    }

    pub(super) fn queue() -> Fact<Option<QueueResult>> {
        of(FactKey::ChangeQueue)
    }

    pub(super) fn teams() -> Fact<Vec<TeamMembers>> {
        of(FactKey::TeamMembers)
    }

    pub(super) fn proposed_policy() -> Fact<Option<PolicyDocument>> {
        Fact::Unknown(Unknown::not_collected(super::PROPOSED_POLICY))
    }

    pub(super) fn published_keys() -> Fact<Vec<PublishedKeys>> {
        Fact::Unknown(Unknown::not_collected(super::PUBLISHED_KEYS))
    }

    pub(super) fn run_approvals() -> Fact<RunApprovals> {
        Fact::Unknown(Unknown::not_collected(super::RUN_APPROVALS))
    }

    pub(super) fn change_analyses() -> Fact<ChangeAnalyses> {
        of(FactKey::ScanChangeAnalyses)
    }

    pub(super) fn arrivals() -> Fact<Option<Arrivals>> {
        of(FactKey::BranchArrivals)
    }

    pub(super) fn arrived_changes() -> Fact<Option<Vec<ArrivedChange>>> {
        of(FactKey::BranchArrivedChanges)
    }

    pub(super) fn rules_before() -> Fact<RulesBefore> {
        of(FactKey::BranchRulesBefore)
    }

    pub(super) fn override_register() -> Fact<OverrideRegister> {
        of(FactKey::LedgerOverrides)
    }

    pub(super) fn originals() -> Fact<Vec<Original>> {
        of(FactKey::ChangeOriginals)
    }

    pub(super) fn bypasses() -> Fact<Option<RuleBypasses>> {
        of(FactKey::BranchBypasses)
    }
}

impl Snapshot {
    /// The moment that decides whether something is over. Two clocks are known,
    /// the machine's and the platform's; the later one counts, so that a slow
    /// clock prolongs nothing.
    pub fn latest_time(&self) -> Timestamp {
        match &self.platform_time {
            Fact::Known { value, .. } => self.observed_at.max(*value),
            Fact::Unknown(_) => self.observed_at,
        }
    }

    /// The moment that decides whether something has begun: the earlier of the two, so that
    /// a fast clock of the machine begins nothing.
    pub fn earliest_time(&self) -> Timestamp {
        match &self.platform_time {
            Fact::Known { value, .. } => self.observed_at.min(*value),
            Fact::Unknown(_) => self.observed_at,
        }
    }

    /// A snapshot in which nothing has been seen yet.
    pub fn all_unknown(subject: Subject, observed_at: Timestamp, collected_by: String) -> Self {
        fn hidden<T>(name: &str) -> Fact<T> {
            Fact::Unknown(Unknown::not_collected(name))
        }
        Self {
            schema: SNAPSHOT_SCHEMA.to_owned(),
            collected_by,
            observed_at,
            platform_time: hidden("platform.time"),
            subject,
            repository: RepositoryFacts {
                default_branch: hidden("repository.default_branch"),
            },
            policy: PolicyFacts {
                target: hidden("policy.target"),
                floor: hidden("policy.floor"),
            },
            branch_rules: hidden(FactKey::BranchRules.name()),
            arrivals: not_collected::arrivals(),
            arrived_changes: not_collected::arrived_changes(),
            bypasses: not_collected::bypasses(),
            rules_before: not_collected::rules_before(),
            override_register: not_collected::override_register(),
            identity: hidden(FactKey::ChangeIdentity.name()),
            association: hidden(FactKey::ChangeAssociation.name()),
            commits: hidden(FactKey::ChangeCommits.name()),
            reviews: hidden(FactKey::ChangeReviews.name()),
            pushes: hidden(FactKey::ChangePushes.name()),
            checks: hidden(FactKey::ChangeChecks.name()),
            comments: hidden(FactKey::ChangeComments.name()),
            files: not_collected::files(),
            discussion: not_collected::discussion(),
            signatures: not_collected::signatures(),
            tickets: not_collected::tickets(),
            queue: not_collected::queue(),
            teams: not_collected::teams(),
            originals: not_collected::originals(),
            override_people: hidden("override.people"),
            published_keys: not_collected::published_keys(),
            run_approvals: not_collected::run_approvals(),
            proposed_policy: not_collected::proposed_policy(),
            scans: hidden(FactKey::ScanResults.name()),
            change_analyses: not_collected::change_analyses(),
            settings: Settings::all_unknown(),
            settings_origin: None,
            requests: Requests::default(),
        }
    }

    /// The same snapshot with every group hidden that is not in `needs`: what a
    /// control is shown. So a control can only see what it declared.
    #[must_use]
    pub fn restricted_to(&self, needs: &Needs) -> Self {
        let mut seen = Self::all_unknown(
            self.subject.clone(),
            self.observed_at,
            self.collected_by.clone(),
        );
        seen.platform_time = self.platform_time.clone();
        seen.repository = self.repository.clone();
        seen.policy = self.policy.clone();
        for key in needs.iter() {
            match key {
                FactKey::BranchRules | FactKey::BranchBypass => {
                    seen.branch_rules = self.branch_rules.clone();
                }
                FactKey::BranchArrivals => seen.arrivals = self.arrivals.clone(),
                FactKey::BranchArrivedChanges => {
                    seen.arrived_changes = self.arrived_changes.clone();
                }
                FactKey::BranchBypasses => seen.bypasses = self.bypasses.clone(),
                FactKey::BranchRulesBefore => seen.rules_before = self.rules_before.clone(),
                FactKey::LedgerOverrides => {
                    seen.override_register = self.override_register.clone();
                }
                FactKey::ChangeIdentity => seen.identity = self.identity.clone(),
                FactKey::ChangeAssociation => seen.association = self.association.clone(),
                FactKey::ChangeCommits => seen.commits = self.commits.clone(),
                FactKey::ChangeReviews => seen.reviews = self.reviews.clone(),
                FactKey::ChangePushes => seen.pushes = self.pushes.clone(),
                FactKey::ChangeChecks => seen.checks = self.checks.clone(),
                FactKey::ChangeComments => seen.comments = self.comments.clone(),
                FactKey::ChangeFiles => seen.files = self.files.clone(),
                FactKey::ChangeThreads => seen.discussion = self.discussion.clone(),
                FactKey::ChangeSignatures => seen.signatures = self.signatures.clone(),
                FactKey::ChangeOriginals => seen.originals = self.originals.clone(),
                FactKey::ChangeTickets => seen.tickets = self.tickets.clone(),
                FactKey::ChangeQueue => seen.queue = self.queue.clone(),
                FactKey::TeamMembers => seen.teams = self.teams.clone(),
                FactKey::ScanResults => seen.scans = self.scans.clone(),
                FactKey::ScanChangeAnalyses => {
                    seen.change_analyses = self.change_analyses.clone();
                }
                FactKey::OrganizationSettings
                | FactKey::OrganizationIdentity
                | FactKey::OrganizationTwoFactor
                | FactKey::OrganizationOwners
                | FactKey::OrganizationMembers
                | FactKey::OrganizationOutside
                | FactKey::OrganizationActivity
                | FactKey::OrganizationReview
                | FactKey::OrganizationApps
                | FactKey::OrganizationTokens
                | FactKey::OrganizationWebhooks
                | FactKey::OrganizationDefaults
                | FactKey::RepositorySettings
                | FactKey::AccessCollaborators
                | FactKey::AccessDeployKeys
                | FactKey::AccessTokens
                | FactKey::AccessWebhooks
                | FactKey::BranchInventory
                | FactKey::RepositoryTags
                | FactKey::RepositoryReleases
                | FactKey::RepositoryCodeOwners
                | FactKey::RepositoryPaths
                | FactKey::BranchCheckHistory
                | FactKey::PipelineSettings
                | FactKey::PipelineRunners
                | FactKey::PipelineDefinition
                | FactKey::PipelineSecrets
                | FactKey::DeploymentEnvironments
                | FactKey::ScanAlerts
                | FactKey::ScanPushProtection
                | FactKey::ScanSetup => {}
            }
        }
        seen.settings = self.settings.restricted_to(needs);
        if !needs.has(FactKey::BranchBypass)
            && let Fact::Known { value, .. } = &mut seen.branch_rules
        {
            for layer in &mut value.layers {
                layer.bypass = Fact::Unknown(Unknown::not_collected(FactKey::BranchBypass.name()));
            }
        }
        seen
    }
}
