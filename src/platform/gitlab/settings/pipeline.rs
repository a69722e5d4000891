//! What the project's pipelines may do: their token, who may steer them with
//! variables, what runs for forks. Does not read what they run.

use serde::Deserialize;

use crate::facts::{
    AccountKind, AllowedSources, Fact, FactKey, ForkRuns, PipelineSettings, Source, TokenRights,
    Who,
};

use super::super::lookups::gone;
use super::super::people::account;
use super::super::wire::{Project, Read, User, list, object};
use super::super::{Session, left_out, permissions};
use super::above::{self, field};
use super::server;

const NEEDS: &str = permissions::SETTINGS;
/// The subject claim that nobody has changed.
const USUAL_SUBJECT: [&str; 3] = ["project_path", "ref_type", "ref"];

#[derive(Deserialize)]
struct TokenScope {
    inbound_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Rule {
    eligible_approvers: Option<Vec<User>>,
    contains_hidden_groups: Option<bool>,
}

/// Group `pipeline.settings`.
pub(super) async fn settings(session: &Session) -> Fact<PipelineSettings> {
    let name = FactKey::PipelineSettings.name();
    let (project, sources) = match above::project(session, name, NEEDS) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let path = session.path("/job_token_scope");
    let (scope, rules, free, server) = tokio::join!(
        session.settings.get(&path),
        session.approval_rules(),
        above::free_tier(session),
        server::server(session)
    );
    let rules = match (gone(rules), free) {
        (Some(source), Some(mut free)) => {
            free.push(source);
            Ok((Vec::new(), free))
        }
        (Some(_) | None, _) => list(name, permissions::APPROVAL_RULES, rules),
    };
    let too_old = |fact: Fact<Option<Who>>, field: &str| match fact {
        Fact::Unknown(unknown) => {
            Fact::Unknown(server::too_old(server, name, field).unwrap_or(unknown))
        }
        known @ Fact::Known { .. } => known,
    };
    let found = PipelineSettings {
        default_token: token_rights(project, sources, &object(name, NEEDS, &scope)),
        can_approve: can_approve(&rules),
        // There is no setting for either.
        allowed_sources: Fact::known_without_source(AllowedSources::Anything),
        pinning_required: Fact::known_without_source(false),
        fork_runs: fork_runs(project, sources),
        variables_by: too_old(
            variables_by(project, sources),
            "ci_pipeline_variables_minimum_override_role",
        ),
        oidc_subject: subject(project, sources),
    };
    Fact::seen_in(found, sources.to_vec())
}

/// A token that may push to its own project writes, whoever else may use one here.
fn token_rights(
    project: &Project,
    sources: &[Source],
    scope: &Read<TokenScope>,
) -> Fact<TokenRights> {
    if project.ci_push_repository_for_job_token_allowed == Some(true) {
        return Fact::seen_in(TokenRights::Write, sources.to_vec());
    }
    let limited = field(
        scope,
        FactKey::PipelineSettings.name(),
        "inbound_enabled",
        NEEDS,
        |scope| scope.inbound_enabled,
    );
    limited.map(|limited| {
        if limited {
            TokenRights::Read
        } else {
            TokenRights::Write
        }
    })
}

/// GitLab takes no approval from a job token. What a pipeline could approve
/// with is the token of a bot that is among the approvers.
fn can_approve(rules: &Read<Vec<Rule>>) -> Fact<bool> {
    let name = FactKey::PipelineSettings.name();
    let (rules, sources) = match rules {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut hidden = None;
    for rule in rules {
        let Some(approvers) = &rule.eligible_approvers else {
            hidden = Some("eligible_approvers");
            continue;
        };
        let bot = approvers
            .iter()
            .filter_map(account)
            .any(|account| account.kind == AccountKind::Bot);
        if bot {
            return Fact::seen_in(true, sources.clone());
        }
        if rule.contains_hidden_groups != Some(false) {
            hidden = Some("eligible_approvers");
        }
    }
    match hidden {
        Some(field) => Fact::Unknown(left_out(name, field, sources)),
        None => Fact::seen_in(false, sources.clone()),
    }
}

/// A change from a fork runs in the fork, with what the fork has. Where a
/// member may also start it here, it gets this project's secrets and token.
fn fork_runs(project: &Project, sources: &[Source]) -> Fact<ForkRuns> {
    const FIELD: &str = "ci_allow_fork_pipelines_to_run_in_parent_project";
    match project.ci_allow_fork_pipelines_to_run_in_parent_project {
        Some(here) => Fact::seen_in(
            ForkRuns {
                run: true,
                approval: None,
                // The member who starts it need not have looked at it, and no
                // setting asks for that.
                everybody_waits: !here,
                secrets: here,
                write_token: here,
            },
            sources.to_vec(),
        ),
        None => Fact::Unknown(left_out(FactKey::PipelineSettings.name(), FIELD, sources)),
    }
}

/// Who may set variables at the start of a pipeline. The older switch, where it
/// is off, lets every developer; the role counts on top of it.
fn variables_by(project: &Project, sources: &[Source]) -> Fact<Option<Who>> {
    const FIELD: &str = "ci_pipeline_variables_minimum_override_role";
    let role = project
        .ci_pipeline_variables_minimum_override_role
        .as_deref()
        .map(|word| match word {
            "no_one_allowed" => Who::Nobody,
            "owner" => Who::Owners,
            "maintainer" => Who::Administrators,
            "developer" => Who::Members,
            other => Who::Other(other.to_owned()),
        });
    let switch = project.restrict_user_defined_variables.map(|limited| {
        if limited {
            Who::Administrators
        } else {
            Who::Members
        }
    });
    let who = match (role, switch) {
        (Some(role), Some(Who::Members)) => Some(role.max(Who::Members)),
        (Some(role), _) => Some(role),
        (None, switch) => switch,
    };
    match who {
        Some(who) => Fact::seen_in(Some(who), sources.to_vec()),
        None => Fact::Unknown(left_out(FactKey::PipelineSettings.name(), FIELD, sources)),
    }
}

fn subject(project: &Project, sources: &[Source]) -> Fact<Vec<String>> {
    const FIELD: &str = "ci_id_token_sub_claim_components";
    match &project.ci_id_token_sub_claim_components {
        Some(parts) if *parts == USUAL_SUBJECT => Fact::seen_in(Vec::new(), sources.to_vec()),
        Some(parts) => Fact::seen_in(parts.clone(), sources.to_vec()),
        None => Fact::Unknown(left_out(FactKey::PipelineSettings.name(), FIELD, sources)),
    }
}

#[cfg(test)]
mod tests;
