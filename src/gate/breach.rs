//! What stands on the branch already and should not: a merge past the gate, a push
//! straight to the branch, rewritten history, something added after the approval. Nobody
//! asked for it, so the gate itself opens a record that a person has to close, with a review
//! on any change.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::controls::FailReason;
use crate::facts::{AccountRef, ArrivedChange, Identified as _, Move, RuleBypass, Snapshot, Way};

use super::deadline::BREACH_WITHIN;
use super::decide::{ControlDecision, Decision, VerdictWord};
use super::kind::Kind;
use super::record::{RecordContext, cut, subject};

/// How the id of a breach begins.
pub(super) const BREACH_PREFIX: &str = "byp_";
/// As much of a summary as any record keeps.
const LONGEST_SUMMARY: usize = 2000;

/// Whether the decision found any.
pub fn has_breach(decision: &Decision) -> bool {
    breaches(decision).next().is_some()
}

/// The controls that found one, whatever the policy makes of their fail.
pub(super) fn breaches(decision: &Decision) -> impl Iterator<Item = &ControlDecision> {
    decision.controls.iter().filter(|control| {
        control.verdict == Some(VerdictWord::Fail)
            && FailReason::BREACHES
                .iter()
                .any(|reason| control.reason.as_deref() == Some(reason.code()))
    })
}

/// Everybody who pushed or merged what came onto the branch, had a hand in the changes that
/// brought it, or asked for or allowed a bypass for it that is on record. `None`: who merged or
/// pushed to the branch, or what a change consists of, is not known. Of a change, who
/// belongs to no account is left out: it is seldom that all addresses belong to one, and then
/// nobody could review it.
pub(super) fn moved_by(facts: &Snapshot) -> Option<Vec<AccountRef>> {
    let arrivals = facts.arrivals.known().ok()?.as_ref()?;
    let changes = facts.arrived_changes.known().ok().and_then(Option::as_ref);
    let mut people = Vec::new();
    for arrival in &arrivals.commits {
        match arrival.way.known().ok()? {
            Way::DirectPush { pusher, .. } => people.push(AccountRef::from(pusher.as_ref()?)),
            Way::Change { number, .. } => {
                let change = changes?.iter().find(|change| change.number == *number)?;
                let identity = change.identity.known().ok()?;
                people.push(AccountRef::from(identity.merged_by.as_ref()?));
                people.extend(hands(change)?);
            }
        }
    }
    for moved in arrivals.moves.known().ok()? {
        people.push(AccountRef::from(moved.actor.as_ref()?));
    }
    let of = of_the_move(facts);
    if of.as_ref().is_some_and(|(_, whole)| !whole) {
        return None;
    }
    for bypass in of.into_iter().flat_map(|(found, _)| found) {
        for one in bypass.people()? {
            // Of one whose number is known nothing more is told by the login alone.
            let named = one.id.is_none() && people.iter().any(|other| one.may_be(other));
            if !named {
                people.push(one);
            }
        }
    }
    people.sort_unstable();
    people.dedup();
    Some(people)
}

/// Whoever opened a change, wrote, committed or pushed to it, as far as they have accounts.
fn hands(change: &ArrivedChange) -> Option<Vec<AccountRef>> {
    let opener = change.identity.known().ok()?.author.as_ref();
    let commits = change.commits.known().ok()?;
    let pushes = change.pushes.known().ok()?;
    let named = commits
        .iter()
        .flat_map(|commit| {
            [&commit.author, &commit.committer]
                .into_iter()
                .chain(&commit.co_authors)
        })
        .map(|person| &person.account);
    let told = named.chain(pushes.iter().map(|push| &push.actor));
    let accounts = told.filter_map(|account| account.known().ok()?.as_ref());
    Some(
        opener
            .into_iter()
            .chain(accounts)
            .map(AccountRef::from)
            .collect(),
    )
}

/// The moves of the branch that were looked at, each in one line.
pub(super) fn moves(facts: &Snapshot) -> Vec<String> {
    let arrivals = facts.arrivals.known().ok().and_then(Option::as_ref);
    let moves = arrivals.and_then(|arrivals| arrivals.moves.known().ok());
    let line = |moved: &Move| {
        let at = moved.at.map(|at| at.to_string());
        let [before, at] = [&moved.before, &at].map(|text| text.as_deref().unwrap_or("-"));
        format!("{before} {} {at}", moved.after)
    };
    moves.into_iter().flatten().map(line).collect()
}

/// What the platform's own records tell of going around its rules for what came.
pub(super) fn gone_around(facts: &Snapshot) -> Vec<RuleBypass> {
    of_the_move(facts).map_or_else(Vec::new, |(found, _)| found)
}

/// The same, and whether there can be no more. `None`: nothing is told at all, as to tokens that
/// may not read any of it; who had a hand is then who pushed and merged.
fn of_the_move(facts: &Snapshot) -> Option<(Vec<RuleBypass>, bool)> {
    let (Ok(Some(arrivals)), Ok(Some(bypasses))) = (facts.arrivals.known(), facts.bypasses.known())
    else {
        return None;
    };
    let of = bypasses.of_the_move(arrivals, &facts.arrived_changes);
    let whole = bypasses.unseen.is_none() && of.doubt.is_none();
    Some((of.found.into_iter().cloned().collect(), whole))
}

/// One of them as it stands in the record of the breach.
fn imported(bypass: &RuleBypass) -> Value {
    let allowed = bypass.allowed_by.as_deref();
    json!({
        "record": bypass.record.as_deref().map(|text| cut(text, LONGEST_SUMMARY)),
        "after": bypass.after,
        "commit": bypass.commit,
        "change": bypass.change,
        "by": bypass.actor.as_ref().map(|who| who.login.as_str()),
        "by_id": bypass.actor.as_ref().and_then(|who| who.id),
        "allowed_by": allowed.map(logins),
        "allowed_by_ids": allowed.map(ids),
        "allowed_by_asker": bypass.allowed_by_asker(),
        "reason": bypass.reason.as_deref().map(|text| cut(text, LONGEST_SUMMARY)),
        "forge_time": bypass.at.map(|at| at.to_string()),
    })
}

/// The same breach has the same id in every record about it.
pub(super) fn breach_id(decision: &Decision, control: &ControlDecision) -> String {
    let text = format!(
        "{}\n{}\n{}\n{}\n{}",
        decision.subject.platform.word(),
        decision.subject.repository,
        decision.subject.target,
        decision.subject.head,
        control.meta.code
    );
    // A branch that was moved away and back ends at the same head each time.
    let moves = match control.reason.as_deref() {
        Some(reason) if reason == FailReason::HistoryRewritten.code() => decision.moves.join("\n"),
        Some(_) | None => String::new(),
    };
    let text = text + &moves;
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    format!("{BREACH_PREFIX}{}", &digest[..26])
}

fn logins(people: &[AccountRef]) -> Vec<&str> {
    people.iter().map(|one| one.login.as_str()).collect()
}

fn ids(people: &[AccountRef]) -> Vec<Option<u64>> {
    people.iter().map(|one| one.id).collect()
}

/// The predicate of the record that is opened for it.
pub(super) fn breach_record(
    decision: &Decision,
    control: &ControlDecision,
    context: &RecordContext,
) -> Value {
    json!({
        "schema": "ccgate.override/v1",
        "observed_at": decision.observed_at.to_string(),
        "id": breach_id(decision, control),
        "kind": Kind::BypassDetected.word(),
        "control_ids": [control.meta.id],
        "controls": [control.meta.code],
        "verdict": "fail",
        "reason_code": control.reason,
        "what": cut(&control.summary, LONGEST_SUMMARY),
        "disposition": control.disposition.map(super::decide::Disposition::word),
        "scope": subject(&decision.subject),
        "policy_digest": decision.policy.as_ref().map(|policy| policy.digest.as_str()),
        "review": {
            "due": BREACH_WITHIN,
            "due_at": decision.breach_due.map(|due| due.to_string()),
            "by": "somebody who neither pushed nor merged it, had no hand in its changes, and neither asked for nor allowed a bypass",
        },
        // Only where the platform's own records are what the control looked at.
        "platform_records": (control.reason.as_deref() == Some(FailReason::MergedPastGate.code()))
            .then(|| decision.gone_around.iter().map(imported).collect::<Vec<_>>()),
        "involved": decision.moved_by.as_ref().map(|people| logins(people)),
        // In the same order; null where the platform did not tell the number.
        "involved_ids": decision.moved_by.as_ref().map(|people| ids(people)),
        "tool": {"name": context.tool, "version": context.version},
        "snapshot_digest": context.snapshot_digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::{Evidence, Verdict};
    use crate::facts::{
        Account, Ancestry, Arrival, Arrivals, Commit, Fact, FactKey, Identity, MoveKind,
        PreviousTip, RuleBypasses, ToldBy,
    };
    use crate::gate::testing::{
        FIRST, SECOND, control, decision, facts, fail, policy, record_context,
    };
    use crate::gate::{OVERRIDE_RECORD_TYPE, records};

    fn failing(reason: FailReason) -> Decision {
        let evidence = Evidence::new("d1 was pushed", FactKey::BranchArrivals, "d1", &[]);
        let verdict = Ok(Verdict::fail_because(reason, evidence));
        decision(
            &policy(vec![control(&FIRST, verdict), control(&SECOND, fail())]),
            &facts(),
        )
    }

    #[test]
    fn every_kind_of_breach_opens_a_record_with_a_deadline() {
        for reason in FailReason::BREACHES {
            let decision = failing(reason);
            assert!(has_breach(&decision));
            let records = records(&decision, &record_context());
            assert_eq!(records.len(), 2, "the plain fail beside it opens none");
            assert_eq!(records[1]["predicateType"], OVERRIDE_RECORD_TYPE);
            let opened = &records[1]["predicate"];
            assert_eq!(opened["kind"], "bypass_detected");
            assert_eq!(opened["reason_code"], reason.code());
            assert_eq!(opened["review"]["due"], "5 business days");
            assert_eq!(opened["what"], "d1 was pushed");
            assert_eq!(
                records[0]["predicate"]["bypasses_detected"][0],
                opened["id"]
            );
        }
    }

    #[test]
    fn a_fail_that_somebody_can_still_mend_opens_none() {
        let decision = failing(FailReason::StaleApproval);
        assert!(!has_breach(&decision));
        assert_eq!(records(&decision, &record_context()).len(), 1);
    }

    #[test]
    fn the_same_breach_has_the_same_id() {
        let (one, other) = (
            failing(FailReason::DirectPush),
            failing(FailReason::DirectPush),
        );
        let id = |decision: &Decision| breach_id(decision, breaches(decision).next().unwrap());
        assert_eq!(id(&one), id(&other));
        let mut elsewhere = other;
        elsewhere.subject.head = "0d".repeat(20);
        assert_ne!(id(&one), id(&elsewhere));
    }

    /// A move by @ana of change 7, and what the platform has on record.
    fn gone_around_by(bypass: RuleBypass) -> Snapshot {
        let mut facts = facts();
        let ana = Account::human("ana").numbered(Some(1));
        let after = "a1".repeat(20);
        let moved = Move {
            kind: MoveKind::Push,
            before: None,
            after: after.clone(),
            actor: Some(ana.clone()),
            at: None,
        };
        let pushed = Way::DirectPush {
            pusher: Some(ana),
            evidence: "the log".to_owned(),
        };
        facts.arrivals = Fact::known_without_source(Some(Arrivals {
            before: PreviousTip {
                commit: None,
                told_by: ToldBy::Event,
            },
            after: after.clone(),
            ancestry: Fact::known_without_source(Ancestry::New),
            commits: vec![Arrival {
                sha: after,
                parents: Vec::new(),
                message: String::new(),
                way: Fact::known_without_source(pushed),
            }],
            count: Fact::known_without_source(1),
            moves: Fact::known_without_source(vec![moved]),
            reached: Fact::known_without_source(Vec::new()),
            earlier_life: Fact::known_without_source(false),
        }));
        facts.arrived_changes = Fact::known_without_source(Some(Vec::new()));
        facts.bypasses = Fact::known_without_source(Some(RuleBypasses {
            since: facts.observed_at,
            early_since: None,
            found: vec![bypass],
            unseen: None,
        }));
        facts
    }

    fn request() -> RuleBypass {
        let person = |login: &str, id| AccountRef {
            login: login.to_owned(),
            id: Some(id),
        };
        RuleBypass {
            commit: Some("a1".repeat(20)),
            actor: Some(person("eve", 2)),
            allowed_by: Some(vec![person("li", 3)]),
            reason: Some("/ccgate approve ovr_1".to_owned()),
            record: Some("push rules, request 3, completed".to_owned()),
            ..RuleBypass::default()
        }
    }

    /// The cheat: whoever allowed a bypass closes its record too.
    #[test]
    fn who_asked_for_or_allowed_a_bypass_had_a_hand_in_it() {
        let logins = |bypass: RuleBypass| {
            let people = moved_by(&gone_around_by(bypass))?;
            Some(people.into_iter().map(|one| one.login).collect::<Vec<_>>())
        };
        let all = ["ana", "eve", "li"].map(str::to_owned).to_vec();
        assert_eq!(logins(request()), Some(all));
        let mut elsewhere = request();
        elsewhere.commit = Some("d4".repeat(20));
        assert_eq!(logins(elsewhere), Some(vec!["ana".to_owned()]));
        for unnamed in [
            RuleBypass {
                actor: None,
                ..request()
            },
            RuleBypass {
                allowed_by: None,
                ..request()
            },
        ] {
            assert_eq!(logins(unnamed), None, "then nobody can review it");
        }
        // What was not seen of the records may name others.
        let mut partly = gone_around_by(request());
        let Fact::Known {
            value: Some(records),
            ..
        } = &mut partly.bypasses
        else {
            panic!("there are records");
        };
        records.unseen = Some(crate::facts::Unknown::not_collected("branch.bypasses"));
        assert_eq!(moved_by(&partly), None);
        let by_login = RuleBypass::of_move("a1".repeat(20), Some(AccountRef::of_login("ANA")));
        assert_eq!(logins(by_login), Some(vec!["ana".to_owned()]));
    }

    /// The cheat: who opened the change or pushed to it after the approval lets somebody else merge,
    /// and closes the record of it.
    #[test]
    fn who_had_a_hand_in_a_change_that_came_past_the_gate_had_a_hand_in_the_breach() {
        let mut facts = gone_around_by(RuleBypass {
            commit: Some("d4".repeat(20)),
            ..request()
        });
        let Fact::Known {
            value: Some(arrivals),
            ..
        } = &mut facts.arrivals
        else {
            panic!("there are arrivals");
        };
        arrivals.commits[0].way = Fact::known_without_source(Way::Change {
            number: 42,
            method: Fact::known_without_source(crate::facts::ArrivalMethod::Merge),
        });
        let mut identity = facts.identity.known().expect("an identity").clone();
        identity.merged_by = Some(Account::human("dora"));
        let change = |commits: &Fact<Vec<Commit>>, identity: &Identity| ArrivedChange {
            number: 42,
            identity: Fact::known_without_source(identity.clone()),
            commits: commits.clone(),
            reviews: facts.reviews.clone(),
            pushes: facts.pushes.clone(),
            checks: facts.checks.clone(),
        };
        let commits = facts.commits.clone();
        let involved = |change: ArrivedChange| {
            let mut facts = facts.clone();
            facts.arrived_changes = Fact::known_without_source(Some(vec![change]));
            let people = moved_by(&facts)?;
            Some(people.into_iter().map(|one| one.login).collect::<Vec<_>>())
        };
        let all = involved(change(&commits, &identity)).expect("they are known");
        for one in ["ana", "dora", "tom"] {
            assert!(all.contains(&one.to_owned()), "{one}: {all:?}");
        }
        let mut gone = identity.clone();
        gone.merged_by = None;
        assert_eq!(involved(change(&commits, &gone)), None);
        let hidden = Fact::Unknown(crate::facts::Unknown::not_collected("change.commits"));
        assert_eq!(involved(change(&hidden, &identity)), None);
    }

    #[test]
    fn the_record_keeps_what_the_platform_has_on_record() {
        let evidence = Evidence::new("it was let through", FactKey::BranchArrivals, "d1", &[]);
        let reason = FailReason::MergedPastGate;
        let verdict = Ok(Verdict::fail_because(reason, evidence));
        let decision = decision(
            &policy(vec![control(&FIRST, verdict)]),
            &gone_around_by(request()),
        );
        let opened = &records(&decision, &record_context())[1]["predicate"];
        assert_eq!(opened["involved"], json!(["ana", "eve", "li"]));
        assert_eq!(opened["involved_ids"], json!([1, 2, 3]));
        assert_eq!(
            opened["platform_records"],
            json!([{"record": "push rules, request 3, completed", "after": null,
                "commit": "a1".repeat(20), "change": null, "by": "eve", "by_id": 2,
                "allowed_by": ["li"], "allowed_by_ids": [3], "allowed_by_asker": false,
                "reason": "/ccgate approve ovr_1", "forge_time": null}])
        );
        let other = failing(FailReason::DirectPush);
        let opened = &records(&other, &record_context())[1]["predicate"];
        assert_eq!(opened["platform_records"], json!(null));
    }
}
