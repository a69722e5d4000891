//! A finding that somebody accepted, for a time.

use jiff::civil::Date;

use crate::facts::Severity;
use crate::policy::problem::Place;
use crate::policy::standing::{Clocks, Standing};

/// What an acceptance is bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// The finding's fingerprint, in small letters.
    Fingerprint(String),
    /// Its rule and place, as they are shown.
    Place {
        /// Id of the rule, or of the vulnerability.
        rule: String,
        /// Path relative to the repository, or `package@version`.
        place: String,
    },
}

/// What is said of the vulnerability, in the words of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VexStatus {
    /// It does not matter here: a false positive, or it cannot be reached.
    NotAffected,
    /// It matters, and the risk is taken.
    Affected,
}

/// Why it does not matter, in the words of VEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VexJustification {
    /// The component is not there.
    ComponentNotPresent,
    /// Its vulnerable part is not there.
    VulnerableCodeNotPresent,
    /// It is never run.
    VulnerableCodeNotInExecutePath,
    /// Nobody from outside reaches it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else stops it.
    InlineMitigationsAlreadyExist,
}

/// A finding that the policy accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedFinding {
    /// Name of the tool, compared as in `scans`.
    pub tool: String,
    /// What it is bound to.
    pub binding: Binding,
    /// The worst severity that it covers: if the finding becomes worse, it counts again.
    pub severity: Severity,
    /// How many findings with this fingerprint, or of this rule at this place, it covers.
    pub count: u64,
    /// What is said of it.
    pub status: VexStatus,
    /// Why it does not matter; `None` if it does.
    pub justification: Option<VexJustification>,
    /// Why it is accepted.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// Who approved it; somebody else than the owner.
    pub approved_by: String,
    /// Where it was decided.
    pub ticket: String,
    /// The first day on which it holds (UTC): 90 days before its end, or the first day of the
    /// default branch's if that is later.
    pub begins: Date,
    /// The last day on which it holds (UTC).
    pub expires: Date,
    /// Where it stands.
    pub at: Place,
}

impl AcceptedFinding {
    /// Whether it acts at that moment.
    pub(crate) fn standing(&self, clocks: Clocks) -> Standing {
        Standing::between(self.begins, self.expires, clocks)
    }

    /// What is accepted, in words.
    pub fn words(&self) -> String {
        let tool = &self.tool;
        match &self.binding {
            Binding::Fingerprint(fingerprint) => format!("{tool} {fingerprint}"),
            Binding::Place { rule, place } => format!("{tool} {rule} at {place}"),
        }
    }
}

impl VexStatus {
    /// All, with their words.
    pub(super) const ALL: [(&'static str, Self); 2] = [
        ("not_affected", Self::NotAffected),
        ("affected", Self::Affected),
    ];

    /// The word, as it stands in policies and decisions.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
        }
    }
}

impl VexJustification {
    /// All, with their words.
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("component_not_present", Self::ComponentNotPresent),
        (
            "vulnerable_code_not_present",
            Self::VulnerableCodeNotPresent,
        ),
        (
            "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeNotInExecutePath,
        ),
        (
            "vulnerable_code_cannot_be_controlled_by_adversary",
            Self::VulnerableCodeCannotBeControlledByAdversary,
        ),
        (
            "inline_mitigations_already_exist",
            Self::InlineMitigationsAlreadyExist,
        ),
    ];

    /// The word, as it stands in policies and decisions.
    pub fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, one)| *one == self)
            .map_or("", |(word, _)| word)
    }
}
