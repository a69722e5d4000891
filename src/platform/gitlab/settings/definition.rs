//! The pipeline definition at the tip of the target branch. Knows where GitLab
//! takes it from and that includes bring jobs which the file does not show;
//! what a job says is read in `definition/`.

mod job;
mod parts;
mod pipeline;
mod templates;

use serde::Deserialize;

use crate::facts::{
    DefinitionFile, Fact, FactKey, PipelineDefinition, PolicyDocument, Server, Subject, Unknown,
    Why,
};

use super::super::super::access;
use super::super::open::{document, file, target_tip};
use super::super::wire::{Project, Read, Reply, object};
use super::super::{Session, left_out, permissions};
use super::server;

const USUAL_PATH: &str = ".gitlab-ci.yml";
/// Stands for the jobs that includes bring and nobody showed.
const INCLUDED: &str = "included files";

/// Where GitLab takes the definition from.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A path of this repository.
    Here(String),
    /// A path of another project, at a branch, tag or commit or its default branch.
    Elsewhere {
        path: String,
        project: String,
        reference: Option<String>,
    },
    /// An address on the web.
    Web(String),
}

impl Place {
    fn of(configured: Option<&str>) -> Self {
        let text = configured.map(str::trim).filter(|text| !text.is_empty());
        let Some(text) = text else {
            return Self::Here(USUAL_PATH.to_owned());
        };
        if text.starts_with("http://") || text.starts_with("https://") {
            return Self::Web(text.to_owned());
        }
        match text.split_once('@') {
            Some((path, rest)) => {
                let (project, reference) = match rest.split_once(':') {
                    Some((project, reference)) => (project, Some(reference.to_owned())),
                    None => (rest, None),
                };
                Self::Elsewhere {
                    path: path.to_owned(),
                    project: project.to_owned(),
                    reference,
                }
            }
            None => Self::Here(text.to_owned()),
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Here(path) | Self::Elsewhere { path, .. } | Self::Web(path) => path,
        }
    }
}

/// What GitLab makes of the file with everything included.
#[derive(Debug, Default, Deserialize)]
struct Lint {
    valid: Option<bool>,
    merged_yaml: Option<String>,
    includes: Option<Vec<parts::LintInclude>>,
}

/// Asks for the definition and, where it is this repository's, for GitLab's
/// own reading of it.
pub(super) async fn definition(session: &Session, subject: &Subject) -> Fact<PipelineDefinition> {
    let fact = FactKey::PipelineDefinition.name();
    let configured = match &session.opened.project {
        Ok((project, sources)) => match &project.ci_config_path {
            Some(path) => path.as_deref(),
            None => return Fact::Unknown(left_out(fact, "ci_config_path", sources)),
        },
        Err(unknown) => {
            return Fact::Unknown(Unknown {
                fact: fact.to_owned(),
                ..unknown.clone()
            });
        }
    };
    let place = Place::of(configured);
    match &place {
        Place::Here(path) => {
            let target = target_tip(session, subject);
            let lint_path = session.path(&format!(
                "/ci/lint?content_ref={}&include_jobs=true",
                access::encode(&target)
            ));
            let (text, lint, server) = tokio::join!(
                file(session, Some(path), Some(target.clone())),
                session.settings.get(&lint_path),
                server::server(session),
            );
            let text = match text {
                Some(reply) => document(fact, path, &subject.target, &reply, true),
                None => return Fact::Unknown(Unknown::not_collected(fact)),
            };
            let lint = usable(&lint, server, &session.opened.project, subject);
            files(&place, text, lint, &subject.repository)
        }
        Place::Elsewhere {
            path,
            project,
            reference,
        } => {
            let request = format!(
                "/projects/{}/repository/files/{}/raw?ref={}",
                access::encode_path(project),
                access::encode(path),
                access::encode(reference.as_deref().unwrap_or("HEAD"))
            );
            let reply = session.settings.get(&request).await;
            // Another project's 404 may mean anything.
            let text = document(fact, path, project, &reply, false);
            files(&place, text, Err(not_linted()), &subject.repository)
        }
        Place::Web(_) => {
            let text = Fact::Unknown(Unknown::new(
                fact,
                Why::NotSupported,
                "the definition lies at an address outside of GitLab, which is not asked",
            ));
            files(&place, text, Err(not_linted()), &subject.repository)
        }
    }
}

fn not_linted() -> Unknown {
    Unknown::new(
        FactKey::PipelineDefinition.name(),
        Why::NotSupported,
        "what the definition includes is not shown for a definition of another project",
    )
}

/// GitLab's reading, if it is about the target branch: older servers do not
/// know `content_ref` and answer for the default branch.
fn usable(
    reply: &Reply,
    server: &Fact<Server>,
    project: &Read<Project>,
    subject: &Subject,
) -> Result<Lint, Unknown> {
    let fact = FactKey::PipelineDefinition.name();
    let is_default = project
        .as_ref()
        .is_ok_and(|(project, _)| project.default_branch.as_deref() == Some(&subject.target));
    if !is_default {
        if let Some(too_old) = server::too_old(server, fact, "content_ref") {
            return Err(too_old);
        }
        if let Fact::Unknown(unknown) = server {
            return Err(Unknown {
                fact: fact.to_owned(),
                ..unknown.clone()
            });
        }
    }
    let (lint, _): (Lint, _) = object(fact, permissions::APPROVAL_RULES, reply)?;
    Ok(lint)
}

/// The file, and a second entry that stays unknown where includes bring jobs
/// that were not shown.
fn files(
    place: &Place,
    text: Fact<Option<PolicyDocument>>,
    lint: Result<Lint, Unknown>,
    repository: &str,
) -> Fact<PipelineDefinition> {
    let fact = FactKey::PipelineDefinition.name();
    let imposed_by = match place {
        Place::Here(_) => None,
        Place::Elsewhere {
            path,
            project,
            reference,
        } => Some(match reference {
            Some(reference) => format!("{path}@{project}:{reference}"),
            None => format!("{path}@{project}"),
        }),
        Place::Web(address) => Some(address.clone()),
    };
    let whole = |files, sources| {
        Fact::seen_in(
            PipelineDefinition {
                imposed_by: imposed_by.clone(),
                files,
            },
            sources,
        )
    };
    let (document, sources) = match text {
        Fact::Known {
            value: Some(document),
            sources,
        } => (document, sources),
        Fact::Known {
            value: None,
            sources,
        } => return whole(Vec::new(), sources),
        // Where it comes from is known; what it says is not.
        Fact::Unknown(unknown) if imposed_by.is_some() => {
            let file = DefinitionFile {
                path: place.path().to_owned(),
                digest: String::new(),
                content: Fact::Unknown(unknown),
            };
            return whole(vec![file], Vec::new());
        }
        Fact::Unknown(unknown) => return Fact::Unknown(unknown),
    };
    let failed = |detail: String| Fact::Unknown(Unknown::new(fact, Why::Failed, detail));
    let entry = |path: &str, content| DefinitionFile {
        path: path.to_owned(),
        digest: document.digest.clone(),
        content,
    };
    let written = match pipeline::read(&document.text, repository) {
        Ok(written) => written,
        Err(detail) => return whole(vec![entry(place.path(), failed(detail))], sources),
    };
    if !written.brings_more {
        let content = match written.definition {
            Ok(definition) => Fact::seen_in(definition, sources.clone()),
            Err(detail) => failed(detail),
        };
        return whole(vec![entry(place.path(), content)], sources);
    }
    let merged = lint.and_then(|lint| expanded(&lint, &written, repository));
    let files = match merged {
        Ok(definition) => {
            let content = Fact::seen_in(definition, sources.clone());
            vec![entry(place.path(), content)]
        }
        Err(why) => {
            let content = match written.definition {
                Ok(definition) => Fact::seen_in(definition, sources.clone()),
                Err(detail) => failed(detail),
            };
            vec![
                entry(place.path(), content),
                entry(INCLUDED, Fact::Unknown(why)),
            ]
        }
    };
    whole(files, sources)
}

/// The definition with everything included, and the foreign parts of every level.
fn expanded(
    lint: &Lint,
    written: &pipeline::Written,
    repository: &str,
) -> Result<crate::facts::Definition, Unknown> {
    let fact = FactKey::PipelineDefinition.name();
    let failed = |detail: &str| Unknown::new(fact, Why::Failed, detail);
    let (Some(true), Some(merged)) = (lint.valid, &lint.merged_yaml) else {
        return Err(failed(
            "GitLab itself cannot read the definition with its includes",
        ));
    };
    let Some(includes) = &lint.includes else {
        return Err(left_out(fact, "includes", &[]));
    };
    let merged = pipeline::read(merged, repository).map_err(|detail| failed(&detail))?;
    if merged.starts_children {
        // Their jobs stand in files of their own.
        return Err(Unknown::new(
            fact,
            Why::NotSupported,
            "the definition starts child pipelines, whose jobs are not shown",
        ));
    }
    let mut definition = merged.definition.map_err(|detail| failed(&detail))?;
    definition.parts.extend(written.parts.iter().cloned());
    parts::add_included(&mut definition.parts, includes, repository);
    definition.parts.sort();
    definition.parts.dedup();
    definition.inputs.clone_from(&written.inputs);
    for input in merged.inputs {
        if !definition.inputs.contains(&input) {
            definition.inputs.push(input);
        }
    }
    Ok(definition)
}

#[cfg(test)]
mod tests;
