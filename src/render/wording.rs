//! Words and counts that the formats for people share.

use crate::gate::{
    ControlDecision, Decision, Disposition, Door, KeySource, Outcome, OverrideReport,
    OverrideState, ReviewOutcome, Signed, VerdictWord, WaiverState,
};
use crate::policy::{Enforcement, Mode};

/// How a control is shown: its verdict together with what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Failed,
    Unknown,
    Pending,
    Warned,
    Overridden,
    Waived,
    Compensated,
    Passed,
    NotApplicable,
    Off,
}

impl Label {
    pub(super) fn of(control: &ControlDecision) -> Self {
        match (control.verdict, control.disposition) {
            (None, _) => Self::Off,
            (Some(VerdictWord::Pass), _) => Self::Passed,
            (Some(VerdictWord::NotApplicable), _) => Self::NotApplicable,
            (Some(_), Some(Disposition::Waived)) => Self::Waived,
            (Some(_), Some(Disposition::Overridden)) => Self::Overridden,
            (Some(_), Some(Disposition::Compensated)) => Self::Compensated,
            (Some(_), Some(Disposition::Advisory)) => Self::Warned,
            (Some(VerdictWord::Unknown), Some(Disposition::Open | Disposition::Pending) | None) => {
                Self::Unknown
            }
            (Some(VerdictWord::Fail), Some(Disposition::Pending)) => Self::Pending,
            (Some(VerdictWord::Fail), Some(Disposition::Open) | None) => Self::Failed,
        }
    }

    /// The word in a terminal; at most eleven columns.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Failed => "FAIL",
            Self::Unknown => "UNKNOWN",
            Self::Pending => "PENDING",
            Self::Warned => "WARN",
            Self::Overridden => "OVERRIDDEN",
            Self::Waived => "WAIVED",
            Self::Compensated => "COMPENSATED",
            Self::Passed => "PASS",
            Self::NotApplicable => "n/a",
            Self::Off => "off",
        }
    }

    /// The sign in a summary; the word always stands beside it.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Failed => "❌",
            Self::Unknown => "❔",
            Self::Pending => "⏳",
            Self::Warned => "⚠️",
            Self::Overridden | Self::Waived | Self::Compensated => "🔓",
            Self::Passed => "✅",
            Self::NotApplicable | Self::Off => "➖",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Warned => "warned",
            Self::Overridden => "overridden",
            Self::Waived => "waived",
            Self::Compensated => "compensated",
            Self::Passed => "passed",
            Self::NotApplicable => "not applicable",
            Self::Off => "off",
        }
    }

    /// Whether people have to read about it.
    pub(super) fn needs_words(self) -> bool {
        match self {
            Self::Failed
            | Self::Unknown
            | Self::Pending
            | Self::Warned
            | Self::Overridden
            | Self::Waived
            | Self::Compensated => true,
            Self::Passed | Self::NotApplicable | Self::Off => false,
        }
    }

    /// Whether it keeps the gate closed.
    pub(super) fn closes(self) -> bool {
        match self {
            Self::Failed | Self::Unknown | Self::Pending => true,
            Self::Warned
            | Self::Overridden
            | Self::Waived
            | Self::Compensated
            | Self::Passed
            | Self::NotApplicable
            | Self::Off => false,
        }
    }
}

/// How many of those who may override are named.
const MOST_NAMED: usize = 5;

const ALL: [Label; 10] = [
    Label::Failed,
    Label::Unknown,
    Label::Pending,
    Label::Warned,
    Label::Overridden,
    Label::Waived,
    Label::Compensated,
    Label::Passed,
    Label::NotApplicable,
    Label::Off,
];

/// E.g. `1 failed · 3 passed`.
pub(super) fn counts(decision: &Decision) -> String {
    let counts: Vec<String> = ALL
        .into_iter()
        .filter_map(|label| {
            let count = decision
                .controls
                .iter()
                .filter(|control| Label::of(control) == label)
                .count();
            (count > 0).then(|| format!("{count} {}", label.plural()))
        })
        .collect();
    if counts.is_empty() {
        "no control was judged".to_owned()
    } else {
        counts.join(" · ")
    }
}

/// The outcome in a few words.
pub(super) fn outcome(decision: &Decision) -> &'static str {
    let acted = |wanted: Disposition| {
        decision
            .controls
            .iter()
            .any(|control| control.disposition == Some(wanted))
    };
    match decision.outcome {
        Outcome::Allow if decision.mode == Mode::Advisory => "allowed (advisory mode)",
        Outcome::Allow if acted(Disposition::Overridden) => "allowed by an override",
        Outcome::Allow if acted(Disposition::Waived) => "allowed with a waiver",
        Outcome::Allow if acted(Disposition::Compensated) => "allowed with a compensation",
        Outcome::Allow => "allowed",
        Outcome::Block => "blocked",
        Outcome::Undecided => "undecided",
        Outcome::Pending if decision.held_by_platform => "pending, held back by the platform",
        Outcome::Pending => "pending",
    }
}

/// What became of a non-pass by somebody's will: the override, the waiver or the
/// compensation.
pub(super) fn covered_by(decision: &Decision, control: &ControlDecision) -> Option<String> {
    match control.disposition? {
        Disposition::Overridden => decision
            .overrides
            .iter()
            .find(|report| report.covers(control.meta.code))
            .map(|report| {
                let review = report.review_due.map_or_else(String::new, |due| {
                    let id = decision.recorded_as(report);
                    format!("; somebody else reviews it by {due}: `/ccgate review {id} ratified`")
                });
                let by = report.by.as_ref().map_or("?", |by| by.login.as_str());
                let given = match &report.approval {
                    Some(approval) => {
                        let at = match approval.door {
                            Door::Comment => "at",
                            Door::Environment => "in an environment, seen at",
                        };
                        format!(
                            "@{} {at} {}, asked for by @{by} at {},",
                            approval.by.login, approval.at, report.at
                        )
                    }
                    None => format!("@{by} at {}", report.at),
                };
                let signed = signed_with(report);
                format!(
                    "overridden by {given} until {}{signed}, {}: {}{review}",
                    report
                        .expires
                        .map_or_else(|| "?".to_owned(), |end| end.to_string()),
                    report.ticket.as_deref().unwrap_or("no ticket"),
                    report.text
                )
            }),
        Disposition::Waived => decision
            .waivers
            .iter()
            .find(|report| {
                report.state == WaiverState::Applied && report.waiver.control == control.meta.id
            })
            .map(|report| {
                let waiver = &report.waiver;
                format!(
                    "waived until {} by {}, approved by {}: {}",
                    waiver.expires, waiver.owner, waiver.approved_by, waiver.reason
                )
            }),
        Disposition::Compensated => control.compensation.clone(),
        Disposition::Open | Disposition::Pending | Disposition::Advisory => None,
    }
}

/// With which keys it was asked for and approved; empty where nobody signed.
fn signed_with(report: &OverrideReport) -> String {
    let asked = report.signature.as_ref();
    let approved = report.approval.as_ref();
    let approved = approved.and_then(|approval| approval.signature.as_ref());
    let words = |what: &str, signed: &Signed| {
        let source = match signed.source {
            KeySource::Policy => "",
            KeySource::Platform(_) => " (as the platform publishes it)",
        };
        format!(", {what} signed with {}{source}", signed.key)
    };
    let asked = asked.map(|signed| words("request", signed));
    let approved = approved.map(|signed| words("approval", signed));
    asked.into_iter().chain(approved).collect()
}

/// Override commands and approvals that do not count, and reviews, one sentence each.
pub(super) fn idle_overrides(decision: &Decision) -> Vec<String> {
    let reviews = decision.reviews.iter().map(|review| {
        let by = review.by.as_ref().map_or("?", |by| by.login.as_str());
        match (&review.refused, review.outcome) {
            (Some(why), _) => format!("review of {} by @{by} does not count: {why}", review.of),
            (None, outcome) => format!(
                "{} was reviewed by @{by} at {}: {}",
                review.of,
                review.at,
                outcome.map_or("", ReviewOutcome::word)
            ),
        }
    });
    let approvals = decision.approvals.iter().filter_map(|approval| {
        Some(format!(
            "approval of {} by @{} does not count: {}",
            approval.of,
            approval.by.as_ref().map_or("?", |by| by.login.as_str()),
            approval.refused.as_ref()?
        ))
    });
    decision
        .overrides
        .iter()
        .filter(|report| report.state != OverrideState::Accepted)
        .map(|report| {
            format!(
                "override of {} by @{} is {}: {}",
                report.code,
                report.by.as_ref().map_or("?", |by| by.login.as_str()),
                report.state.word(),
                report.why
            )
        })
        .chain(approvals)
        .chain(reviews)
        .collect()
}

/// The notes, with their place.
pub(super) fn notes(decision: &Decision) -> Vec<String> {
    decision
        .notes
        .iter()
        .map(|note| match &note.place {
            Some(place) => format!("{place}: {}", note.message),
            None => note.message.clone(),
        })
        .collect()
}

/// Who may override, and the command that would override the first control that closes
/// the gate; only a change has a place to write it.
pub(super) fn override_hint(decision: &Decision) -> Option<(String, String)> {
    decision.subject.change?;
    let (first, others) = decision.may_override.split_first()?;
    let who = match others {
        [] if first.contains('/') => format!("somebody of {first}"),
        [] => first.clone(),
        others if others.len() < MOST_NAMED => format!("one of {first}, {}", others.join(", ")),
        others => format!(
            "one of {first}, {} and {} more",
            others[..MOST_NAMED - 1].join(", "),
            others.len() + 1 - MOST_NAMED
        ),
    };
    match decision.outcome {
        Outcome::Allow => return None,
        Outcome::Block | Outcome::Undecided | Outcome::Pending => {}
    }
    decision
        .controls
        .iter()
        .filter(|control| Label::of(control).closes())
        .filter(|control| !decision.never_overridden.contains(&control.meta.code))
        .min_by_key(|control| Label::of(control))
        .map(|control| {
            let command = format!("/ccgate override {} TICKET reason", control.meta.code);
            (who, command)
        })
}

/// E.g. `acme/app #7`.
pub(super) fn subject(decision: &Decision) -> String {
    match decision.subject.change {
        Some(number) => format!("{} #{number}", decision.subject.repository),
        None => decision.subject.repository.clone(),
    }
}

/// E.g. `1 wave`, `2 waves`.
pub(super) fn number(count: u32, of: &str) -> String {
    let end = if count == 1 { "" } else { "s" };
    format!("{count} {of}{end}")
}

/// The first characters of a commit or digest.
pub(super) fn short(id: &str) -> String {
    id.strip_prefix("sha256:")
        .unwrap_or(id)
        .chars()
        .take(7)
        .collect()
}

pub(super) fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Advisory => "advisory",
        Mode::Enforce => "enforce",
    }
}

pub(super) fn enforcement(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Off => "off",
        Enforcement::Warn => "warn",
        Enforcement::Block => "block",
    }
}

/// The criteria of a control, e.g. `CC8.1, CC7.2`.
pub(super) fn criteria(control: &ControlDecision) -> Vec<&'static str> {
    control
        .meta
        .criteria
        .iter()
        .map(|criterion| criterion.id())
        .collect()
}
