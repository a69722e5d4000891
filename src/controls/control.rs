//! What a control is: a sentence, its metadata, its parameters and a pure
//! judgement over facts. This room does not know the policy, the clock, the
//! environment or any platform's API.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Needs, Platform, Snapshot, Source, TicketNaming, Unknown};

use super::custom::CustomControl;
use super::tree::Tree;

/// What a control speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The repository and its settings: the auditor's test of design.
    Repository,
    /// One change: the auditor's test of operating effectiveness.
    Change,
}

/// Everything that is said about a control, once. Documents, `explain`, SARIF
/// rules, the policy schema and the token table are generated from it.
#[derive(Debug)]
pub struct Meta {
    /// Area and number, e.g. `BR-18`. Stable for ever, never reused.
    pub code: &'static str,
    /// An affirmative sentence in kebab case, true when all is well. Stable for ever.
    pub id: &'static str,
    /// The sentence in plain words, lower case, no final period.
    pub title: &'static str,
    /// The criteria it serves, the primary one first.
    pub criteria: &'static [Criterion],
    /// Ids in other frameworks, in the order of [`Framework::ALL`].
    pub frameworks: &'static [(Framework, &'static [&'static str])],
    /// What it speaks about.
    pub scope: Scope,
    /// Where it exists.
    pub platforms: &'static [Platform],
    /// The groups of facts that it looks at.
    pub needs: &'static [FactKey],
    /// Why it matters, one or two sentences.
    pub rationale: &'static str,
    /// How somebody would cheat it, and what we do about that.
    pub cheat: &'static str,
    /// How to mend it on GitHub.
    pub remedy_github: &'static str,
    /// How to mend it on GitLab.
    pub remedy_gitlab: &'static str,
}

impl Meta {
    /// The remedy for the platform at hand.
    pub fn remedy(&self, platform: Platform) -> &'static str {
        match platform {
            Platform::Github => self.remedy_github,
            Platform::Gitlab => self.remedy_gitlab,
        }
    }

    /// The declared needs as a set.
    pub fn needed(&self) -> Needs {
        self.needs.iter().copied().collect()
    }

    /// The groups that it gets to see: what it needs, and beside the rules of the
    /// branch who can go around them, where somebody else asked for that. A
    /// requirement names them in its summary; its verdict does not rest on them.
    pub fn visible(&self) -> Needs {
        let mut groups = self.needed();
        if groups.has(FactKey::BranchRules) {
            groups.add(FactKey::BranchBypass);
        }
        groups
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Dotted name of the fact.
    pub fact: String,
    /// What was seen, in words and values.
    pub value: String,
    /// The requests it was read from.
    pub sources: Vec<Source>,
}

/// A summary and what it rests on. There is no way to build one without an
/// observation: evidence is not optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    summary: String,
    observed: Vec<Observation>,
}

impl Evidence {
    /// `summary` is one sentence in lower case without a final period; `fact`,
    /// `value` and `sources` are the first thing that was looked at.
    pub fn new(
        summary: impl Into<String>,
        fact: FactKey,
        value: impl Into<String>,
        sources: &[Source],
    ) -> Self {
        Self {
            summary: summary.into(),
            observed: vec![Observation {
                fact: fact.name().to_owned(),
                value: value.into(),
                sources: sources.to_vec(),
            }],
        }
    }

    /// Evidence of things that were looked at by name.
    pub(super) fn observing(
        summary: impl Into<String>,
        first: Observation,
        others: impl IntoIterator<Item = Observation>,
    ) -> Self {
        Self {
            summary: summary.into(),
            observed: std::iter::once(first).chain(others).collect(),
        }
    }

    /// Adds another thing that was looked at.
    #[must_use]
    pub fn and(mut self, fact: FactKey, value: impl Into<String>, sources: &[Source]) -> Self {
        self.observed.push(Observation {
            fact: fact.name().to_owned(),
            value: value.into(),
            sources: sources.to_vec(),
        });
        self
    }

    /// The sentence.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What it rests on; never empty.
    pub fn observed(&self) -> &[Observation] {
        &self.observed
    }
}

/// Why a control failed, where a word says more than the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// The plan or tier does not sell the setting.
    Plan,
    /// Required, but somebody can go around it.
    Bypassable,
    /// Nothing protects the branch at all.
    Unprotected,
    /// The approval was given on an older head.
    StaleApproval,
    /// The approver had a hand in the change.
    NotIndependent,
    /// Somebody named in a commit belongs to no account.
    UnresolvedIdentity,
    /// A commit reached the branch through no change.
    DirectPush,
    /// The branch's history does not hold any more what stood on it.
    HistoryRewritten,
    /// A change was merged that had not met the requirements.
    MergedPastGate,
    /// Something was merged under an approval that was given before it.
    AddedAfterApproval,
    /// Findings at or above the threshold.
    Findings,
}

impl FailReason {
    /// Those that mean that something stands on the branch already that should not.
    pub const BREACHES: [Self; 4] = [
        Self::DirectPush,
        Self::HistoryRewritten,
        Self::MergedPastGate,
        Self::AddedAfterApproval,
    ];

    /// The code as written in the decision.
    pub fn code(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Bypassable => "bypassable",
            Self::Unprotected => "unprotected",
            Self::StaleApproval => "stale_approval",
            Self::NotIndependent => "not_independent",
            Self::UnresolvedIdentity => "unresolved_identity",
            Self::DirectPush => "direct_push",
            Self::HistoryRewritten => "history_rewritten",
            Self::MergedPastGate => "merged_past_gate",
            Self::AddedAfterApproval => "added_after_approval",
            Self::Findings => "findings",
        }
    }
}

/// What a failed change control waits for, when somebody acting can still meet it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    /// An approval, or a renewed one.
    Approval,
    /// A check that has not ended.
    Check,
}

/// A failure with its next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was seen.
    pub evidence: Evidence,
    /// The code, if there is one.
    pub reason: Option<FailReason>,
    /// What would make it pass, for this case (the general remedy is in [`Meta`]);
    /// `None` when the general remedy says it all.
    pub next: Option<String>,
    /// Set when nothing wrong was done and somebody acting can still meet it.
    pub awaiting: Option<Awaiting>,
}

/// The judgement on facts that were seen. *Unknown* is not among these: it
/// exists only as `Err(Unknown)` of [`Control::evaluate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The sentence is true.
    Pass(Evidence),
    /// The sentence is false.
    Fail(Failure),
    /// The sentence has no meaning here; says why.
    NotApplicable(Evidence),
}

impl Verdict {
    /// A failure without code or special next step.
    pub fn fail(evidence: Evidence) -> Self {
        Self::Fail(Failure {
            evidence,
            reason: None,
            next: None,
            awaiting: None,
        })
    }

    /// A failure with its code.
    pub fn fail_because(reason: FailReason, evidence: Evidence) -> Self {
        Self::Fail(Failure {
            evidence,
            reason: Some(reason),
            next: None,
            awaiting: None,
        })
    }

    /// Sets the next step of a failure; nothing else has one.
    #[must_use]
    pub fn next(mut self, step: impl Into<String>) -> Self {
        if let Self::Fail(failure) = &mut self {
            failure.next = Some(step.into());
        }
        self
    }

    /// Marks a failure as one that somebody acting can still meet.
    #[must_use]
    pub fn awaiting(mut self, what: Awaiting) -> Self {
        if let Self::Fail(failure) = &mut self {
            failure.awaiting = Some(what);
        }
        self
    }
}

/// A control. The implementing struct *is* its parameters: `#[serde(default,
/// deny_unknown_fields)]`, each field documented, `Default` the default policy.
pub trait Control:
    DeserializeOwned + Serialize + JsonSchema + Default + Send + Sync + 'static
{
    /// Everything that is said about it.
    const META: Meta;

    /// Judges the facts. Pure and total.
    ///
    /// # Errors
    /// The reason why a fact that decides could not be seen.
    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown>;

    /// How the verdict came about, for a control that weighs reviews or asks who had a
    /// hand in a change; made of the same values as the verdict.
    fn tree(&self, _facts: &Snapshot) -> Option<Tree> {
        None
    }

    /// Teams that its parameters name and whose members it has to see.
    fn teams(&self) -> Vec<String> {
        Vec::new()
    }

    /// The tickets that its parameters speak of and that it has to see.
    fn tickets(&self) -> Option<TicketNaming> {
        None
    }

    /// Whether its parameters tell new alerts of the change from those that its target has.
    fn target_alerts(&self) -> bool {
        false
    }

    /// In which way these parameters demand less than `base`, in words; `None`
    /// if they demand at least as much. Used to keep a branch from undercutting
    /// the default branch and to ask for reason, owner and expiry.
    fn weaker_than(&self, base: &Self) -> Option<String>;
}

/// A control with its parameters filled in.
pub trait Bound: Send + Sync {
    /// What is said about it.
    fn meta(&self) -> &'static Meta;
    /// Judges the facts; only those of [`Meta::visible`] can be seen.
    ///
    /// # Errors
    /// The reason why a fact that decides could not be seen.
    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        self.judge(&facts.restricted_to(&self.meta().visible()))
    }
    /// Judges what is shown: a snapshot in which nothing but [`Meta::visible`] can be
    /// seen, as [`Veil`](crate::facts::Veil) shows it.
    ///
    /// # Errors
    /// The reason why a fact that decides could not be seen.
    fn judge(&self, shown: &Snapshot) -> Result<Verdict, Unknown>;
    /// See [`Control::tree`].
    fn tree(&self, _facts: &Snapshot) -> Option<Tree> {
        None
    }
    /// See [`Control::teams`].
    fn teams(&self) -> Vec<String> {
        Vec::new()
    }
    /// See [`Control::tickets`].
    fn tickets(&self) -> Option<TicketNaming> {
        None
    }
    /// See [`Control::target_alerts`].
    fn target_alerts(&self) -> bool {
        false
    }
    /// The parameters in force, as JSON.
    fn parameters(&self) -> Value;
    /// See [`Control::weaker_than`]; `base` are parameters of the same control.
    fn weaker_than(&self, base: &Value) -> Option<String>;
    /// The control as one of the policy's own; `None` for those of the table.
    fn as_custom(&self) -> Option<&CustomControl> {
        None
    }
}

struct Filled<C>(C);

impl<C: Control> Bound for Filled<C> {
    fn meta(&self) -> &'static Meta {
        &C::META
    }

    fn judge(&self, shown: &Snapshot) -> Result<Verdict, Unknown> {
        self.0.evaluate(shown)
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        self.0.tree(&facts.restricted_to(&C::META.visible()))
    }

    fn teams(&self) -> Vec<String> {
        self.0.teams()
    }

    fn tickets(&self) -> Option<TicketNaming> {
        self.0.tickets()
    }

    fn target_alerts(&self) -> bool {
        self.0.target_alerts()
    }

    fn parameters(&self) -> Value {
        serde_json::to_value(&self.0).unwrap_or(Value::Null)
    }

    fn weaker_than(&self, base: &Value) -> Option<String> {
        match serde_json::from_value::<C>(base.clone()) {
            Ok(base) => self.0.weaker_than(&base),
            // Parameters that cannot be compared count as weaker: we err to the strict side.
            Err(error) => Some(format!("cannot be compared: {error}")),
        }
    }
}

/// One line of the table of controls.
pub struct Entry {
    /// What is said about it.
    pub meta: &'static Meta,
    bind: fn(Value) -> Result<Box<dyn Bound>, serde_json::Error>,
    schema: fn() -> Value,
}

impl Entry {
    /// Fills in parameters; a misspelt or mistyped one is an error here, when the
    /// policy is loaded, not when the gate runs.
    ///
    /// # Errors
    /// What serde says about the parameters.
    pub fn bind(&self, parameters: Value) -> Result<Box<dyn Bound>, serde_json::Error> {
        (self.bind)(parameters)
    }

    /// JSON Schema of the parameters.
    pub fn schema(&self) -> Value {
        (self.schema)()
    }
}

/// The table line of a control.
pub(super) const fn entry<C: Control>() -> Entry {
    Entry {
        meta: &C::META,
        bind: |parameters| {
            serde_json::from_value::<C>(parameters)
                .map(|control| Box::new(Filled(control)) as Box<dyn Bound>)
        },
        schema: || schemars::schema_for!(C).to_value(),
    }
}
