//! CHG-18: whoever merged the change is recorded.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hands::Hands;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{ChangeState, FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-18.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MergerRecorded {
    /// Whether somebody who wrote the whole change may not merge it.
    not_sole_author: bool,
}

impl Control for MergerRecorded {
    const META: Meta = Meta {
        code: "CHG-18",
        id: "merger-recorded",
        title: "whoever merged the change is recorded",
        criteria: &[Criterion::Cc5_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.15"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["AC-5", "AU-10"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "The merge is the moment at which a change takes effect; somebody has to have done it.",
        cheat: "Letting an account merge and deleting it afterwards, or writing and merging alone. An \
                account that is gone is nobody; `not_sole_author: true` asks for a second person whom \
                the platform saw open or push the change, not one whom a commit names.",
        remedy_github: "find out from the audit log who merged, write it down as an exception, and let \
                        the merge queue or a second person merge",
        remedy_gitlab: "find out from the audit events who merged, write it down as an exception, and \
                        let a merge train or a second person merge",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.identity;
        let identity = fact.known()?;
        let evidence = |summary: String| {
            Evidence::new(
                summary.clone(),
                FactKey::ChangeIdentity,
                summary,
                fact.sources(),
            )
        };
        match identity.state {
            ChangeState::Merged => {}
            ChangeState::Open | ChangeState::Closed | ChangeState::Other(_) => {
                return Ok(Verdict::NotApplicable(evidence(
                    "the change is not merged".to_owned(),
                )));
            }
        }
        let Some(merger) = &identity.merged_by else {
            return Ok(Verdict::fail(evidence(
                "the platform names nobody who merged the change".to_owned(),
            )));
        };
        let login = &merger.login;
        if !self.not_sole_author {
            return Ok(Verdict::Pass(evidence(format!("@{login} merged it"))));
        }
        let hands = Hands::of(facts);
        // A machine is no second person, and a name in a commit is whatever its maker
        // typed: only whom the platform itself saw open or push the change counts.
        let seen_to_act = identity.author.iter().chain(
            facts
                .pushes
                .known()
                .into_iter()
                .flatten()
                .filter_map(|push| push.actor.known().ok()?.as_ref()),
        );
        let mut others = seen_to_act.filter(|other| other.is_human() && !other.is(login));
        if others.next().is_some() {
            return Ok(Verdict::Pass(evidence(format!(
                "@{login} merged it and is not its only author"
            ))));
        }
        if hands.hand_of(merger)?.is_none() {
            return Ok(Verdict::Pass(evidence(format!(
                "@{login} merged it and had no hand in it"
            ))));
        }
        // Somebody who is hidden, or has no account, may be the second author.
        if let Some(unknown) = hands.in_doubt() {
            return Err(unknown);
        }
        Ok(Verdict::fail_because(
            FailReason::NotIndependent,
            evidence(format!("@{login} wrote the whole change and merged it")),
        ))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (!self.not_sole_author && base.not_sole_author)
            .then(|| "lets the only author merge".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{
        commit, head, hidden, identity, older, person, push, reviewed, seen, verdict_of,
    };
    use crate::facts::{Account, Person, PushKind};

    fn merged_by(merger: Option<Account>) -> Snapshot {
        let mut facts = reviewed(Vec::new());
        let mut merged = identity("ana");
        merged.state = ChangeState::Merged;
        merged.merged_by = merger;
        facts.identity = seen(merged);
        facts
    }

    fn lax(facts: &Snapshot) -> String {
        verdict_of(&MergerRecorded::default(), facts)
    }

    fn strict(facts: &Snapshot) -> String {
        let strict = MergerRecorded {
            not_sole_author: true,
        };
        verdict_of(&strict, facts)
    }

    #[test]
    fn a_named_merger_passes_and_nobody_fails() {
        assert_eq!(lax(&merged_by(Some(Account::human("ana")))), "pass");
        assert_eq!(lax(&merged_by(Some(Account::bot("queue[bot]")))), "pass");
        assert_eq!(lax(&merged_by(None)), "fail");
    }

    #[test]
    fn a_change_that_is_not_merged_has_no_merger() {
        assert_eq!(lax(&reviewed(Vec::new())), "not_applicable");
        let mut facts = reviewed(Vec::new());
        facts.identity = hidden();
        assert_eq!(lax(&facts), "unknown");
    }

    #[test]
    fn a_strict_policy_keeps_the_only_author_from_merging() {
        assert_eq!(
            strict(&merged_by(Some(Account::human("Ana")))),
            "fail not_independent"
        );
        assert_eq!(strict(&merged_by(Some(Account::human("bob")))), "pass");
        let mut two = merged_by(Some(Account::human("ana")));
        // A name in a commit is whatever its maker typed.
        two.commits = seen(vec![commit(older(), "tom"), commit(head(), "ana")]);
        assert_eq!(strict(&two), "fail not_independent");
        two.pushes = seen(vec![push(PushKind::Push, "2026-06-01T09:00:00Z", "tom")]);
        assert_eq!(strict(&two), "pass");
        two.pushes = hidden();
        assert_eq!(strict(&two), "unknown");
    }

    #[test]
    fn whoever_opened_the_change_is_a_second_person_beside_who_merged_it() {
        let mut facts = merged_by(Some(Account::human("bob")));
        facts.commits = seen(vec![commit(head(), "bob")]);
        assert_eq!(strict(&facts), "pass");
    }

    #[test]
    fn a_bot_is_no_second_author() {
        let mut facts = merged_by(Some(Account::human("ana")));
        let mut helped = commit(head(), "ana");
        helped.co_authors = vec![Person {
            account: seen(Some(Account::bot("helper[bot]"))),
            ..person("x")
        }];
        facts.commits = seen(vec![helped]);
        assert_eq!(strict(&facts), "fail not_independent");
    }

    #[test]
    fn a_co_author_without_an_account_is_no_second_author() {
        let mut facts = merged_by(Some(Account::human("ana")));
        let mut invented = commit(head(), "ana");
        invented.co_authors = vec![Person {
            account: seen(None),
            ..person("x")
        }];
        facts.commits = seen(vec![invented]);
        assert_eq!(strict(&facts), "unknown");
    }

    #[test]
    fn the_lax_form_is_weaker() {
        let strict = MergerRecorded {
            not_sole_author: true,
        };
        assert!(MergerRecorded::default().weaker_than(&strict).is_some());
        assert_eq!(strict.weaker_than(&MergerRecorded::default()), None);
    }
}
