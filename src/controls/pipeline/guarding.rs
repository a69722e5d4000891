//! What keeps the gate itself from being edited, skipped or forged: who demands it,
//! which definitions run it and from where, and who owns the files that make it.
//! The control about the gate and the integrity level both read this.

use super::jobs::{JobAt, is_whole_pipeline, reporting, unread, untold};
use crate::facts::{
    BranchRules, CodeOwners, Combine, Fact, FactKey, LayerOrigin, OwnersDialect, OwnersFile,
    OwnersRules, PipelineDefinition, RequiredCheck, Requirement, Unknown, all_of, any_of,
};

pub(crate) use super::jobs::{Conditions, PIPELINES};

/// The file that holds the policy.
pub(crate) const POLICY: &str = ".ccgate.yml";

/// A file of this size or more is not read, where the platform has such a limit.
/// <https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-size>
const TOO_LARGE: u64 = 3_000_000;

/// Events for which the definition of the branch that a change goes to is run, so
/// that the change cannot edit what judges it.
const FROM_BASE: [&str; 5] = [
    "issue_comment",
    "merge_group",
    "pull_request_target",
    "schedule",
    "workflow_run",
];

/// Events that somebody with write access starts themselves, on a branch. They
/// judge no change, or nothing that a push to another branch could not do as well.
const BESIDE: [&str; 5] = [
    "create",
    "push",
    "release",
    "repository_dispatch",
    "workflow_dispatch",
];

/// Of those from the base branch, the ones that come with a change.
const ABOUT_CHANGES: [&str; 3] = ["merge_group", "pull_request_target", "workflow_run"];

/// How the gate is demanded.
pub(crate) struct Demanded {
    /// By its own name.
    pub(crate) by_name: Fact<bool>,
    /// As a job of a pipeline that has to succeed as a whole.
    pub(crate) in_pipeline: Fact<bool>,
    /// As a workflow that another repository brings.
    pub(crate) imposed: Fact<bool>,
}

impl Demanded {
    /// How the rules demand the check.
    pub(crate) fn of(rules: &Fact<BranchRules>, check: &str, own: &str) -> Self {
        match rules {
            Fact::Unknown(unknown) => {
                let hidden = || Fact::Unknown(unknown.clone());
                Self {
                    by_name: hidden(),
                    in_pipeline: hidden(),
                    imposed: hidden(),
                }
            }
            Fact::Known { value: rules, .. } => Self {
                by_name: requires(rules, |_, required| required.name == check),
                in_pipeline: requires(rules, |layer, required| {
                    is_whole_pipeline(rules, layer, required)
                }),
                imposed: imposed(rules, check, own, |_| true),
            },
        }
    }

    /// Whether it is demanded in any way.
    pub(crate) fn at_all(&self) -> Fact<bool> {
        any_of([
            self.by_name.clone(),
            self.in_pipeline.clone(),
            self.imposed.clone(),
        ])
    }
}

/// Whether a check that satisfies `test` is required, by Kleene logic.
pub(crate) fn requires(
    rules: &BranchRules,
    test: impl Fn(&str, &RequiredCheck) -> bool,
) -> Fact<bool> {
    let Requirement { combine, demands } = &rules.required_checks;
    let each = demands.iter().map(|demand| {
        demand
            .value
            .map_ref(|list| list.iter().any(|check| test(&demand.layer, check)))
    });
    match combine {
        Combine::EveryLayer if !demands.is_empty() => all_of(each),
        Combine::AnyLayer | Combine::EveryLayer => any_of(each),
    }
}

/// Whether a workflow of another repository that bears the name of the check is
/// imposed, by a layer that `by` accepts. A workflow of another name may do
/// anything, so it is not taken for the gate.
pub(crate) fn imposed(
    rules: &BranchRules,
    check: &str,
    own: &str,
    by: impl Fn(&str) -> bool,
) -> Fact<bool> {
    let check = check.to_ascii_lowercase();
    let demands = rules.required_workflows.demands.iter();
    any_of(demands.filter(|demand| by(&demand.layer)).map(|demand| {
        demand.value.map_ref(|list| {
            list.iter().any(|workflow| {
                let told = format!("{} {}", workflow.repository, workflow.path);
                !check.is_empty()
                    && !workflow.repository.eq_ignore_ascii_case(own)
                    && told.to_ascii_lowercase().contains(&check)
            })
        })
    }))
}

/// Whether a layer was set up above the repository. A policy that stands beside
/// the layers lies in a project of its own.
pub(crate) fn is_from_above(rules: &BranchRules, layer: &str) -> bool {
    rules
        .layers
        .iter()
        .filter(|known| known.id == layer)
        .all(|known| match known.origin {
            LayerOrigin::Organization | LayerOrigin::Enterprise => true,
            LayerOrigin::Repository | LayerOrigin::Other => false,
        })
}

/// What runs the gate, as far as the definitions tell.
pub(crate) struct Runs<'a> {
    /// The jobs that report the check.
    pub(crate) jobs: Vec<JobAt<'a>>,
    /// Why there may be more.
    pub(crate) hidden: Option<Unknown>,
}

impl<'a> Runs<'a> {
    /// The jobs of the definitions that report under that name.
    pub(crate) fn of(definition: &'a PipelineDefinition, check: &str) -> Self {
        let jobs = reporting(definition, check);
        let hidden = if jobs.is_empty() {
            untold(definition)
        } else {
            unread(definition)
        };
        Self { jobs, hidden }
    }

    /// Whether `bad` is true of no job, by Kleene logic.
    pub(crate) fn none_is(&self, bad: impl Fn(&JobAt<'a>) -> bool) -> Fact<bool> {
        if self.jobs.iter().any(bad) {
            return Fact::known_without_source(false);
        }
        match &self.hidden {
            Some(unknown) => Fact::Unknown(unknown.clone()),
            None => Fact::known_without_source(true),
        }
    }

    /// Whether there is a job at all.
    pub(crate) fn exist(&self) -> Fact<bool> {
        match (&self.hidden, self.jobs.is_empty()) {
            (_, false) => Fact::known_without_source(true),
            (Some(unknown), true) => Fact::Unknown(unknown.clone()),
            (None, true) => Fact::known_without_source(false),
        }
    }
}

/// Whether the definition lies in another project, where a change cannot reach it.
pub(crate) fn lies_elsewhere(definition: &PipelineDefinition, own: &str) -> bool {
    definition.imposed_by.as_ref().is_some_and(|place| {
        let project = place.split('@').nth(1).unwrap_or_default();
        let project = project.split(':').next().unwrap_or_default();
        !project.eq_ignore_ascii_case(own)
    })
}

/// Whether something that comes with a change starts it from the base branch.
pub(crate) fn is_started_from_base(triggers: &[String]) -> bool {
    triggers
        .iter()
        .any(|trigger| ABOUT_CHANGES.contains(&trigger.as_str()))
}

/// Whether nothing starts it as the change writes it. An event that is not known
/// counts as one that does.
pub(crate) fn is_never_started_from_change(triggers: &[String]) -> bool {
    triggers
        .iter()
        .all(|trigger| FROM_BASE.contains(&trigger.as_str()) || BESIDE.contains(&trigger.as_str()))
}

/// What the file of code owners says, read once for all the paths that are asked about.
pub(crate) struct Owning<'a> {
    owners: &'a CodeOwners,
    /// `None`: there is no file, or the platform does not read it.
    rules: Option<OwnersRules>,
}

impl<'a> Owning<'a> {
    pub(crate) fn of(owners: &'a CodeOwners) -> Self {
        let ignored = |file: &OwnersFile| match file.dialect {
            OwnersDialect::Github => file.size >= TOO_LARGE,
            OwnersDialect::Gitlab => false,
        };
        let file = owners.file.as_ref().filter(|file| !ignored(file));
        Self {
            owners,
            rules: file.map(|file| OwnersRules::parse(&file.text, file.dialect)),
        }
    }

    /// Whether somebody who can act has to approve changes of the path, as far as the
    /// file says. Whether their review is required is another question.
    pub(crate) fn is_owned(&self, path: &str) -> Fact<bool> {
        let Some(rules) = self.rules.as_ref().filter(|rules| rules.is_owned(path)) else {
            return Fact::known_without_source(false);
        };
        let named = rules.owners_of(path);
        any_of(
            named
                .iter()
                .filter(|ownership| !ownership.optional)
                .flat_map(|ownership| ownership.owners)
                .map(|name| can_act(self.owners, name)),
        )
    }
}

fn can_act(owners: &CodeOwners, name: &str) -> Fact<bool> {
    let status = owners
        .owners
        .iter()
        .find(|owner| owner.name.eq_ignore_ascii_case(name));
    match status {
        Some(status) => all_of([status.exists.clone(), status.can_write.clone()]),
        None => Fact::Unknown(Unknown::not_collected(FactKey::RepositoryCodeOwners.name())),
    }
}

#[cfg(test)]
mod tests;
