//! A policy after validation: controls bound to their parameters, globs and
//! patterns compiled, dates parsed. Nothing in here has to be checked again.

use globset::{GlobBuilder, GlobSet};
use jiff::SignedDuration;
use jiff::civil::Date;
use regex::Regex;

use crate::controls::Bound;
use crate::facts::{FactKey, Needs, ScanFormat, Severity};
use crate::sshsig::SignerKey;

use super::findings::{AcceptedFinding, ExploitedList, SeverityMap, StoredBaseline};
use super::problem::Place;
use super::standing::{Clocks, Standing};

/// Whether the gate closes or only speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Speaks only: every non-pass is `advisory`.
    Advisory,
    /// Closes.
    Enforce,
}

/// What a fail of one control does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// Not judged. Listed in the decision with its reason all the same.
    Off,
    /// Judged, shown, never closes the gate.
    Warn,
    /// Closes the gate.
    Block,
}

/// What an unknown of one control does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnUnknown {
    /// Shown only.
    Warn,
    /// The decision is `undecided`.
    Block,
}

impl Mode {
    /// The word, as it stands in policies and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Enforce => "enforce",
        }
    }
}

impl Enforcement {
    /// The word, as it stands in policies and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

impl OnUnknown {
    /// The word, as it stands in policies.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// Why a control is switched off or asks for less than it would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concession {
    /// Why.
    pub reason: String,
    /// Who answers for it, e.g. `@acme/security`.
    pub owner: String,
    /// The last day on which it holds (UTC).
    pub expires: Date,
    /// What was conceded, e.g. `enforce block -> off`, `min 2 -> 1`.
    pub what: String,
}

/// A control as this policy wants it.
pub struct BoundControl {
    /// The control with its parameters.
    pub control: Box<dyn Bound>,
    /// What a fail does.
    pub enforcement: Enforcement,
    /// What an unknown does.
    pub on_unknown: OnUnknown,
    /// Code of the control that makes up for this one where the plan does not sell what
    /// it needs: such a fail does not close the gate as long as that control passes and
    /// would itself close it.
    pub compensated_by: Option<&'static str>,
    /// Set if the control was switched off, lowered or compensated. If it has expired on the
    /// day of the check, the strict value was put back and a [`Note`] says so.
    pub concession: Option<Concession>,
    /// Where the policy sets it; `None` if a preset does.
    pub place: Option<Place>,
}

/// A standing exemption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Id of the control.
    pub control: String,
    /// Glob over repository paths, `*` if it holds for all.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it; somebody else than the owner.
    pub approved_by: String,
    /// The first day on which it holds (UTC): 90 days before its end, or the first day of the
    /// default branch's if that is later.
    pub begins: Date,
    /// The last day on which it holds (UTC).
    pub expires: Date,
    /// Where it stands.
    pub place: Place,
}

impl Waiver {
    /// Whether it acts at that moment.
    pub(crate) fn standing(&self, clocks: Clocks) -> Standing {
        Standing::between(self.begins, self.expires, clocks)
    }

    /// Whether it is for that repository. `*` stops at `/`, so `acme/*` does not
    /// reach into subgroups; a scope of `*` alone is for all. Platforms do not
    /// tell upper from lower case in a path.
    pub fn covers(&self, repository: &str) -> bool {
        self.scope == "*"
            || GlobBuilder::new(&self.scope)
                .literal_separator(true)
                .case_insensitive(true)
                .build()
                .is_ok_and(|glob| glob.compile_matcher().is_match(repository))
    }
}

/// Who may override, and how.
#[derive(Clone, Debug)]
pub struct OverrideRules {
    /// `@user` or `@org/team` (GitLab: `@group/sub`), with the `@`. Empty: nobody may.
    pub allowed_by: Vec<String>,
    /// Whether somebody other than the requester has to approve even where the requester may
    /// override and had no hand in the change.
    pub second_person: bool,
    /// Whether a command that gives an override counts only with its author's signature.
    pub signed: bool,
    /// Keys that people sign such commands with. No key is two people's.
    pub signers: Vec<OverrideSigner>,
    /// Whether the signing keys that the platform publishes for an account count too, for whom
    /// `signers` lists none.
    pub published_keys: bool,
    /// Names of the environments in which an approval counts, in the run that judges. Empty: none.
    pub environments: Vec<String>,
    /// Ids of the controls that are never overridden.
    pub never: Vec<String>,
    /// Most overrides of one control on one change, over all its heads; `None`: any number.
    pub max_uses: Option<u32>,
    /// Pattern that the ticket has to match as a whole.
    pub ticket: Option<Regex>,
    /// Least number of characters of the reason.
    pub min_reason: usize,
    /// Longest time an override holds, from the comment's creation.
    pub max: SignedDuration,
    /// Time in which it has to be reviewed afterwards, as written (e.g. `1 business day`).
    pub review_within: String,
    /// Name of the time zone in which business days are counted, e.g. `Europe/Vienna`.
    pub time_zone: String,
    /// Days off beside Saturdays and Sundays.
    pub holidays: Vec<jiff::civil::Date>,
}

/// A key that a person signs override commands with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideSigner {
    /// `@user`, with the `@`.
    pub person: String,
    /// The key.
    pub key: SignerKey,
}

impl OverrideSigner {
    /// Whether it is the same key of the same person; case says nothing on the platforms.
    pub fn is(&self, other: &Self) -> bool {
        self.key == other.key && self.person.eq_ignore_ascii_case(&other.person)
    }
}

/// A scan result that the policy expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanExpectation {
    /// Name of the tool, compared without case.
    pub tool: String,
    /// Glob of its report files.
    pub path: String,
    /// The format that they are read as; `None`: the one that their content shows.
    pub format: Option<ScanFormat>,
    /// Whether it has to be there.
    pub required: bool,
    /// Oldest age allowed, if the report tells its time.
    pub max_age: Option<SignedDuration>,
    /// Most new findings allowed per severity.
    pub new: Vec<(Severity, u64)>,
    /// Most findings allowed per severity.
    pub total: Vec<(Severity, u64)>,
    /// Severities that take the place of the report's own. Of several maps the worst counts.
    pub severity_maps: Vec<SeverityMap>,
    /// What was there before; without it the report itself tells new from old.
    pub baseline: Option<StoredBaseline>,
}

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerChoice {
    /// The address, e.g. `dir:.ccgate/ledger`.
    pub url: String,
    /// Whether the gate stays closed (exit 5) when the record cannot be written.
    pub required: bool,
}

/// Something about the policy that people have to see: an expired concession, a
/// branch policy that undercuts the default branch, a waiver that has expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Option<Place>,
    /// What.
    pub message: String,
}

/// Where the policy in force came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySource {
    /// E.g. `.ccgate.yml@main`.
    pub origin: String,
    /// The commit it was read from.
    pub commit: Option<String>,
    /// `sha256:<hex>` of the text.
    pub digest: String,
    /// Presets it extends, and the floor it was held to, if that is another document.
    pub layers: Vec<String>,
}

/// The branches that a policy speaks about.
#[derive(Clone, Debug)]
pub struct BranchScope {
    /// As written (globset syntax).
    pub globs: Vec<String>,
    /// The same, compiled.
    pub set: GlobSet,
}

/// The policy in force.
pub struct Policy {
    /// Where it came from.
    pub source: PolicySource,
    /// Whether it closes the gate.
    pub mode: Mode,
    /// The branches in scope; `None`: every branch.
    pub branches: Option<BranchScope>,
    /// How old a settings snapshot may be.
    pub settings_max_age: SignedDuration,
    /// The controls, sorted by code, the organisation's own among them. Those that are
    /// `off` are here too.
    pub controls: Vec<BoundControl>,
    /// Scan results expected.
    pub scans: Vec<ScanExpectation>,
    /// Findings that are accepted, the expired ones too.
    pub accepted_findings: Vec<AcceptedFinding>,
    /// Lists of vulnerabilities that count as critical.
    pub known_exploited: Vec<ExploitedList>,
    /// Who may override.
    pub overrides: OverrideRules,
    /// Standing exemptions, the expired ones too.
    pub waivers: Vec<Waiver>,
    /// Frameworks to map to.
    pub frameworks: Vec<String>,
    /// Where records go, if the policy says so.
    pub ledger: Option<LedgerChoice>,
    /// What people have to see.
    pub notes: Vec<Note>,
}

impl Policy {
    /// The groups of facts that the enabled controls need, and those that
    /// overrides need if anybody may override.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::none();
        let mut teams: Vec<String> = Vec::new();
        // One control speaks of tickets, so there is one way to name them.
        let mut tickets = None;
        let mut target_alerts = false;
        for bound in &self.controls {
            if bound.enforcement != Enforcement::Off {
                for key in bound.control.meta().needs {
                    needs.add(*key);
                }
                tickets = tickets.or_else(|| bound.control.tickets());
                target_alerts |= bound.control.target_alerts();
                for team in bound.control.teams() {
                    if !teams.iter().any(|known| known.eq_ignore_ascii_case(&team)) {
                        teams.push(team);
                    }
                }
            }
        }
        let mut needs = needs
            .for_teams(teams)
            .for_tickets(tickets)
            .with_target_alerts(target_alerts);
        if !self.overrides.allowed_by.is_empty() {
            for key in [
                FactKey::ChangeIdentity,
                FactKey::ChangeCommits,
                FactKey::ChangeComments,
                FactKey::ChangePushes,
            ] {
                needs.add(key);
            }
        }
        needs
    }

    /// Globs of the branches whose protection is looked at beside the target's. A
    /// policy that names none is for whatever a change goes to; then the default
    /// branch and the target are meant, not every branch somebody works on.
    pub fn inventory(&self, default_branch: Option<&str>, target: &str) -> Vec<String> {
        match &self.branches {
            Some(scope) => scope.globs.clone(),
            None => {
                let mut names: Vec<String> = default_branch
                    .into_iter()
                    .chain([target])
                    .filter(|name| !name.is_empty())
                    .map(globset::escape)
                    .collect();
                names.dedup();
                names
            }
        }
    }

    /// Whether a branch is in scope.
    pub fn covers(&self, branch: &str) -> bool {
        self.branches
            .as_ref()
            .is_none_or(|scope| scope.set.is_match(branch))
    }
}
