//! CHG-09: a dependency bot touches nothing but lock files, or people approved it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::branch;
use super::checks_succeeded::ChecksSucceeded;
use super::hands::{Hands, short};
use super::owners::{Tally, worthy};
use crate::controls::allowances;
use crate::controls::control::{Awaiting, Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::path_glob::PathGlobs;
use crate::controls::tree::Tree;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Account, AccountKind, CommitSignature, FactKey, Platform, SignatureState, Snapshot, Unknown,
};

/// Files that package managers write and nobody edits.
const LOCK_FILES: [&str; 20] = [
    "**/Cargo.lock",
    "**/Gemfile.lock",
    "**/Package.resolved",
    "**/Pipfile.lock",
    "**/bun.lock",
    "**/composer.lock",
    "**/deno.lock",
    "**/flake.lock",
    "**/go.sum",
    "**/gradle.lockfile",
    "**/mix.lock",
    "**/npm-shrinkwrap.json",
    "**/package-lock.json",
    "**/packages.lock.json",
    "**/pdm.lock",
    "**/pnpm-lock.yaml",
    "**/poetry.lock",
    "**/pubspec.lock",
    "**/uv.lock",
    "**/yarn.lock",
];

/// Parameters of CHG-09.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DependencyBotStaysInLane {
    /// Logins of the bots that raise versions.
    bots: Vec<String>,
    /// Globs of the files that a bot may touch without people.
    #[schemars(with = "Vec<String>")]
    paths: PathGlobs,
    /// Whether a commit of the lane may lack a signature that the platform verified.
    /// Without one, anybody can write the bot's name into a commit.
    allow_unsigned: bool,
    /// Name of the gate's own check or job, which is left out.
    gate: String,
    /// Fewest approvals by people of a bot's change outside of the lane; 0 counts as 1.
    min: u32,
}

impl Default for DependencyBotStaysInLane {
    fn default() -> Self {
        Self {
            bots: vec!["dependabot[bot]".to_owned(), "renovate[bot]".to_owned()],
            paths: PathGlobs::literal(&LOCK_FILES),
            allow_unsigned: false,
            gate: "ccgate".to_owned(),
            min: 1,
        }
    }
}

impl Control for DependencyBotStaysInLane {
    const META: Meta = Meta {
        code: "CHG-09",
        id: "dependency-bot-stays-in-lane",
        title: "a dependency bot touches nothing but lock files, or people approved it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.8"]),
            (Framework::PciDss, &["6.3.3", "6.5.1"]),
            (Framework::Nist80053, &["CM-3", "SI-2"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchRules,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangePushes,
            FactKey::ChangeFiles,
            FactKey::ChangeSignatures,
            FactKey::ChangeChecks,
            FactKey::ChangeReviews,
        ],
        rationale: "Raising a version is work for a machine, and its branch is a place where other \
                    things slip in unseen.",
        cheat: "Pushing to the bot's branch, writing the bot's name into a commit, or moving a file \
                out of its folder with it. Whoever else had a hand in the change, a commit that the \
                platform did not verify, a path outside of the lane and a check that is not green \
                each ask for people. The lane takes nothing away from other controls.",
        remedy_github: "ask somebody who had no hand in the change for a review, or let the bot open \
                        it again so that nothing but lock files is in it",
        remedy_gitlab: "ask somebody who had no hand in the change for an approval, or let the bot \
                        open it again so that nothing but lock files is in it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let hands = Hands::of(facts);
        let bots = hands.known().filter(|hand| self.is_bot(hand.account));
        let mut bots: Vec<String> = bots
            .map(|hand| format!("@{}", hand.account.login))
            .collect();
        bots.sort_unstable();
        bots.dedup();
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::ChangeCommits,
                bots.join(", "),
                facts.commits.sources(),
            )
        };
        if bots.is_empty() {
            return match hands.in_doubt() {
                Some(unknown) => Err(unknown),
                None => Ok(Verdict::NotApplicable(Evidence::new(
                    "no dependency bot had a hand in the change",
                    FactKey::ChangeCommits,
                    "no dependency bot",
                    facts.commits.sources(),
                ))),
            };
        }
        let out_of_lane = self.out_of_lane(facts, &hands);
        if out_of_lane == Ok(None) {
            return Ok(Verdict::Pass(evidence(format!(
                "by {} alone, nothing but lock files, all checks green",
                bots.join(", ")
            ))));
        }
        // Approved by people it passes in the lane and out of it.
        let approvals = Tally::of(&worthy(facts, &hands)?);
        let min = self.min.max(1) as usize;
        let approved = approvals.reaches(min);
        if approved == Ok(true) {
            return Ok(Verdict::Pass(evidence(format!(
                "{} had a hand in it, approved by {}",
                bots.join(", "),
                approvals.sure.join(", ")
            ))));
        }
        let why = out_of_lane?.unwrap_or_default();
        approved?;
        Ok(Verdict::fail(evidence(format!(
            "{} left the lane: {why}; {} of {min} approvals by people",
            bots.join(", "),
            approvals.sure.len()
        )))
        .awaiting(Awaiting::Approval))
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let hands = Hands::with_deeds(facts);
        Some(Tree {
            branches: branch(self.min, worthy(facts, &hands)),
            hands: Some(hands.into_deeds()),
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if let Some(fewer) = allowances::more(&base.bots, &self.bots) {
            return Some(format!("does not watch {fewer}"));
        }
        if let Some(more) = base.paths.left_out(&self.paths) {
            return Some(format!("widens the lane: the base {more}"));
        }
        if self.allow_unsigned && !base.allow_unsigned {
            return Some("lets commits without a verified signature into the lane".to_owned());
        }
        if self.gate != base.gate && !self.gate.is_empty() {
            return Some(format!(
                "leaves out `{}` instead of `{}`",
                self.gate, base.gate
            ));
        }
        (self.min.max(1) < base.min.max(1)).then(|| {
            format!(
                "asks for {} approvals instead of {}",
                self.min.max(1),
                base.min.max(1)
            )
        })
    }
}

impl DependencyBotStaysInLane {
    fn is_bot(&self, account: &Account) -> bool {
        allowances::names(&self.bots, &account.login)
    }

    /// Why the change is not the bot's alone within its lane; `None`: it is. What is
    /// proven wrong counts before what is hidden.
    fn out_of_lane(&self, facts: &Snapshot, hands: &Hands<'_>) -> Result<Option<String>, Unknown> {
        let parts = [
            self.another_hand(hands),
            self.another_file(facts),
            self.unsigned(facts),
            self.not_green(facts),
        ];
        let mut wrong = Vec::new();
        let mut hidden = None;
        for part in parts {
            match part {
                Ok(found) => wrong.extend(found),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        match hidden {
            Some(unknown) if wrong.is_empty() => Err(unknown),
            Some(_) | None => Ok((!wrong.is_empty()).then(|| wrong.join(", "))),
        }
    }

    fn another_hand(&self, hands: &Hands<'_>) -> Result<Option<String>, Unknown> {
        let other = hands
            .known()
            .find(|hand| !self.is_bot(hand.account) && hand.account.kind != AccountKind::Platform);
        match (other, hands.in_doubt()) {
            (Some(hand), _) => Ok(Some(format!("@{} {}", hand.account.login, hand.how))),
            (None, Some(unknown)) => Err(unknown),
            (None, None) => Ok(None),
        }
    }

    fn another_file(&self, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let mut outside = Vec::new();
        let mut hidden = None;
        for file in facts.files.known()? {
            let strays = file.paths().filter(|path| !self.paths.is_match(path));
            outside.extend(strays.map(|path| format!("`{path}`")));
            hidden = hidden.or_else(|| file.previous_path.known().err());
        }
        match hidden {
            Some(unknown) if outside.is_empty() => Err(unknown),
            Some(_) | None => {
                Ok((!outside.is_empty()).then(|| format!("it touches {}", some(&outside))))
            }
        }
    }

    fn unsigned(&self, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        if self.allow_unsigned {
            return Ok(None);
        }
        let signatures = facts.signatures.known()?;
        for commit in facts.commits.known()? {
            let signature = signatures
                .iter()
                .find(|signature| signature.sha == commit.sha);
            let by_whom_it_should = match signature {
                Some(signature) => self.vouches(signature)?,
                None => false,
            };
            if !by_whom_it_should {
                return Ok(Some(format!(
                    "{} carries no verified signature of a bot or the platform",
                    short(&commit.sha)
                )));
            }
        }
        Ok(None)
    }

    /// Whether the signature shows that the bot made the commit: on GitHub the platform
    /// signs for it. A person's own signature shows that the person made it.
    fn vouches(&self, signature: &CommitSignature) -> Result<bool, Unknown> {
        if signature.state != SignatureState::Verified {
            return Ok(false);
        }
        let by_platform = signature.by_platform.known().copied();
        if by_platform == Ok(true) {
            return Ok(true);
        }
        match signature.signer.known()? {
            Some(signer) if self.is_bot(signer) => Ok(true),
            Some(_) | None => by_platform,
        }
    }

    fn not_green(&self, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let checks = ChecksSucceeded::leaving_out(self.gate.clone(), false);
        Ok(match checks.evaluate(facts)? {
            Verdict::Pass(_) => None,
            Verdict::Fail(failure) => Some(failure.evidence.summary().to_owned()),
            Verdict::NotApplicable(evidence) => Some(evidence.summary().to_owned()),
        })
    }
}

#[cfg(test)]
mod tests;
