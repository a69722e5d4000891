//! Decisions to look at: one with something of everything, one that could not
//! be made, and one whose every text is hostile.

use crate::controls::{Awaiting, FailReason, Verdict};
use crate::facts::Fact;
use crate::gate::testing::{
    FIRST, GITLAB_ONLY, SECOND, THIRD, awaiting, command, comment, control, decision, evidence,
    facts, fail, pass, policy, unknown, waiver,
};
use crate::gate::{Decision, undecided};
use crate::policy::Concession;

use super::format::Tool;

pub(super) const TOOL: Tool<'static> = Tool {
    name: "ccgate",
    version: "0.1.0",
};

pub(super) const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\n::set-output name=a::b\r\n##[error]z \
     |`@everyone` \u{202e}dlrow\u{2066}\u{200b} <img src=x onerror=alert(1)> \
     [y](javascript:alert(1)) --> </details>";

/// Blocked: one fail, one unknown, one pass, one not applicable, an expired waiver,
/// an override by somebody who may not.
pub(super) fn blocked() -> Decision {
    let mut policy = policy(vec![
        control(&FIRST, fail()),
        control(&SECOND, unknown()),
        control(&THIRD, pass()),
        control(&GITLAB_ONLY, fail()),
    ]);
    policy.waivers = vec![waiver("first-thing-done", "*", "2026-05-01")];
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![comment(
        "900",
        "eve",
        "2026-06-01T11:00:00Z",
        &command().body,
    )]);
    decision(&policy, &facts)
}

/// Allowed: one override, one waiver, one pass.
pub(super) fn covered() -> Decision {
    let mut policy = policy(vec![
        control(&FIRST, fail()),
        control(&SECOND, fail()),
        control(&THIRD, pass()),
    ]);
    policy.waivers = vec![waiver("second-thing-done", "*", "2026-06-30")];
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![command()]);
    decision(&policy, &facts)
}

/// Allowed: the plan does not sell the first, the second makes up for it.
pub(super) fn compensated() -> Decision {
    let unsold = Verdict::fail_because(FailReason::Plan, evidence("it is not done"));
    let mut first = control(&FIRST, Ok(unsold));
    first.compensated_by = Some(SECOND.code);
    first.concession = Some(Concession {
        reason: "the tier lacks it".to_owned(),
        owner: "@acme/security".to_owned(),
        expires: "2026-12-31".parse().expect("a literal date"),
        what: "compensated_by TST-02".to_owned(),
    });
    decision(&policy(vec![first, control(&SECOND, pass())]), &facts())
}

pub(super) fn pending() -> Decision {
    let policy = policy(vec![
        control(&FIRST, awaiting(Awaiting::Approval)),
        control(&THIRD, pass()),
    ]);
    decision(&policy, &facts())
}

pub(super) fn not_judged() -> Decision {
    undecided(&facts(), "GET /repos/acme/app answered 502".to_owned())
}

/// Every text that comes from outside says [`HOSTILE`], a long time over.
pub(super) fn hostile() -> Decision {
    let text = HOSTILE.repeat(20);
    let mut policy = policy(vec![
        control(
            &FIRST,
            Ok(Verdict::fail(evidence(&text)).next(text.as_str())),
        ),
        control(&SECOND, Ok(Verdict::Pass(evidence(&text)))),
        control(&THIRD, fail()),
    ]);
    let mut standing = waiver("third-thing-done", "*", "2026-06-30");
    standing.reason.clone_from(&text);
    standing.owner.clone_from(&text);
    policy.waivers = vec![standing];
    let mut facts = facts();
    facts.subject.target.push_str(HOSTILE);
    facts.comments = Fact::known_without_source(vec![comment(
        HOSTILE,
        HOSTILE,
        "2026-06-01T11:00:00Z",
        &format!("/ccgate override {HOSTILE}"),
    )]);
    let mut decision = decision(&policy, &facts);
    decision.title = Some(text.clone());
    decision.may_override = vec![text.clone()];
    decision.problem = Some(text);
    decision
}
