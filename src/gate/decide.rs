//! What a decision is: the words and the types. How it comes about stands in
//! `settle`, which this file does not know.

use jiff::Timestamp;
use serde_json::Value;

use crate::controls::{Meta, Observation};
use crate::facts::{
    AccountRef, Fact, Requests, RuleBypass, SettingsOrigin, Snapshot, Subject, Unknown,
};
use crate::policy::{Enforcement, Mode, Note, PolicySource};

use super::approvals::{ApprovalReport, Door};
use super::integrity::{Integrity, integrity};
use super::kind::Kind;
use super::record::override_id;
use super::reviews::ReviewReport;
use super::signature::Signed;

/// The decision for one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The gate opens.
    Allow,
    /// It stays closed: a control failed.
    Block,
    /// It stays closed: something needed could not be seen.
    Undecided,
    /// It waits for somebody to act.
    Pending,
}

impl Outcome {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Undecided => "undecided",
            Self::Pending => "pending",
        }
    }
}

/// The verdict as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictWord {
    /// True.
    Pass,
    /// False.
    Fail,
    /// Not seen.
    Unknown,
    /// No meaning here.
    NotApplicable,
}

impl VerdictWord {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// What becomes of a non-pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It counts.
    Open,
    /// Somebody acting can still meet it.
    Pending,
    /// A waiver of the policy covers it.
    Waived,
    /// An override on the change covers it.
    Overridden,
    /// The plan does not sell it, and the control that the policy names instead passes.
    Compensated,
    /// Shown only: `enforce: warn`, `on_unknown: warn`, or advisory mode.
    Advisory,
}

impl Disposition {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Waived => "waived",
            Self::Overridden => "overridden",
            Self::Compensated => "compensated",
            Self::Advisory => "advisory",
        }
    }
}

/// One control in the decision.
#[derive(Clone, Debug)]
pub struct ControlDecision {
    /// What is said about the control.
    pub meta: &'static Meta,
    /// Its parameters in force.
    pub parameters: Value,
    /// What a fail does.
    pub enforcement: Enforcement,
    /// `None` for a control that is switched off.
    pub verdict: Option<VerdictWord>,
    /// `None` for pass, not applicable and off.
    pub disposition: Option<Disposition>,
    /// One sentence.
    pub summary: String,
    /// By which control it is compensated, until when and who answers for that; `None`
    /// unless the disposition is [`Disposition::Compensated`].
    pub compensation: Option<String>,
    /// A code, e.g. `unprotected`, `plan`, `not_permitted`.
    pub reason: Option<String>,
    /// What was looked at.
    pub observed: Vec<Observation>,
    /// What could not be seen.
    pub unknown: Vec<Unknown>,
    /// The next step; `None` when all is well.
    pub next: Option<String>,
}

/// Whether a waiver did anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverState {
    /// It covers a non-pass.
    Applied,
    /// It covers a control that passes, or matches nothing: a finding.
    Unmatched,
    /// Its last day is over: a finding.
    Expired,
    /// Its end is further away than a waiver may hold, so it does not count: a finding.
    NotYet,
}

impl WaiverState {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unmatched => "unmatched",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
        }
    }
}

/// One waiver in the decision.
#[derive(Clone, Debug)]
pub struct WaiverReport {
    /// The waiver.
    pub waiver: crate::policy::Waiver,
    /// Whether it did anything.
    pub state: WaiverState,
}

/// Whether an override counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideState {
    /// It covers a non-pass.
    Accepted,
    /// It is valid but the control does not need it: a finding.
    Unmatched,
    /// It is in order, and waits for somebody else's approval.
    Requested,
    /// It breaks a rule; the `why` says which.
    Refused,
    /// Its time is over.
    Expired,
    /// The head moved after it was given.
    Void,
}

impl OverrideState {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Unmatched => "unmatched",
            Self::Requested => "requested",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }
}

/// One override command found on the change.
#[derive(Clone, Debug)]
pub struct OverrideReport {
    /// Id of the comment.
    pub id: String,
    /// What it goes around: one control, or what the platform did not answer.
    pub kind: Kind,
    /// Code of the control that it names, as far as it could be read, or `gate_unavailable`.
    pub code: String,
    /// Codes of the controls that it covers if it counts.
    pub covers: Vec<&'static str>,
    /// Who wrote it.
    pub by: Option<AccountRef>,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// Who approved it besides, and when; `None`: nobody whose approval counts.
    pub approval: Option<Approval>,
    /// Until when it holds.
    pub expires: Option<Timestamp>,
    /// Until when it has to be reviewed; `None`: that cannot be reckoned.
    pub review_due: Option<Timestamp>,
    /// The ticket.
    pub ticket: Option<String>,
    /// The reason, as written. Hostile text.
    pub text: String,
    /// The words of the command without the reason, one blank between them.
    pub words: String,
    /// The signature of who wrote it; `None`: it has none, or none that is in order.
    pub signature: Option<Signed>,
    /// The head it is bound to.
    pub head: String,
    /// Whether it counts.
    pub state: OverrideState,
    /// One sentence: why it does or does not.
    pub why: String,
}

/// An approval of an override that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Id of the comment; `environment:RUN:ACCOUNT:ID` of an approval in an environment.
    pub id: String,
    /// Where it was given.
    pub door: Door,
    /// Who wrote it.
    pub by: AccountRef,
    /// When, by the platform's clock; in an environment when it was seen.
    pub at: Timestamp,
    /// The signature of who wrote it, if there is one.
    pub signature: Option<Signed>,
}

impl OverrideReport {
    /// Whether it counts, and covers the control of that code.
    pub fn covers(&self, code: &str) -> bool {
        self.state == OverrideState::Accepted && self.covers.contains(&code)
    }

    /// Who answers for it: who approved it, else who wrote it.
    pub fn given_by(&self) -> Option<&AccountRef> {
        let approver = self.approval.as_ref().map(|approval| &approval.by);
        approver.or(self.by.as_ref())
    }
}

impl Decision {
    /// The id under which an override is recorded, and reviewed.
    pub fn recorded_as(&self, report: &OverrideReport) -> String {
        override_id(&self.subject, &report.id, &report.head)
    }
}

/// The decision with everything it rests on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What it is.
    pub outcome: Outcome,
    /// For [`Outcome::Pending`]: whether the platform itself holds the merge back
    /// until everything that is pending has been met. Otherwise `false`.
    pub held_by_platform: bool,
    /// How hard the gate itself is to cheat.
    pub integrity: Integrity,
    /// What was judged.
    pub subject: Subject,
    /// Title of the change, if seen. Hostile text.
    pub title: Option<String>,
    /// The moment.
    pub observed_at: Timestamp,
    /// The policy; `None` if there was none to judge by.
    pub policy: Option<PolicySource>,
    /// Its mode.
    pub mode: Mode,
    /// Each control, sorted by code.
    pub controls: Vec<ControlDecision>,
    /// Each override command, oldest first.
    pub overrides: Vec<OverrideReport>,
    /// Each approval of an override, oldest first.
    pub approvals: Vec<ApprovalReport>,
    /// Each review of an override, oldest first.
    pub reviews: Vec<ReviewReport>,
    /// Until when what went past the gate has to be looked at; `None`: that cannot be reckoned.
    pub breach_due: Option<Timestamp>,
    /// Who pushed or merged what came onto the branch, had a hand in a change that came, or asked for
    /// or allowed a bypass for it;
    /// `None`: not all of them are known.
    pub moved_by: Option<Vec<AccountRef>>,
    /// The moves of the branch that were looked at, each in one line: from, to, when.
    pub moves: Vec<String>,
    /// What the platform has on record about going around its rules for it.
    pub gone_around: Vec<RuleBypass>,
    /// Whom the policy allows to override; empty: nobody.
    pub may_override: Vec<String>,
    /// Codes of the controls of the policy that nobody may override.
    pub never_overridden: Vec<&'static str>,
    /// Each waiver.
    pub waivers: Vec<WaiverReport>,
    /// Each acceptance of a finding.
    pub accepted_findings: Vec<super::triage::AcceptanceReport>,
    /// What else people have to see about the policy.
    pub notes: Vec<Note>,
    /// Why nothing could be judged (transport, permission), for [`undecided`].
    pub problem: Option<String>,
    /// The settings snapshot that was used, if one was.
    pub settings: Option<SettingsOrigin>,
    /// What it cost.
    pub requests: Requests,
}

/// Name of the gate's own check where no policy says another one.
pub(super) const GATE_CHECK: &str = "ccgate";

/// The decision when nothing could be judged: closed, with the reason.
pub fn undecided(facts: &Snapshot, problem: String) -> Decision {
    Decision {
        outcome: Outcome::Undecided,
        held_by_platform: false,
        integrity: integrity(facts, GATE_CHECK),
        subject: facts.subject.clone(),
        title: title(facts),
        observed_at: facts.observed_at,
        policy: None,
        mode: Mode::Enforce,
        controls: Vec::new(),
        overrides: Vec::new(),
        approvals: Vec::new(),
        reviews: Vec::new(),
        breach_due: None,
        moved_by: None,
        moves: Vec::new(),
        gone_around: Vec::new(),
        may_override: Vec::new(),
        never_overridden: Vec::new(),
        waivers: Vec::new(),
        accepted_findings: Vec::new(),
        notes: Vec::new(),
        problem: Some(problem),
        settings: facts.settings_origin.clone(),
        requests: facts.requests.clone(),
    }
}

/// Title of the change, if it was seen.
pub(super) fn title(facts: &Snapshot) -> Option<String> {
    match &facts.identity {
        Fact::Known { value, .. } => Some(value.title.clone()),
        Fact::Unknown(_) => None,
    }
}
