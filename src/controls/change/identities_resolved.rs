//! CHG-05: everybody who had a hand in the change is an account.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hands::Hands;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::tree::Tree;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// CHG-05 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IdentitiesResolved {}

impl Control for IdentitiesResolved {
    const META: Meta = Meta {
        code: "CHG-05",
        id: "identities-resolved",
        title: "everybody who had a hand in the change is an account",
        criteria: &[Criterion::Cc6_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.16", "A.8.15"]),
            (Framework::PciDss, &["8.2.1"]),
            (Framework::Nist80053, &["IA-2", "AU-10"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "Whoever cannot be named cannot be told apart from those who approve, and nobody \
                    answers for what they wrote.",
        cheat: "Committing under an invented address, or under the platform's own. Author, committer, \
                co-authors, opener and pushers each have to belong to an account; an address that \
                the platform did not resolve is unknown, never somebody.",
        remedy_github: "add the commit's e-mail address to its account under \"Emails\", or rewrite the \
                        commit; where an account was deleted, open the change anew",
        remedy_gitlab: "add the commit's e-mail address to its account under \"Emails\", or rewrite the \
                        commit; where an account was deleted, open the change anew",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let hands = Hands::of(facts);
        let evidence = |summary: String, seen: String| {
            Evidence::new(
                summary,
                FactKey::ChangeCommits,
                seen,
                facts.commits.sources(),
            )
        };
        if !hands.nobody().is_empty() {
            let who = some(hands.nobody());
            return Ok(Verdict::fail_because(
                FailReason::UnresolvedIdentity,
                evidence(format!("no account belongs to {who}"), who),
            ));
        }
        if let Some(unknown) = hands.hidden() {
            return Err(unknown.clone());
        }
        let count = hands.count();
        Ok(Verdict::Pass(evidence(
            format!("all {count} who had a hand in the change are accounts"),
            format!("{count} accounts"),
        )))
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        Some(Tree {
            hands: Some(Hands::with_deeds(facts).into_deeds()),
            branches: Vec::new(),
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{
        commit, head, hidden, identity, older, person, push, reviewed, seen, verdict_of,
    };
    use crate::facts::{Account, Commit, Person, PushKind};

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&IdentitiesResolved {}, facts)
    }

    fn with(fill: impl FnOnce(&mut Commit)) -> Snapshot {
        let mut facts = reviewed(Vec::new());
        let mut newest = commit(head(), "ana");
        fill(&mut newest);
        facts.commits = seen(vec![commit(older(), "ana"), newest]);
        facts
    }

    fn nobody() -> Person {
        Person {
            account: seen(None),
            ..person("x")
        }
    }

    #[test]
    fn known_accounts_pass() {
        assert_eq!(verdict(&with(|_| {})), "pass");
        let bot = |commit: &mut Commit| commit.author.account = seen(Some(Account::bot("b[bot]")));
        assert_eq!(verdict(&with(bot)), "pass");
    }

    #[test]
    fn an_author_a_committer_or_a_co_author_without_an_account_fails() {
        let cases: [fn(&mut Commit); 3] = [
            |commit| commit.author = nobody(),
            |commit| commit.committer = nobody(),
            |commit| commit.co_authors = vec![nobody()],
        ];
        for fill in cases {
            assert_eq!(verdict(&with(fill)), "fail unresolved_identity");
        }
    }

    #[test]
    fn a_deleted_opener_or_force_pusher_fails() {
        let mut facts = with(|_| {});
        let mut gone = identity("ana");
        gone.author = None;
        facts.identity = seen(gone);
        assert_eq!(verdict(&facts), "fail unresolved_identity");
        let mut facts = with(|_| {});
        let mut forced = push(PushKind::ForcePush, "2026-06-01T10:00:00Z", "ana");
        forced.actor = seen(None);
        facts.pushes = seen(vec![forced]);
        assert_eq!(verdict(&facts), "fail unresolved_identity");
    }

    #[test]
    fn what_is_not_told_is_unknown_and_somebody_proven_unknown_fails_anyway() {
        assert_eq!(
            verdict(&with(|commit| commit.author.account = hidden())),
            "unknown"
        );
        let both = |commit: &mut Commit| {
            commit.author.account = hidden();
            commit.committer = nobody();
        };
        assert_eq!(verdict(&with(both)), "fail unresolved_identity");
        let mut facts = with(|_| {});
        facts.pushes = hidden();
        assert_eq!(verdict(&facts), "unknown");
    }

    #[test]
    fn a_list_of_commits_that_stops_before_the_head_is_unknown() {
        let mut facts = reviewed(Vec::new());
        facts.commits = seen(vec![commit(older(), "ana")]);
        assert_eq!(verdict(&facts), "unknown");
    }
}
