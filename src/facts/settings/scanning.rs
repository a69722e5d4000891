//! Scans that the platform runs itself: what they hold open, what makes them run,
//! and whether a push that carries a secret is refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;
use crate::facts::{ScanKind, Severity};

/// Something that a scan of the platform found and that nobody has closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Alert {
    /// How bad. What is not rated counts as high.
    pub severity: Severity,
    /// The name people find it by, e.g. `#12 js/sql-injection`. Hostile text, never
    /// the secret itself.
    pub name: String,
    /// When it was opened, by the platform's clock; `None`: it is not told.
    pub opened_at: Option<Timestamp>,
}

/// What one service says of the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// It is switched off.
    Off,
    /// It is switched on and has never looked.
    NothingYet,
    /// It looks.
    On {
        /// When it last looked; `None`: it looks all the time.
        looked_at: Option<Timestamp>,
        /// What it holds open, worst first.
        open: Vec<Alert>,
    },
}

/// Group `scan.alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    /// Whether the plan is known not to sell such services.
    pub not_in_plan: bool,
    /// Weaknesses in the code of the target branch.
    pub code: Fact<Watch>,
    /// Known vulnerabilities of dependencies and images.
    pub dependencies: Fact<Watch>,
    /// Secrets.
    pub leaked_secrets: Fact<Watch>,
}

/// A push that carried a secret and was let through all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushBypass {
    /// The name people find it by. Hostile text, never the secret itself.
    pub name: String,
    /// Who went around it; `None`: it is not told.
    pub by: Option<String>,
    /// When; `None`: it is not told.
    pub at: Option<Timestamp>,
    /// Who allowed or closed it. Known `None`: nobody has.
    pub reviewed_by: Fact<Option<String>>,
}

/// Group `scan.push_protection`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushProtection {
    /// Whether the plan is known not to sell it.
    pub not_in_plan: bool,
    /// Whether a push that carries a secret is refused.
    pub secret_pushes_blocked: Fact<bool>,
    /// Pushes that were let through.
    pub push_bypasses: Fact<Vec<PushBypass>>,
}

/// A scan that runs whatever the pipeline says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ImposedScan {
    /// What it looks for.
    pub kind: ScanKind,
    /// What makes it run, e.g. `configuration "baseline"`. Hostile text.
    pub by: String,
    /// Whether the repository cannot switch it off.
    pub enforced: bool,
}

/// Group `scan.setup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSetup {
    /// Whether the plan is known not to sell it.
    pub not_in_plan: bool,
    /// Scans that the repository itself switched on. Known empty where there is no
    /// such setting.
    pub scans_of_repository: Fact<Vec<ImposedScan>>,
    /// Scans that a configuration or policy from above makes run.
    pub scans_from_above: Fact<Vec<ImposedScan>>,
}
