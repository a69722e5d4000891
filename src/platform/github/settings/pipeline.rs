//! What workflows may do: their token, foreign actions, runs from forks, and the
//! subject claim of their identity tokens. Reads no workflow.

use serde::Deserialize;

use crate::facts::{
    AllowedSources, Fact, FactKey, ForkRuns, PipelineSettings, TokenRights, Unknown,
};
use crate::platform::Thrift;
use crate::platform::join::when;
use crate::platform::transport::{Answer, NoAnswer};

use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::PipelineSettings;

/// Where the list of selected actions stands.
const SELECTED: &str = "actions/permissions/selected-actions";

type Got = Result<Answer, NoAnswer>;

#[derive(Debug, Deserialize)]
struct Permissions {
    enabled: Option<bool>,
    allowed_actions: Option<String>,
    sha_pinning_required: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Selected {
    github_owned_allowed: Option<bool>,
    verified_allowed: Option<bool>,
    patterns_allowed: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Workflow {
    default_workflow_permissions: Option<String>,
    can_approve_pull_request_reviews: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct PublicForks {
    approval_policy: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PrivateForks {
    run_workflows_from_fork_pull_requests: Option<bool>,
    send_write_tokens_to_workflows: Option<bool>,
    send_secrets_and_variables: Option<bool>,
    require_approval_for_fork_pr_workflows: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Subject {
    use_default: Option<bool>,
    include_claim_keys: Option<Vec<String>>,
}

/// What came back; `None`: not asked.
#[derive(Default)]
struct Answers {
    permissions: Option<Got>,
    selected: Option<Got>,
    workflow: Option<Got>,
    public_forks: Option<Got>,
    private_forks: Option<Got>,
    subject: Option<Got>,
}

/// Asks for the settings. The list of selected actions is asked with the rest, or
/// only once the setting says that there is one. Of forks only the question that fits the repository's
/// visibility, both if that is not known. `tokens`: whether a job may ask for an identity token.
pub(super) async fn ask(asker: &Asker<'_>, tokens: bool) -> Fact<PipelineSettings> {
    let sees = !asker.blind();
    let public = asker.session.about.public;
    let get = |tail: &'static str| {
        let path = asker.path(tail);
        async move { asker.client().get(&path).await }
    };
    let at_once = asker.session.setup.thrift == Thrift::Rounds;
    let ((permissions, selected), workflow, public_forks, private_forks, subject) = tokio::join!(
        async {
            let (permissions, selected) = tokio::join!(
                when(sees, || get("actions/permissions")),
                when(sees && at_once, || get(SELECTED)),
            );
            let late = !at_once && permissions.as_ref().is_some_and(names_a_list);
            let selected = if late {
                Some(asker.client().get_behind(&asker.path(SELECTED)).await)
            } else {
                selected
            };
            (permissions, selected)
        },
        when(sees, || get("actions/permissions/workflow")),
        when(sees && public != Some(false), || get(
            "actions/permissions/fork-pr-contributor-approval"
        )),
        when(sees && public != Some(true), || get(
            "actions/permissions/fork-pr-workflows-private-repos"
        )),
        when(tokens, || get("actions/oidc/customization/sub")),
    );
    settings(&Answers {
        permissions,
        selected,
        workflow,
        public_forks,
        private_forks,
        subject,
    })
}

/// Whether the list has to be asked for. Without an answer there is nothing that
/// it could tell.
fn names_a_list(permissions: &Got) -> bool {
    reading::one::<Permissions>(KEY, permissions)
        .is_ok_and(|read| read.value.allowed_actions.as_deref() == Some("selected"))
}

fn settings(answers: &Answers) -> Fact<PipelineSettings> {
    let permissions = reading::asked::<Permissions>(KEY, answers.permissions.as_ref(), ACTIONS);
    let workflow = reading::asked::<Workflow>(KEY, answers.workflow.as_ref(), ACTIONS);
    Fact::known_without_source(PipelineSettings {
        default_token: reading::field_of(KEY, &workflow, "default_workflow_permissions", |wire| {
            wire.default_workflow_permissions.as_deref().map(rights)
        }),
        can_approve: reading::field_of(
            KEY,
            &workflow,
            "can_approve_pull_request_reviews",
            |wire| wire.can_approve_pull_request_reviews,
        ),
        allowed_sources: allowed(&permissions, answers.selected.as_ref()),
        pinning_required: reading::field_of(KEY, &permissions, "sha_pinning_required", |wire| {
            wire.sha_pinning_required
        }),
        fork_runs: forks(&permissions, answers),
        // Workflows take inputs that they declare themselves; there is no setting.
        variables_by: Fact::known_without_source(None),
        oidc_subject: subject(answers.subject.as_ref()),
    })
}

const ACTIONS: &str = "the settings of actions";

type Gained<T> = Result<reading::Read<T>, crate::facts::Unknown>;

pub(super) fn rights(word: &str) -> TokenRights {
    match word {
        "none" => TokenRights::None,
        "read" => TokenRights::Read,
        "write" => TokenRights::Write,
        other => TokenRights::Other(other.to_owned()),
    }
}

fn allowed(permissions: &Gained<Permissions>, selected: Option<&Got>) -> Fact<AllowedSources> {
    let read = match permissions {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    match read.value.enabled {
        Some(true) => {}
        Some(false) => return read.fact(AllowedSources::Disabled),
        None => return Fact::Unknown(read.missing(KEY, "enabled")),
    }
    let word = match read.value.allowed_actions.as_deref() {
        Some("all") => return read.fact(AllowedSources::Anything),
        Some("local_only") => return read.fact(AllowedSources::LocalOnly),
        Some("selected") => None,
        Some(other) => Some(AllowedSources::Other(other.to_owned())),
        None => return Fact::Unknown(read.missing(KEY, "allowed_actions")),
    };
    if let Some(other) = word {
        return read.fact(other);
    }
    let list = reading::asked::<Selected>(KEY, selected, ACTIONS);
    reading::field_of(KEY, &list, "patterns_allowed", |wire| {
        Some(AllowedSources::Selected {
            platform_owned: wire.github_owned_allowed?,
            verified: wire.verified_allowed?,
            patterns: wire.patterns_allowed.clone()?,
        })
    })
}

fn forks(permissions: &Gained<Permissions>, answers: &Answers) -> Fact<ForkRuns> {
    if let Ok(read) = permissions
        && read.value.enabled == Some(false)
    {
        return read.fact(ForkRuns {
            run: false,
            approval: None,
            everybody_waits: false,
            secrets: false,
            write_token: false,
        });
    }
    let public = answers.public_forks.as_ref().map(public_forks);
    let private = answers.private_forks.as_ref().map(private_forks);
    match (public, private) {
        (Some(known @ Fact::Known { .. }), _) | (None, Some(known)) => known,
        (_, Some(known @ Fact::Known { .. })) | (Some(known), _) => known,
        (None, None) => Fact::Unknown(reading::not_asked(KEY, ACTIONS)),
    }
}

/// In a public repository a run for a fork never gets secrets or a token that writes.
fn public_forks(answer: &Got) -> Fact<ForkRuns> {
    let read = reading::one::<PublicForks>(KEY, answer);
    reading::field_of(KEY, &read, "approval_policy", |wire| {
        let word = wire.approval_policy.clone()?;
        Some(ForkRuns {
            run: true,
            everybody_waits: word == "all_external_contributors",
            approval: Some(word),
            secrets: false,
            write_token: false,
        })
    })
}

fn private_forks(answer: &Got) -> Fact<ForkRuns> {
    let read = reading::one::<PrivateForks>(KEY, answer);
    reading::field_of(
        KEY,
        &read,
        "run_workflows_from_fork_pull_requests",
        |wire| {
            let waits = wire.require_approval_for_fork_pr_workflows?;
            Some(ForkRuns {
                run: wire.run_workflows_from_fork_pull_requests?,
                approval: waits.then(|| "require_approval_for_fork_pr_workflows".to_owned()),
                everybody_waits: waits,
                secrets: wire.send_secrets_and_variables?,
                write_token: wire.send_write_tokens_to_workflows?,
            })
        },
    )
}

/// A template that is not the default but names no claims is the organisation's,
/// which this answer does not show.
fn subject(answer: Option<&Got>) -> Fact<Vec<String>> {
    let Some(answer) = answer else {
        let mut unknown = Unknown::not_collected(KEY.name());
        "no job asks for an identity token, so its subject was not asked for"
            .clone_into(&mut unknown.detail);
        return Fact::Unknown(unknown);
    };
    let read = reading::one::<Subject>(KEY, answer);
    reading::field_of(KEY, &read, "include_claim_keys", |wire| {
        if wire.use_default? {
            return Some(Vec::new());
        }
        wire.include_claim_keys
            .clone()
            .filter(|claims| !claims.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::{refused, rest};
    use super::*;
    use crate::facts::Why;

    fn read(answers: &Answers) -> PipelineSettings {
        settings(answers).known().unwrap().clone()
    }

    fn sources(permissions: &Value, selected: Got) -> Fact<AllowedSources> {
        read(&Answers {
            permissions: Some(rest(permissions)),
            selected: Some(selected),
            ..Answers::default()
        })
        .allowed_sources
    }

    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    fn conflict() -> Got {
        refused(409, "Conflict")
    }

    #[test]
    fn which_actions_may_run_is_read_in_each_form() {
        let one = |word: &str| {
            sources(
                &json!({"enabled": true, "allowed_actions": word}),
                conflict(),
            )
        };
        assert_eq!(one("all").known(), Ok(&AllowedSources::Anything));
        assert_eq!(one("local_only").known(), Ok(&AllowedSources::LocalOnly));
        assert_eq!(
            one("some").known(),
            Ok(&AllowedSources::Other("some".to_owned()))
        );
        assert_eq!(one("selected").known().unwrap_err().why, Why::Failed);
        assert_eq!(
            sources(&json!({"enabled": false}), conflict()).known(),
            Ok(&AllowedSources::Disabled)
        );
        assert!(!sources(&json!({"allowed_actions": "all"}), conflict()).is_known());
        assert!(!sources(&json!({"enabled": true}), conflict()).is_known());
    }

    #[test]
    fn a_selection_counts_only_if_it_was_seen_whole() {
        let selected = json!({"enabled": true, "allowed_actions": "selected"});
        let whole = rest(
            &json!({"github_owned_allowed": true, "verified_allowed": false, "patterns_allowed": ["acme/*"]}),
        );
        assert_eq!(
            sources(&selected, whole).known(),
            Ok(&AllowedSources::Selected {
                platform_owned: true,
                verified: false,
                patterns: vec!["acme/*".to_owned()]
            })
        );
        let half = rest(&json!({"github_owned_allowed": true, "patterns_allowed": []}));
        assert!(!sources(&selected, half).is_known());
    }

    #[test]
    fn f3_settings_that_cannot_be_read_are_unknown() {
        let seen = read(&Answers {
            workflow: Some(rest(
                &json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": null}),
            )),
            permissions: Some(refused(403, "Resource not accessible by integration")),
            ..Answers::default()
        });
        assert_eq!(seen.default_token.known(), Ok(&TokenRights::Read));
        assert_eq!(
            seen.can_approve.known().unwrap_err().why,
            Why::HiddenOrAbsent
        );
        assert_eq!(
            seen.pinning_required.known().unwrap_err().why,
            Why::NotPermitted
        );
        let unasked = seen.fork_runs.known().unwrap_err();
        assert_eq!(unasked.why, Why::NotPermitted);
        assert!(unasked.needs.is_some());
    }

    #[test]
    fn an_older_server_that_does_not_know_pinning_does_not_forbid_it() {
        let seen = read(&Answers {
            permissions: Some(rest(&json!({"enabled": true, "allowed_actions": "all"}))),
            ..Answers::default()
        });
        assert!(!seen.pinning_required.is_known());
    }

    fn forks_of(public: Option<Got>, private: Option<Got>) -> Fact<ForkRuns> {
        read(&Answers {
            public_forks: public,
            private_forks: private,
            ..Answers::default()
        })
        .fork_runs
    }

    #[test]
    fn forks_of_a_public_repository_wait_as_the_policy_says() {
        let policy = |word: &str| forks_of(Some(rest(&json!({"approval_policy": word}))), None);
        assert!(
            policy("all_external_contributors")
                .known()
                .unwrap()
                .everybody_waits
        );
        let first = policy("first_time_contributors");
        assert!(!first.known().unwrap().everybody_waits && first.known().unwrap().run);
    }

    #[test]
    fn the_question_that_fits_is_found_out_by_its_answer() {
        let private = json!({"run_workflows_from_fork_pull_requests": true, "send_write_tokens_to_workflows": true,
            "send_secrets_and_variables": false, "require_approval_for_fork_pr_workflows": false});
        let seen = forks_of(Some(refused(404, "Not Found")), Some(rest(&private)));
        let seen = seen.known().unwrap();
        assert!(seen.run && seen.write_token && seen.approval.is_none());
        let public = rest(&json!({"approval_policy": "all_external_contributors"}));
        assert!(forks_of(Some(public), Some(refused(403, "private only"))).is_known());
        let neither = forks_of(
            Some(refused(404, "Not Found")),
            Some(refused(403, "set above")),
        );
        assert!(!neither.is_known());
        assert!(!forks_of(None, Some(rest(&json!({})))).is_known());
    }

    #[test]
    fn where_actions_are_off_nothing_runs_for_forks() {
        let seen = read(&Answers {
            permissions: Some(rest(&json!({"enabled": false}))),
            public_forks: Some(refused(404, "Not Found")),
            ..Answers::default()
        });
        assert!(!seen.fork_runs.known().unwrap().run);
    }

    #[test]
    fn the_subject_claim_is_the_default_only_if_the_answer_says_so() {
        let claims = |body: &Value| {
            read(&Answers {
                subject: Some(rest(body)),
                ..Answers::default()
            })
            .oidc_subject
        };
        assert_eq!(claims(&json!({"use_default": true})).known(), Ok(&vec![]));
        assert_eq!(
            claims(&json!({"use_default": false, "include_claim_keys": ["repo", "context"]}))
                .known(),
            Ok(&vec!["repo".to_owned(), "context".to_owned()])
        );
        assert!(!claims(&json!({"use_default": false})).is_known());
        assert!(!claims(&json!({})).is_known());
    }
}
