//! BR-31: changes of sensitive paths need reviewers of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::owners::{self, meant, owns};
use super::patterns::{covers, may_meet};
use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::path_glob::{PathGlob, left_out, literal};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    BranchRules, Fact, FactKey, OwnersRules, PathReviewers, Platform, Snapshot, Unknown, all_of,
    any_of,
};

/// Parameters of BR-31.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SensitivePathsHaveReviewers {
    /// Patterns of the paths. Those under which nothing stands are left out.
    #[schemars(with = "Vec<String>")]
    paths: Vec<PathGlob>,
}

impl Default for SensitivePathsHaveReviewers {
    fn default() -> Self {
        Self {
            paths: literal(&[".github/**", ".gitlab-ci.yml", ".ccgate.yml"]),
        }
    }
}

impl Control for SensitivePathsHaveReviewers {
    const META: Meta = Meta {
        code: "BR-31",
        id: "sensitive-paths-have-reviewers",
        title: "changes of sensitive paths need reviewers of their own",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.5.3"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-3", "AC-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::BranchRules,
            FactKey::RepositoryCodeOwners,
            FactKey::RepositoryPaths,
        ],
        rationale: "Any reviewer may wave through a change of the pipeline or the policy; a few \
                        people should have to.",
        cheat: "Naming reviewers for a narrower pattern, or with a count of zero. Reviewers count \
                        only if their patterns are sure to cover the whole pattern of the policy; \
                        code owners do instead, where their approval is demanded and they own \
                        every such path.",
        remedy_github: "add required reviewers for the paths to an active ruleset that targets \
                        the branch, or demand review from code owners and let them own the paths",
        remedy_gitlab: "turn \"Code owner approval\" on in the protected-branch entry that \
                        matches the branch and give the paths to owners in a section that is not \
                        optional (needs Premium)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let paths = &facts.settings.paths;
        let key = FactKey::RepositoryPaths;
        let all = paths.known()?;
        let in_use: Vec<(&PathGlob, Vec<String>)> = self
            .paths
            .iter()
            .map(|glob| (glob, meant(glob, all)))
            .filter(|(_, meant)| !meant.is_empty())
            .collect();
        if in_use.is_empty() {
            let none = "no sensitive path stands on the branch";
            return Ok(Verdict::NotApplicable(Evidence::new(
                none,
                key,
                none,
                paths.sources(),
            )));
        }
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let owning = facts
            .settings
            .code_owners
            .map_ref(|known| known.file.as_ref().and_then(owners::rules));
        let mut bare = Vec::new();
        let mut hidden = None;
        for (glob, meant) in &in_use {
            let reviewed = any_of([
                rules
                    .path_reviewers
                    .holds(|list| list.iter().any(|wanted| asks(wanted, glob.text()))),
                owned(rules, &owning, meant),
            ]);
            match reviewed.known() {
                Ok(true) => {}
                Ok(false) => bare.push(format!("`{}`", glob.text())),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !bare.is_empty() {
            let bad = format!("no reviewers of their own for {}", some(&bare));
            return Ok(unmet(fact, rules, &bad, Some("code owners")));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        let named: Vec<String> = in_use
            .iter()
            .map(|(glob, _)| format!("`{}`", glob.text()))
            .collect();
        Ok(Verdict::Pass(
            Evidence::new(
                format!(
                    "{}: reviewers of their own for {}",
                    rules.branch,
                    some(&named)
                ),
                FactKey::BranchRules,
                some(&named),
                fact.sources(),
            )
            .and(
                key,
                format!("{} patterns in use", in_use.len()),
                paths.sources(),
            ),
        ))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        left_out(&self.paths, &base.paths)
    }
}

/// Whether the demand is sure to ask somebody about every path of the pattern.
fn asks(wanted: &PathReviewers, pattern: &str) -> bool {
    let plain = |path: &str| path.trim_start_matches('/').to_owned();
    wanted.min >= 1
        && !wanted.reviewers.is_empty()
        && wanted.paths.iter().any(|path| covers(&plain(path), pattern))
        // A pattern behind `!` takes paths out again.
        && !wanted
            .paths
            .iter()
            .filter_map(|path| path.strip_prefix('!'))
            .any(|out| may_meet(&plain(out), pattern))
}

/// Whether code owners have to approve and own each of the paths.
fn owned(rules: &BranchRules, owning: &Fact<Option<OwnersRules>>, paths: &[String]) -> Fact<bool> {
    all_of([
        rules.code_owner_review_required.holds(|on| *on),
        owning.map_ref(|rules| owns(rules.as_ref(), paths)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, owners_file};
    use crate::controls::testing::{branch, hidden, seen, verdict_of};
    use crate::facts::{CodeOwners, OwnersDialect};

    fn wanted(paths: &[&str], min: u32) -> PathReviewers {
        PathReviewers {
            paths: paths.iter().map(|&path| path.to_owned()).collect(),
            reviewers: vec!["team 17".to_owned()],
            min,
        }
    }

    fn facts(
        layers: &[Option<Vec<PathReviewers>>],
        owner_review: Option<bool>,
        lines: Option<&str>,
    ) -> Snapshot {
        let mut facts = branch(|rules| {
            rules.path_reviewers = any_layer(layers);
            rules.code_owner_review_required = any_layer(&[owner_review]);
        });
        facts.settings.paths = seen(vec![
            ".github/workflows/ci.yml".to_owned(),
            "src/lib.rs".to_owned(),
        ]);
        facts.settings.code_owners = lines.map_or_else(hidden, |lines| {
            seen(CodeOwners {
                file: Some(owners_file(lines, OwnersDialect::Github)),
                owners: Vec::new(),
            })
        });
        facts
    }

    fn verdict(
        layers: &[Option<Vec<PathReviewers>>],
        owner_review: Option<bool>,
        lines: Option<&str>,
    ) -> String {
        verdict_of(
            &SensitivePathsHaveReviewers::default(),
            &facts(layers, owner_review, lines),
        )
    }

    #[test]
    fn reviewers_for_the_whole_pattern_pass() {
        let layers = [Some(vec![wanted(&["docs/**", "/.github/**"], 1)])];
        assert_eq!(verdict(&layers, Some(false), None), "pass");
    }

    #[test]
    fn reviewers_who_need_not_approve_or_are_asked_for_less_fail() {
        for demand in [
            wanted(&[".github/**"], 0),
            wanted(&[".github/workflows/**"], 1),
            wanted(&[".github/**", "!.github/workflows/*"], 1),
        ] {
            assert_eq!(verdict(&[Some(vec![demand])], Some(false), None), "fail");
        }
    }

    #[test]
    fn code_owners_who_have_to_approve_are_reviewers() {
        let none = [Some(Vec::new())];
        assert_eq!(verdict(&none, Some(true), Some("/.github/ @ana")), "pass");
        assert_eq!(verdict(&none, Some(false), Some("/.github/ @ana")), "fail");
        assert_eq!(verdict(&none, Some(true), Some("/src/ @ana")), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(&[None], Some(false), None), "unknown");
        assert_eq!(verdict(&[Some(Vec::new())], Some(true), None), "unknown");
        let mut unseen = facts(&[Some(Vec::new())], Some(false), None);
        unseen.settings.paths = hidden();
        assert_eq!(
            verdict_of(&SensitivePathsHaveReviewers::default(), &unseen),
            "unknown"
        );
    }

    #[test]
    fn where_no_sensitive_path_is_known_to_stand_it_does_not_apply() {
        let mut none = facts(&[Some(Vec::new())], Some(false), None);
        none.settings.paths = seen(vec!["src/lib.rs".to_owned()]);
        assert_eq!(
            verdict_of(&SensitivePathsHaveReviewers::default(), &none),
            "not_applicable"
        );
    }

    #[test]
    fn a_plan_without_code_owners_is_named() {
        let mut facts = facts(&[Some(Vec::new())], Some(false), None);
        if let Fact::Known { value, .. } = &mut facts.branch_rules {
            value.not_in_plan = vec!["code owners".to_owned()];
        }
        assert_eq!(
            verdict_of(&SensitivePathsHaveReviewers::default(), &facts),
            "fail plan"
        );
    }
}
