//! What the ledger tells of overrides and breaches, and of the changes that came onto
//! branches, as far as controls judge it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::actor::AccountRef;

/// One override or breach on record. Logins are as they were when it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredOverride {
    /// `ovr_…` or `byp_…`.
    pub id: String,
    /// Whether the gate itself opened it, for what went past it.
    pub breach: bool,
    /// Codes of the controls.
    pub controls: Vec<String>,
    /// The change; `None` where it is about a commit.
    pub change: Option<u64>,
    /// The commit.
    pub head: String,
    /// Who asked for it.
    pub requester: Option<AccountRef>,
    /// Who answers for it: who approved it, else who asked for it.
    pub approver: Option<AccountRef>,
    /// Everybody who gave it in any run, and who asked for it. None of them reviews it.
    pub givers: Vec<AccountRef>,
    /// Whether somebody else approved it by its id.
    pub approved_apart: bool,
    /// Of a breach, who pushed or merged it, had a hand in its changes, or asked for or allowed a bypass. `None`: not all of them are known.
    pub involved: Option<Vec<AccountRef>>,
    /// Fingerprint of the key with which who asked for it signed that. `None`: the record holds no
    /// such signature. Nothing is judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_signature: Option<String>,
    /// The same of who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_signature: Option<String>,
    /// When it was given or found. `None`: the record does not tell.
    pub given_at: Option<Timestamp>,
    /// Until when it holds. `None`: the record does not tell.
    pub expires_at: Option<Timestamp>,
    /// Until when it has to be reviewed. `None`: the record does not tell.
    pub review_due: Option<Timestamp>,
    /// Of an override for what the platform did not answer: whether every control that it
    /// covered was answered for since. `None`: it is no such override. Facts have to say so: one that
    /// is left out would turn an outage that is still open into an override like others.
    #[serde(deserialize_with = "Option::deserialize")]
    pub evaluated_again: Option<bool>,
    /// Who reviewed it; `None`: nobody whose review counts.
    pub reviewer: Option<AccountRef>,
    /// When. `None`: nobody did, or the record does not tell.
    pub reviewed_at: Option<Timestamp>,
}

/// A change that came onto a branch, as the ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandedChange {
    /// Its number.
    pub number: u64,
    /// When that was recorded. `None`: the record does not tell.
    pub at: Option<Timestamp>,
    /// Whether the last decision about it before rested on an override.
    pub overridden: bool,
}

/// Group `ledger.overrides`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRegister {
    /// What the ledger is called, `ccgate/PLATFORM/REPOSITORY`.
    pub origin: String,
    /// How many records were read.
    pub records: usize,
    /// Every override and breach, in the order in which they were recorded.
    pub overrides: Vec<RegisteredOverride>,
    /// The changes that came onto branches, each once.
    pub landed: Vec<LandedChange>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_leave_out_whether_an_outage_is_over_are_not_read() {
        let one = RegisteredOverride {
            id: "ovr_1".to_owned(),
            breach: false,
            controls: vec!["CHG-04".to_owned()],
            change: Some(7),
            head: "c1".to_owned(),
            requester: None,
            approver: None,
            givers: Vec::new(),
            approved_apart: true,
            involved: None,
            request_signature: None,
            approval_signature: None,
            given_at: None,
            expires_at: None,
            review_due: None,
            evaluated_again: None,
            reviewer: None,
            reviewed_at: None,
        };
        let mut written = serde_json::to_value(&one).unwrap();
        assert_eq!(
            serde_json::from_value::<RegisteredOverride>(written.clone()).unwrap(),
            one
        );
        written.as_object_mut().unwrap().remove("evaluated_again");
        assert!(serde_json::from_value::<RegisteredOverride>(written).is_err());
    }
}
