//! CHG-04: somebody approved who had no hand in the change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Standing, latest, may_write};
use crate::controls::control::{Awaiting, Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{AccountKind, FactKey, Person, Platform, PushKind, Snapshot, Unknown, Why};

/// CHG-04 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApproverIsIndependent {}

impl Control for ApproverIsIndependent {
    const META: Meta = Meta {
        code: "CHG-04",
        id: "approver-is-independent",
        title: "somebody approved who had no hand in the change",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1, Criterion::Cc6_3],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "Whoever wrote a part of a change cannot be the one who judges it.",
        cheat: "Committing under an address that belongs to no account, then approving. A person without an account makes this fail.",
        remedy_github: "ask somebody who has no commit in the change for a review",
        remedy_gitlab: "ask an approver who has no commit in the change",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let hands = hands(facts);
        let key = FactKey::ChangeCommits;
        if !hands.nobody.is_empty() {
            let who = hands.nobody.join(", ");
            return Ok(Verdict::fail_because(
                FailReason::UnresolvedIdentity,
                Evidence::new(
                    format!("no account belongs to {who}, so nobody can be told apart from them"),
                    key,
                    who,
                    facts.commits.sources(),
                ),
            )
            .next("add the commit address to its account, or rewrite the commit"));
        }
        let mut own = Vec::new();
        let mut free = Vec::new();
        let mut hidden = hands.hidden;
        let mut in_doubt = false;
        for approval in latest(fact.known()?) {
            let login = &approval.reviewer.login;
            let how = hands
                .people
                .iter()
                .find(|(name, _)| approval.reviewer.is(name));
            match (may_write(&approval), how) {
                (Standing::Never, _) => {}
                (Standing::Counts | Standing::Hidden(_), Some((_, how))) => {
                    own.push(format!("@{login}, who {how}"))
                }
                (Standing::Counts, None) => free.push(format!("@{login}")),
                (Standing::Hidden(unknown), None) => {
                    in_doubt = true;
                    hidden.push(unknown);
                }
            }
        }
        let seen = fact.sources();
        if free.is_empty() && !in_doubt {
            return Ok(if own.is_empty() {
                Verdict::fail(Evidence::new(
                    "nobody who may write has approved",
                    FactKey::ChangeReviews,
                    "no approval",
                    seen,
                ))
                .awaiting(Awaiting::Approval)
            } else {
                let own = own.join(", ");
                Verdict::fail_because(
                    FailReason::NotIndependent,
                    Evidence::new(
                        format!("approved only by {own}"),
                        FactKey::ChangeReviews,
                        own,
                        seen,
                    ),
                )
                .next("ask somebody who had no hand in the change")
            });
        }
        match hidden.into_iter().next() {
            // An approver known to be free of it is enough only when all hands are known.
            Some(unknown) if in_doubt && free.is_empty() || !hands.complete => Err(unknown),
            Some(_) | None => Ok(Verdict::Pass(
                Evidence::new(
                    format!("{} approved and had no hand in the change", free.join(", ")),
                    FactKey::ChangeReviews,
                    free.join(", "),
                    seen,
                )
                .and(
                    key,
                    format!("{} people had a hand in it", hands.people.len()),
                    facts.commits.sources(),
                ),
            )),
        }
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

struct Hands {
    people: Vec<(String, &'static str)>,
    nobody: Vec<String>,
    hidden: Vec<Unknown>,
    complete: bool,
}

/// Everybody who had a hand in the change, and what hides others.
fn hands(facts: &Snapshot) -> Hands {
    let mut hands = Hands {
        people: Vec::new(),
        nobody: Vec::new(),
        hidden: Vec::new(),
        complete: true,
    };
    match facts.identity.known() {
        Ok(identity) => hands.people.extend(
            identity
                .author
                .iter()
                .map(|who| (who.login.clone(), "opened it")),
        ),
        Err(unknown) => hands.hidden.push(unknown),
    }
    match facts.commits.known() {
        Ok(commits) if commits.is_empty() => hands.hidden.push(Unknown::new(
            FactKey::ChangeCommits.name(),
            Why::Failed,
            "the platform lists no commit of this change",
        )),
        Ok(commits) => {
            for commit in commits {
                hands.add(&commit.author, "wrote a commit", &commit.sha);
                hands.add(&commit.committer, "committed", &commit.sha);
                for person in &commit.co_authors {
                    hands.add(person, "is a co-author", &commit.sha);
                }
            }
        }
        Err(unknown) => hands.hidden.push(unknown),
    }
    match facts.pushes.known() {
        Ok(pushes) => {
            for push in pushes
                .iter()
                .filter(|push| push.kind == PushKind::ForcePush)
            {
                match push.actor.known() {
                    Ok(who) => hands
                        .people
                        .extend(who.iter().map(|who| (who.login.clone(), "force-pushed it"))),
                    Err(unknown) => hands.hidden.push(unknown),
                }
            }
        }
        Err(unknown) => hands.hidden.push(unknown),
    }
    hands.complete = hands.hidden.is_empty();
    hands
}

impl Hands {
    fn add(&mut self, person: &Person, how: &'static str, sha: &str) {
        match person.account.known() {
            Ok(Some(account)) => match account.kind {
                // The platform's own committer stands for somebody else, who is named as author.
                AccountKind::Platform if how == "committed" => {}
                AccountKind::Platform
                | AccountKind::Human
                | AccountKind::Bot
                | AccountKind::Other(_) => {
                    self.people.push((account.login.clone(), how));
                }
            },
            Ok(None) => self.nobody.push(format!(
                "`{}` in {}",
                person.name,
                sha.get(..7).unwrap_or(sha)
            )),
            Err(unknown) => self.hidden.push(unknown),
        }
    }
}
