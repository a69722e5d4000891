//! What the tests of pipeline controls share: definitions with jobs, the settings
//! of pipelines, and branches that require checks.

use crate::controls::testing::{branch, demand, seen, settings};
use crate::facts::{
    AllowedSources, Combine, Definition, DefinitionFile, Fact, ForkRuns, PipelineDefinition,
    PipelineJob, PipelineSettings, RequiredCheck, Requirement, Snapshot, TokenRights,
};

/// A job that does something, counts, always runs and may read.
pub(crate) fn job(id: &str) -> PipelineJob {
    PipelineJob {
        id: id.to_owned(),
        reported_as: vec![id.to_owned()],
        token: Some(TokenRights::Read),
        rights: vec!["contents: read".to_owned()],
        identity_token: false,
        soft_fail: None,
        condition: None,
        does: vec!["make".to_owned()],
        environment: None,
        self_hosted: Some(false),
        secrets: Vec::new(),
    }
}

/// A definition that runs from the base branch, with these jobs and nothing foreign.
pub(crate) fn definition(jobs: Vec<PipelineJob>) -> Definition {
    Definition {
        name: None,
        triggers: vec!["pull_request_target".to_owned()],
        filtered: false,
        token: None,
        parts: Vec::new(),
        jobs,
        inputs: Vec::new(),
    }
}

/// A file that could be read.
pub(crate) fn file(path: &str, content: Definition) -> DefinitionFile {
    file_of(path, seen(content))
}

/// A file, readable or not.
pub(crate) fn file_of(path: &str, content: Fact<Definition>) -> DefinitionFile {
    DefinitionFile {
        path: path.to_owned(),
        digest: String::new(),
        content,
    }
}

/// The repository's own definitions.
pub(crate) fn pipeline_of(files: Vec<DefinitionFile>) -> PipelineDefinition {
    PipelineDefinition {
        imposed_by: None,
        files,
    }
}

/// Only these definitions are known.
pub(crate) fn defined(files: Vec<DefinitionFile>) -> Snapshot {
    settings(|all| all.definition = seen(pipeline_of(files)))
}

/// Settings of pipelines where all is well.
pub(crate) fn strict() -> PipelineSettings {
    PipelineSettings {
        default_token: seen(TokenRights::Read),
        can_approve: seen(false),
        allowed_sources: seen(AllowedSources::LocalOnly),
        pinning_required: seen(true),
        fork_runs: seen(ForkRuns {
            run: true,
            approval: Some("all_external_contributors".to_owned()),
            everybody_waits: true,
            secrets: false,
            write_token: false,
        }),
        variables_by: seen(None),
        oidc_subject: seen(vec!["repo".to_owned()]),
    }
}

/// Only the settings of pipelines are known, changed like that.
pub(crate) fn pipeline(change: impl FnOnce(&mut PipelineSettings)) -> Snapshot {
    let mut strict = strict();
    change(&mut strict);
    settings(|all| all.pipeline = seen(strict))
}

/// Checks that have to come from this app, or from any.
pub(crate) fn checks(names: &[&str], app: Option<&str>) -> Vec<RequiredCheck> {
    names
        .iter()
        .map(|&name| RequiredCheck {
            name: name.to_owned(),
            app: app.map(str::to_owned),
        })
        .collect()
}

/// One ruleset requires these checks, these definitions are known.
pub(crate) fn requiring(
    required: Fact<Vec<RequiredCheck>>,
    files: Vec<DefinitionFile>,
) -> Snapshot {
    let mut facts = branch(|rules| {
        rules.required_checks = Requirement {
            combine: Combine::AnyLayer,
            demands: vec![demand("ruleset \"main\"", required)],
        };
    });
    facts.settings.definition = seen(pipeline_of(files));
    facts
}
