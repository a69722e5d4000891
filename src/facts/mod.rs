//! What was observed, in words that belong to no platform.
//!
//! This room knows values and what could not be seen. It does not know GitHub
//! or GitLab, it does not judge, and it does no input or output. Everything a
//! control may look at hangs under [`Snapshot`].

mod actor;
mod arrivals;
mod branch;
mod bypasses;
mod change;
mod change_analyses;
mod changed_file;
mod code_owners;
mod discussion;
mod drift;
mod fact;
mod finding;
mod fingerprint;
mod in_words;
mod key;
mod known_findings;
mod originals;
mod override_register;
mod policy_document;
mod published_keys;
mod queue;
mod requirement;
mod rules_before;
mod run_approvals;
mod scan;
mod scan_format;
mod settings;
mod settings_snapshot;
mod shared_text;
mod signature;
mod snapshot;
mod ticket;
mod ticket_names;
mod veil;

pub use actor::{Account, AccountKind, AccountRef, Identified, Likeness, Person, TeamMembers};
pub use arrivals::{
    Ancestry, Arrival, ArrivalMethod, Arrivals, ArrivedChange, Move, MoveKind, PreviousTip, ToldBy,
    Way,
};
pub(crate) use branch::branch_requirements;
pub use branch::{
    BranchRules, BypassActor, BypassKind, BypassMode, DirectPush, InactiveRules, Layer, LayerKind,
    LayerOrigin, MergeMethod, PathReviewers, RequiredCheck, RequiredWorkflow,
};
pub use bypasses::{OfTheMove, RuleBypass, RuleBypasses};
pub use change::{
    Association, ChangeState, CheckConclusion, CheckKind, CheckResult, CheckStatus, Comment,
    Commit, Identity, OverridePeople, Push, PushKind, Review, ReviewState,
};
pub use change_analyses::{ChangeAnalyses, ChangeAnalysis, DismissedAlert, Looked};
pub use changed_file::{ChangedFile, FileChange};
pub use code_owners::{OwnersRules, Ownership};
pub use discussion::{ApprovalNote, Discussion, Thread};
pub use drift::{Change, Direction, drift};
pub use fact::{Fact, Source, Unknown, Why, all_of, any_of};
pub use finding::{Finding, FindingCount, FindingState, Severity, SeverityOrigin};
pub use fingerprint::Fingerprint;
pub use in_words::InWords;
pub use key::{FactKey, Needs};
pub use known_findings::{BaselineFile, ExploitedFile, KnownFinding};
pub use originals::{Original, OriginalReference};
pub use override_register::{LandedChange, OverrideRegister, RegisteredOverride};
pub use policy_document::PolicyDocument;
pub use published_keys::{PUBLISHED_KEYS, PublishedKey, PublishedKeys};
pub use queue::{QueueCommit, QueueEntry, QueueKind, QueueResult};
pub use requirement::{Combine, Demand, Requirement};
pub use rules_before::RulesBefore;
pub use run_approvals::{EnvironmentApproval, EnvironmentState, RUN_APPROVALS, RunApprovals};
pub use scan::{Measured, ScanFailure, ScanKind, ScanReport, ScanResults, ScanRun};
pub use scan_format::ScanFormat;
pub use settings::{
    AccessReview, AccessRole, AccessToken, Alert, Alerts, AllowedSources, AppInstallation,
    CodeOwners, Collaborator, Collaborators, Definition, DefinitionFile, DeployKey, DeployableRefs,
    Environment, Environments, ForeignPart, ForkRuns, ImposedScan, InScopeBranch, MemberActivity,
    MergedHead, NewRepositoryDefaults, Organization, OrganizationIdentity, OrganizationTokens,
    OrganizationWebhooks, OwnerStatus, OwnersDialect, OwnersFile, PartKind, PipelineDefinition,
    PipelineJob, PipelineSettings, PushBypass, PushProtection, Releases, ReportedCheck,
    RepositorySettings, RunInput, Runner, ScanSetup, Secret, SecretScope, Server, Settings,
    SingleSignOn, TagProtection, TeamAccess, TokenRights, Visibility, Watch, Webhook, Who,
    WithoutTwoFactor,
};
pub use settings_snapshot::{SETTINGS_SCHEMA, SettingsOrigin, SettingsSnapshot};
pub use shared_text::SharedText;
pub use signature::{CommitSignature, SignatureState};
pub use snapshot::{
    PROPOSED_POLICY, Platform, PolicyFacts, Recorded, RepositoryFacts, Requests, SNAPSHOT_SCHEMA,
    Snapshot, Subject,
};
pub use ticket::{FoundTicket, NamedTicket, Requester, Ticket, Tickets, Tracker};
pub(crate) use ticket_names::visible;
pub use ticket_names::{TicketNaming, TicketPattern};
pub use veil::Veil;
