//! CHG-08: what an agent had a hand in was approved by enough people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::branch;
use super::hands::Hands;
use super::owners::{Tally, of_those, worthy};
use crate::controls::allowances;
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::globs::Globs;
use crate::controls::judging::some;
use crate::controls::tree::{Against, Ruling, Tree};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Account, AccountKind, Commit, FactKey, Person, Platform, Snapshot, Unknown};

/// Parameters of CHG-08.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AgentChangesApproved {
    /// Fewest approvals by people; 0 counts as 1.
    min: u32,
    /// Globs of logins that belong to agents although the platform holds them for
    /// people, e.g. `*-agent`. Bots are known without.
    #[schemars(with = "Vec<String>")]
    logins: Globs,
    /// Globs of names and e-mail addresses in commits that stand for an agent.
    #[schemars(with = "Vec<String>")]
    names: Globs,
    /// Trailers of commit messages that say that an agent wrote.
    trailers: Vec<String>,
}

impl Default for AgentChangesApproved {
    fn default() -> Self {
        Self {
            min: 1,
            logins: Globs::default(),
            names: Globs::default(),
            trailers: vec!["Assisted-by".to_owned(), "Generated-by".to_owned()],
        }
    }
}

impl Control for AgentChangesApproved {
    const META: Meta = Meta {
        code: "CHG-08",
        id: "agent-changes-approved",
        title: "what an agent had a hand in was approved by enough people",
        criteria: &[Criterion::Cc5_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
        ],
        rationale: "A machine answers for nothing. What it wrote needs people who do, and one machine \
                    is no second pair of eyes for another.",
        cheat: "Letting an agent work under an ordinary account, or letting one agent approve what \
                another wrote. Approvals of bots and of the logins that the policy names never count, \
                commits and trailers give an agent away, and whoever had a hand in the change, the \
                person who drove the agent too, cannot approve it.",
        remedy_github: "ask people who had no hand in the change for a review; name the accounts of \
                        your agents in `logins`",
        remedy_gitlab: "ask people who had no hand in the change for an approval; name the accounts of \
                        your agents in `logins`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let hands = Hands::of(facts);
        let mut agents: Vec<String> = hands
            .known()
            .filter(|hand| self.is_agent(hand.account))
            .map(|hand| format!("@{} {}", hand.account.login, hand.how))
            .collect();
        if let Ok(commits) = facts.commits.known() {
            agents.extend(commits.iter().flat_map(|commit| self.given_away(commit)));
        }
        agents.sort_unstable();
        agents.dedup();
        let evidence = |summary: String, seen: String| {
            Evidence::new(
                summary,
                FactKey::ChangeCommits,
                seen,
                facts.commits.sources(),
            )
        };
        if agents.is_empty() {
            // Whoever is hidden may be an agent.
            return match hands.in_doubt() {
                Some(unknown) => Err(unknown),
                None => Ok(Verdict::NotApplicable(evidence(
                    "no agent is known to have had a hand in the change".to_owned(),
                    "no agent".to_owned(),
                ))),
            };
        }
        let min = self.min.max(1) as usize;
        let people = Tally::of(&self.weighed(facts, &hands)?);
        let reached = people.reaches(min)?;
        let agents = some(&agents);
        let approved = if people.sure.is_empty() {
            "no person without a hand in it approved".to_owned()
        } else {
            format!("approved by {}", people.sure.join(", "))
        };
        let evidence = evidence(format!("{agents}; {approved}; {min} needed"), agents).and(
            FactKey::ChangeReviews,
            approved,
            facts.reviews.sources(),
        );
        Ok(if reached {
            Verdict::Pass(evidence)
        } else {
            Verdict::fail(evidence).awaiting(Awaiting::Approval)
        })
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let hands = Hands::with_deeds(facts);
        Some(Tree {
            branches: branch(self.min, self.weighed(facts, &hands)),
            hands: Some(hands.into_deeds()),
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.min.max(1) < base.min.max(1) {
            return Some(format!(
                "asks for {} approvals instead of {}",
                self.min, base.min
            ));
        }
        let fewer = base
            .logins
            .beyond(&self.logins)
            .or_else(|| base.names.beyond(&self.names))
            .or_else(|| allowances::more(&base.trailers, &self.trailers));
        fewer.map(|fewer| format!("does not take {fewer} for agents"))
    }
}

impl AgentChangesApproved {
    /// What each review is worth.
    ///
    /// # Errors
    /// Why the reviews could not be seen.
    fn weighed(&self, facts: &Snapshot, hands: &Hands<'_>) -> Result<Vec<Ruling>, Unknown> {
        Ok(of_those(
            &worthy(facts, hands)?,
            |account| Ok(!self.is_agent(account)),
            &Against::Agent,
        ))
    }

    /// The platform's own account stands for the person whom the commit names.
    fn is_agent(&self, account: &Account) -> bool {
        match account.kind {
            AccountKind::Human => self.logins.matches(&account.login),
            AccountKind::Platform => false,
            AccountKind::Bot | AccountKind::Other(_) => true,
        }
    }

    /// What in a commit says that an agent wrote it.
    fn given_away(&self, commit: &Commit) -> Vec<String> {
        let people = [&commit.author, &commit.committer]
            .into_iter()
            .chain(&commit.co_authors)
            .filter(|person| self.is_named(person))
            .map(|person| format!("`{}` in a commit", person.name));
        let trailers = commit
            .message
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(|(key, _)| {
                let named = |trailer: &String| trailer.eq_ignore_ascii_case(key.trim());
                self.trailers.iter().any(named)
            })
            .map(|(key, _)| format!("a commit says `{}`", key.trim()));
        people.chain(trailers).collect()
    }

    fn is_named(&self, person: &Person) -> bool {
        self.names.matches(&person.name) || self.names.matches(&person.email)
    }
}

#[cfg(test)]
mod tests;
