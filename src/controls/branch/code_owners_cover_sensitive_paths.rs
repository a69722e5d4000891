//! BR-09: sensitive paths have code owners who can act, the file itself among them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::owners::{is_ignored, meant};
use super::path_glob::{PathGlob, left_out, literal};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{CodeOwners, FactKey, OwnersRules, Platform, Snapshot, Unknown};

/// Parameters of BR-09.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CodeOwnersCoverSensitivePaths {
    /// Patterns of paths that need an owner, where something stands under them.
    /// The file of code owners always needs one.
    #[schemars(with = "Vec<String>")]
    sensitive: Vec<PathGlob>,
    /// Whether every path of the branch needs an owner.
    require_all_owned: bool,
}

impl Default for CodeOwnersCoverSensitivePaths {
    fn default() -> Self {
        Self {
            sensitive: literal(&[".github/workflows/**", ".gitlab-ci.yml", ".ccgate.yml"]),
            require_all_owned: false,
        }
    }
}

impl Control for CodeOwnersCoverSensitivePaths {
    const META: Meta = Meta {
        code: "BR-09",
        id: "code-owners-cover-sensitive-paths",
        title: "sensitive paths have code owners who can act",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.2.3.1"]),
            (Framework::Nist80053, &["CM-5", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositoryCodeOwners, FactKey::RepositoryPaths],
        rationale: "Whoever changes the pipeline, the policy or the list of owners changes what \
                        is checked.",
        cheat: "Owning the files that stand there today and adding another beside them, letting a \
                        later line take the owner away, or naming a team that is gone. What counts \
                        is the line that decides for each path, for one that could be added too, \
                        and every owner in it has to exist and be able to write.",
        remedy_github: "add lines for the sensitive paths and for CODEOWNERS itself at the end of \
                        the file, with people or teams that have write access",
        remedy_gitlab: "add lines for the sensitive paths and for CODEOWNERS itself to a section \
                        that is not optional, with members who may approve",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.code_owners;
        let owners = fact.known()?;
        let key = FactKey::RepositoryCodeOwners;
        let fail = |summary: String| {
            let seen = summary.clone();
            Ok(Verdict::fail(Evidence::new(
                summary,
                key,
                seen,
                fact.sources(),
            )))
        };
        let Some(file) = &owners.file else {
            return fail("there is no file of code owners".to_owned());
        };
        if is_ignored(file) {
            return fail(format!(
                "{} is so large that the platform ignores it",
                file.path
            ));
        }
        let rules = OwnersRules::parse(&file.text, file.dialect);
        let mut seen = Seen::default();
        seen.judge(&rules, owners, &file.path);
        match facts.settings.paths.known() {
            Ok(paths) => {
                for path in self.sensitive.iter().flat_map(|glob| meant(glob, paths)) {
                    seen.judge(&rules, owners, &path);
                }
                if self.require_all_owned {
                    let bare = paths.iter().filter(|path| !rules.is_owned(path));
                    seen.wrong
                        .extend(bare.map(|path| format!("`{path}` has no owner")));
                }
            }
            Err(unknown) => seen.hidden = seen.hidden.or(Some(unknown)),
        }
        seen.wrong.sort_unstable();
        seen.wrong.dedup();
        if !seen.wrong.is_empty() {
            return fail(format!("{}: {}", file.path, some(&seen.wrong)));
        }
        if let Some(unknown) = seen.hidden {
            return Err(unknown);
        }
        Ok(Verdict::Pass(
            Evidence::new(
                format!("{} names owners for every sensitive path", file.path),
                key,
                format!("{} paths looked at", seen.count),
                fact.sources(),
            )
            .and(
                FactKey::RepositoryPaths,
                "every path that the patterns mean",
                facts.settings.paths.sources(),
            ),
        ))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if base.require_all_owned && !self.require_all_owned {
            return Some("does not ask for an owner of every path".to_owned());
        }
        left_out(&self.sensitive, &base.sensitive)
    }
}

/// What was found on the way.
#[derive(Default)]
struct Seen {
    count: usize,
    wrong: Vec<String>,
    hidden: Option<Unknown>,
}

impl Seen {
    /// Looks at who owns one path, and whether they can act.
    fn judge(&mut self, rules: &OwnersRules, owners: &CodeOwners, path: &str) {
        self.count = self.count.saturating_add(1);
        if !rules.is_owned(path) {
            self.wrong.push(format!("`{path}` has no owner"));
            return;
        }
        for name in rules
            .owners_of(path)
            .iter()
            .filter(|ownership| !ownership.optional)
            .flat_map(|ownership| ownership.owners)
        {
            match powerless(owners, name) {
                Ok(None) => {}
                Ok(Some(words)) => self.wrong.push(words),
                Err(unknown) => self.hidden = self.hidden.take().or(Some(unknown)),
            }
        }
    }
}

/// Why an owner cannot act; `None`: they can.
fn powerless(owners: &CodeOwners, name: &str) -> Result<Option<String>, Unknown> {
    let status = owners
        .owners
        .iter()
        .find(|owner| owner.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| Unknown::not_collected(FactKey::RepositoryCodeOwners.name()))?;
    if status.exists.known() == Ok(&false) {
        return Ok(Some(format!("owner `{name}` does not exist")));
    }
    if status.can_write.known() == Ok(&false) {
        return Ok(Some(format!("owner `{name}` cannot write")));
    }
    status.exists.known()?;
    status.can_write.known()?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::controls::branch::testing::{owners, owners_file};
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{OwnerStatus, OwnersDialect, OwnersFile};

    const LINES: &str = "/.github/ @acme/sec\n/CODEOWNERS @acme/sec\n/.ccgate.yml @acme/sec\n";

    fn control(parameters: serde_json::Value) -> CodeOwnersCoverSensitivePaths {
        serde_json::from_value(parameters).unwrap()
    }

    fn facts(
        file: Option<OwnersFile>,
        status: Vec<OwnerStatus>,
        paths: Option<&[&str]>,
    ) -> Snapshot {
        settings(|all| {
            all.code_owners = seen(CodeOwners {
                file,
                owners: status,
            });
            all.paths = paths.map_or_else(hidden, |paths| {
                seen(paths.iter().map(|&path| path.to_owned()).collect())
            });
        })
    }

    fn verdict(lines: &str, paths: Option<&[&str]>) -> String {
        let file = owners_file(lines, OwnersDialect::Github);
        let facts = facts(Some(file), owners(&["@acme/sec"]), paths);
        verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts)
    }

    const PATHS: &[&str] = &[
        ".github/workflows/ci.yml",
        ".ccgate.yml",
        "CODEOWNERS",
        "a.rs",
    ];

    #[test]
    fn owned_sensitive_paths_pass() {
        assert_eq!(verdict(LINES, Some(PATHS)), "pass");
    }

    #[test]
    fn a_sensitive_path_without_an_owner_fails() {
        assert_eq!(verdict("/CODEOWNERS @acme/sec", Some(PATHS)), "fail");
    }

    #[test]
    fn a_file_that_does_not_own_itself_fails_even_where_paths_are_hidden() {
        assert_eq!(verdict("/.github/ @acme/sec", None), "fail");
    }

    #[test]
    fn a_later_line_can_take_the_owner_away() {
        let lines = format!("{LINES}/.github/workflows/ci.yml\n");
        assert_eq!(verdict(&lines, Some(PATHS)), "fail");
    }

    #[test]
    fn a_file_that_could_be_added_needs_an_owner_too() {
        let lines = LINES.replace("/.github/ ", "/.github/workflows/ci.yml ");
        assert_eq!(verdict(&lines, Some(PATHS)), "fail");
    }

    #[test]
    fn an_optional_section_owns_nothing() {
        let lines = format!("^[Advice]\n{LINES}");
        let file = owners_file(&lines, OwnersDialect::Gitlab);
        let facts = facts(Some(file), owners(&["@acme/sec"]), Some(PATHS));
        assert_eq!(
            verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts),
            "fail"
        );
    }

    #[test]
    fn an_owner_who_is_gone_or_cannot_write_fails_and_a_hidden_one_is_unknown() {
        let with = |exists, can_write| {
            let status = OwnerStatus {
                exists,
                can_write,
                ..owners(&["@Acme/Sec"]).remove(0)
            };
            let file = owners_file(LINES, OwnersDialect::Github);
            let facts = facts(Some(file), vec![status], Some(PATHS));
            verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts)
        };
        assert_eq!(with(seen(true), seen(true)), "pass");
        assert_eq!(with(seen(false), hidden()), "fail");
        assert_eq!(with(hidden(), seen(false)), "fail");
        assert_eq!(with(seen(true), hidden()), "unknown");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(LINES, None), "unknown");
        let file = owners_file(LINES, OwnersDialect::Github);
        let nobody = facts(Some(file), Vec::new(), Some(PATHS));
        assert_eq!(
            verdict_of(&CodeOwnersCoverSensitivePaths::default(), &nobody),
            "unknown"
        );
    }

    #[test]
    fn no_file_fails() {
        let facts = facts(None, Vec::new(), None);
        assert_eq!(
            verdict_of(&CodeOwnersCoverSensitivePaths::default(), &facts),
            "fail"
        );
    }

    #[test]
    fn every_path_needs_an_owner_where_the_policy_says_so() {
        let all = control(json!({"require_all_owned": true}));
        let judged = |lines: &str| {
            let file = owners_file(lines, OwnersDialect::Github);
            let facts = facts(Some(file), owners(&["@acme/sec"]), Some(PATHS));
            verdict_of(&all, &facts)
        };
        assert_eq!(judged(LINES), "fail");
        assert_eq!(judged("* @acme/sec"), "pass");
        assert!(
            CodeOwnersCoverSensitivePaths::default()
                .weaker_than(&all)
                .is_some()
        );
        let fewer = control(json!({"sensitive": [".ccgate.yml"]}));
        assert!(
            fewer
                .weaker_than(&CodeOwnersCoverSensitivePaths::default())
                .is_some()
        );
    }
}
