//! CHG-06: whoever approved may write, and is in the team that the policy names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{branch, counted};
use super::owners::{Owners, Tally, of_those};
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::tree::{Against, Ruling, Tree, Worth};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of CHG-06.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApproverMayWrite {
    /// Teams (`@acme/reviewers`) and users whose approval is needed; one of them is
    /// enough. Nobody: anybody who may write.
    from: Owners,
    /// Fewest such approvals; 0 counts as 1.
    min: u32,
}

impl Default for ApproverMayWrite {
    fn default() -> Self {
        Self {
            from: Owners::default(),
            min: 1,
        }
    }
}

impl Control for ApproverMayWrite {
    const META: Meta = Meta {
        code: "CHG-06",
        id: "approver-may-write",
        title: "whoever approved may write and is in the team that the policy names",
        criteria: &[Criterion::Cc6_3, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.5.18"]),
            (Framework::PciDss, &["7.2.2"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeIdentity,
            FactKey::TeamMembers,
        ],
        rationale: "An approval by somebody without the right to make the change is an opinion.",
        cheat: "Letting a friend with read access, or from another team, approve. The platform's word on \
                who may write decides, and membership is read from the platform, never from what a \
                reviewer says; both hold for the moment of the check.",
        remedy_github: "ask somebody with write access and in the named team for a review",
        remedy_gitlab: "ask somebody with at least the Developer role and in the named group for an \
                        approval",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.reviews;
        let min = self.min.max(1) as usize;
        let rulings = self.weighed(facts)?;
        let tally = Tally::of(&rulings);
        let others: Vec<String> = rulings
            .iter()
            .filter(|ruling| {
                matches!(&ruling.worth, Worth::Never(against) if against.is_about_the_approver())
            })
            .map(Ruling::who)
            .collect();
        let reached = tally.reaches(min)?;
        let mut seen = if tally.sure.is_empty() {
            "no approval by somebody who may write".to_owned()
        } else {
            format!("approved by {}", tally.sure.join(", "))
        };
        if !self.from.is_empty() {
            seen.push_str(&format!(", of {}", self.from.in_words()));
        }
        if !others.is_empty() {
            seen.push_str(&format!("; {} do not count", others.join(", ")));
        }
        let evidence = Evidence::new(
            format!("{seen}; {min} needed"),
            FactKey::ChangeReviews,
            seen,
            fact.sources(),
        );
        Ok(if reached {
            Verdict::Pass(evidence)
        } else {
            Verdict::fail(evidence).awaiting(Awaiting::Approval)
        })
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        Some(Tree {
            hands: None,
            branches: branch(self.min, self.weighed(facts)),
        })
    }

    fn teams(&self) -> Vec<String> {
        self.from.teams()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if let Some(more) = self.from.more_than(&base.from) {
            return Some(format!("lets {more} approve as well"));
        }
        (self.min.max(1) < base.min.max(1))
            .then(|| format!("asks for {} approvals instead of {}", self.min, base.min))
    }
}

impl ApproverMayWrite {
    /// What each review is worth.
    ///
    /// # Errors
    /// Why the reviews could not be seen.
    fn weighed(&self, facts: &Snapshot) -> Result<Vec<Ruling>, Unknown> {
        let counted = counted(facts)?;
        if self.from.is_empty() {
            return Ok(counted);
        }
        Ok(of_those(
            &counted,
            |account| self.from.include(account, facts),
            &Against::NotNamed(self.from.in_words()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{approval, hidden, reviewed, seen, verdict_of};
    use crate::facts::{Fact, Review, TeamMembers};
    use serde_json::json;

    fn reader(login: &str) -> Review {
        Review {
            can_write: seen(false),
            ..approval(login)
        }
    }

    fn default(reviews: Vec<Review>) -> String {
        verdict_of(&ApproverMayWrite::default(), &reviewed(reviews))
    }

    #[test]
    fn somebody_who_may_write_passes_and_a_reader_or_the_opener_does_not() {
        assert_eq!(default(vec![approval("bob")]), "pass");
        assert_eq!(default(vec![reader("bob")]), "fail pending");
        assert_eq!(default(vec![approval("ana")]), "fail pending");
        assert_eq!(default(Vec::new()), "fail pending");
    }

    #[test]
    fn a_hidden_right_is_unknown_unless_another_approval_is_enough() {
        let unseen = || Review {
            can_write: hidden(),
            ..approval("bob")
        };
        assert_eq!(default(vec![unseen()]), "unknown");
        assert_eq!(default(vec![unseen(), approval("li")]), "pass");
    }

    fn of_team(members: Fact<Vec<String>>, reviews: Vec<Review>) -> String {
        let mut facts = reviewed(reviews);
        facts.teams = seen(vec![TeamMembers {
            team: "@acme/reviewers".to_owned(),
            members,
        }]);
        let control: ApproverMayWrite =
            serde_json::from_value(json!({"from": ["@acme/reviewers"]})).unwrap();
        assert_eq!(control.teams(), ["@acme/reviewers"]);
        verdict_of(&control, &facts)
    }

    #[test]
    fn a_named_team_has_to_be_seen_and_a_reader_in_it_does_not_count() {
        let bob = || seen(vec!["bob".to_owned()]);
        assert_eq!(of_team(bob(), vec![approval("bob")]), "pass");
        assert_eq!(of_team(bob(), vec![approval("li")]), "fail pending");
        assert_eq!(of_team(bob(), vec![reader("bob")]), "fail pending");
        assert_eq!(of_team(hidden(), vec![approval("bob")]), "unknown");
        assert_eq!(of_team(hidden(), vec![reader("bob")]), "fail pending");
    }

    #[test]
    fn a_second_approval_is_counted_where_the_policy_wants_two() {
        let two: ApproverMayWrite = serde_json::from_value(json!({"min": 2})).unwrap();
        let one = reviewed(vec![approval("bob"), reader("li")]);
        assert_eq!(verdict_of(&two, &one), "fail pending");
        let both = reviewed(vec![approval("bob"), approval("li")]);
        assert_eq!(verdict_of(&two, &both), "pass");
        assert!(ApproverMayWrite::default().weaker_than(&two).is_some());
    }
}
