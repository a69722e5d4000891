//! BR-09: sensitive paths have code owners who can act, the file itself among them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::owners::{is_ignored, meant};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::path_glob::{PathGlob, left_out, literal};
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
mod tests;
