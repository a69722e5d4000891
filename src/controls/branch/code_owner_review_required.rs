//! BR-08: code owners have to approve, by a file that the platform can use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::owners::is_ignored;
use super::requirement::{met_by, unmet};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{CodeOwners, Fact, FactKey, OwnersRules, Platform, Snapshot, Unknown};

/// BR-08 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CodeOwnerReviewRequired {}

impl Control for CodeOwnerReviewRequired {
    const META: Meta = Meta {
        code: "BR-08",
        id: "code-owner-review-required",
        title: "code owners have to approve, by a file that the platform can use",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::RepositoryCodeOwners],
        rationale: "The people who know a part of the code are asked only if the rule is on and \
                        the file that names them works.",
        cheat: "Turning the rule on and leaving a file with lines that the platform skips, or one \
                        so large that it is ignored. The file has to exist, to name somebody, and \
                        to be free of errors by our reading and the platform's.",
        remedy_github: "turn on \"Require review from Code Owners\" under \"Require a pull \
                        request before merging\" in an active ruleset that targets the branch, and \
                        mend the lines that the page of the CODEOWNERS file marks",
        remedy_gitlab: "turn \"Code owner approval\" on in the protected-branch entry that \
                        matches the branch (needs Premium), and mend the lines that the page of \
                        the CODEOWNERS file marks",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let required = match fact {
            Fact::Known { value, .. } => value.code_owner_review_required.holds(|on| *on),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        };
        if required.known() == Ok(&false) {
            let bad = "code owners do not have to approve";
            return Ok(unmet(fact, fact.known()?, bad, Some("code owners")));
        }
        let owners = &facts.settings.code_owners;
        let worth = match owners.known() {
            Ok(owners) => worth(owners),
            Err(unknown) => Worth::Hidden(unknown),
        };
        match worth {
            Worth::Nothing(why) => Ok(Verdict::fail(Evidence::new(
                why.as_str(),
                FactKey::RepositoryCodeOwners,
                why.as_str(),
                owners.sources(),
            ))),
            Worth::Hidden(unknown) => Err(unknown),
            Worth::Something(path) => {
                required.known()?;
                let rules = fact.known()?;
                let by = rules.code_owner_review_required.layers_where(|on| *on);
                let summary = format!(
                    "{}: code owners have to approve, by {}",
                    rules.branch,
                    by.join(", ")
                );
                let seen = format!("demanded by {}", by.join(", "));
                let evidence = met_by(rules, &by, &summary, seen, required.sources());
                Ok(Verdict::Pass(evidence.and(
                    FactKey::RepositoryCodeOwners,
                    format!("{path} is without errors"),
                    owners.sources(),
                )))
            }
        }
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// What a file of code owners comes to.
enum Worth {
    /// It works; where it stands.
    Something(String),
    /// It does not, and why.
    Nothing(String),
    /// It looks well, and what the platform says about it is hidden.
    Hidden(Unknown),
}

fn worth(owners: &CodeOwners) -> Worth {
    let Some(file) = &owners.file else {
        return Worth::Nothing("there is no file of code owners".to_owned());
    };
    let path = &file.path;
    if is_ignored(file) {
        return Worth::Nothing(format!("{path} is so large that the platform ignores it"));
    }
    let rules = OwnersRules::parse(&file.text, file.dialect);
    if !rules.problems().is_empty() {
        return Worth::Nothing(format!("{path} has errors: {}", some(rules.problems())));
    }
    if rules.owner_names().is_empty() {
        return Worth::Nothing(format!("{path} names no owner"));
    }
    match file.platform_errors.known() {
        Ok(errors) if errors.is_empty() => Worth::Something(path.clone()),
        Ok(errors) => Worth::Nothing(format!("{path} has errors: {}", some(errors))),
        Err(unknown) => Worth::Hidden(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, owners, owners_file, plan};
    use crate::controls::testing::{branch, hidden, seen, verdict_of};
    use crate::facts::{OwnersDialect, OwnersFile};

    fn verdict(required: &[Option<bool>], file: Option<Option<OwnersFile>>) -> String {
        let mut facts = branch(|rules| rules.code_owner_review_required = any_layer(required));
        if let Some(file) = file {
            facts.settings.code_owners = seen(CodeOwners {
                file,
                owners: owners(&["@ana"]),
            });
        }
        verdict_of(&CodeOwnerReviewRequired {}, &facts)
    }

    fn file(text: &str) -> OwnersFile {
        owners_file(text, OwnersDialect::Github)
    }

    #[test]
    fn f14_a_ruleset_that_demands_it_and_a_file_that_works_pass() {
        let layers = [Some(false), Some(true)];
        assert_eq!(verdict(&layers, Some(Some(file("* @ana")))), "pass");
    }

    #[test]
    fn a_rule_that_is_off_fails_whatever_the_file_says() {
        assert_eq!(verdict(&[Some(false)], Some(Some(file("* @ana")))), "fail");
        assert_eq!(verdict(&[Some(false)], None), "fail");
    }

    #[test]
    fn a_file_that_does_not_work_fails_whatever_is_hidden() {
        let broken = OwnersFile {
            platform_errors: seen(vec!["line 1: unknown owner".to_owned()]),
            ..file("* @gone")
        };
        let large = OwnersFile {
            size: 4_000_000,
            ..file("* @ana")
        };
        let empty = file("# nobody yet");
        let misread = OwnersFile {
            platform_errors: hidden(),
            ..file("!src/ @ana")
        };
        for wrong in [None, Some(broken), Some(large), Some(empty), Some(misread)] {
            assert_eq!(
                verdict(&[Some(true)], Some(wrong.clone())),
                "fail",
                "{wrong:?}"
            );
            assert_eq!(verdict(&[None], Some(wrong)), "fail");
        }
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        let unseen = OwnersFile {
            platform_errors: hidden(),
            ..file("* @ana")
        };
        assert_eq!(verdict(&[Some(true)], None), "unknown");
        assert_eq!(verdict(&[Some(true)], Some(Some(unseen))), "unknown");
        assert_eq!(
            verdict(&[Some(false), None], Some(Some(file("* @ana")))),
            "unknown"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&CodeOwnerReviewRequired {}, "code owners"),
            "fail plan"
        );
    }
}
