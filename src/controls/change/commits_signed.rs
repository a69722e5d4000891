//! CHG-12: every commit is signed by somebody who may sign.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hands::short;
use super::head::head;
use super::owners::Owners;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{CommitSignature, FactKey, Platform, SignatureState, Snapshot, Unknown, Why};

/// Parameters of CHG-12.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CommitsSigned {
    /// Users (`@ana`) and teams (`@acme/developers`) whose signatures count. Nobody:
    /// those of any account.
    signers: Owners,
    /// Whether the platform's own signature counts, which it puts on commits made in
    /// its web pages. It proves where a commit was made, not who wrote it.
    allow_platform: bool,
}

impl Control for CommitsSigned {
    const META: Meta = Meta {
        code: "CHG-12",
        id: "commits-signed",
        title: "every commit is signed by somebody who may sign",
        criteria: &[Criterion::Cc6_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.24", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["AU-10", "SI-7"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeSignatures,
            FactKey::ChangeIdentity,
            FactKey::TeamMembers,
        ],
        rationale: "Author and committer of a commit are whatever its maker typed; a signature is not.",
        cheat: "Committing in the platform's web pages, which sign with the platform's own key, signing \
                with a key of nobody, or with an account outside the team. The platform's own signature \
                is no proof of the author, only verified ones with a named account count, and a list \
                that does not reach the head is unknown.",
        remedy_github: "sign the commits with a key that is on your account (`git rebase --exec 'git \
                        commit --amend --no-edit -S'`) and push them again; BR-25 demands it at push",
        remedy_gitlab: "sign the commits with a key that is on your account (`git rebase --exec 'git \
                        commit --amend --no-edit -S'`) and push them again; BR-25 demands it at push",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.signatures;
        let signatures = fact.known()?;
        let mut wrong = Vec::new();
        let mut hidden = None;
        for signature in signatures {
            match self.fault(signature, facts) {
                Ok(Some(fault)) => wrong.push(format!("{} {fault}", short(&signature.sha))),
                Ok(None) => {}
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        let count = signatures.len();
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::ChangeSignatures,
                format!("{count} commits"),
                fact.sources(),
            )
        };
        if !wrong.is_empty() {
            return Ok(Verdict::fail(evidence(some(&wrong))));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        let head = head(facts)?;
        if !signatures.iter().any(|signature| signature.sha == head) {
            return Err(Unknown::new(
                FactKey::ChangeSignatures.name(),
                Why::Failed,
                format!("the list of signatures does not reach the head {head}"),
            ));
        }
        Ok(Verdict::Pass(evidence(format!(
            "all {count} commits are signed by accounts that may sign"
        ))))
    }

    fn teams(&self) -> Vec<String> {
        self.signers.teams()
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.allow_platform && !base.allow_platform {
            return Some("accepts the platform's own signature".to_owned());
        }
        self.signers
            .more_than(&base.signers)
            .map(|more| format!("lets {more} sign as well"))
    }
}

impl CommitsSigned {
    /// What is wrong with a signature, if anything is.
    fn fault(
        &self,
        signature: &CommitSignature,
        facts: &Snapshot,
    ) -> Result<Option<String>, Unknown> {
        match &signature.state {
            SignatureState::Unsigned => return Ok(Some("is not signed".to_owned())),
            SignatureState::Unverified(word) => {
                return Ok(Some(format!(
                    "has a signature that is not verified ({word})"
                )));
            }
            SignatureState::Verified => {}
        }
        if *signature.by_platform.known()? {
            return Ok((!self.allow_platform)
                .then(|| "was signed by the platform, not by its author".to_owned()));
        }
        let Some(signer) = signature.signer.known()? else {
            return Ok(Some("was signed by nobody who is named".to_owned()));
        };
        if self.signers.is_empty() || self.signers.include(signer, facts)? {
            return Ok(None);
        }
        Ok(Some(format!(
            "was signed by @{}, who is not of {}",
            signer.login,
            self.signers.in_words()
        )))
    }
}

#[cfg(test)]
mod tests;
