//! One gate at the top of the ladder on each platform, and what each missing
//! piece and each hidden one costs.

use super::*;
use crate::facts::{
    CodeOwners, Combine, Definition, DefinitionFile, Layer, LayerKind, LayerOrigin, OwnerStatus,
    OwnersDialect, OwnersFile, PipelineJob, RequiredWorkflow, Server,
};
use crate::gate::testing::{FIRST, control, decision, facts as nothing_seen_of, pass, policy};

const LAYER: &str = "ruleset \"main\"";

fn seen<T>(value: T) -> Fact<T> {
    Fact::known_without_source(value)
}

fn hidden<T>() -> Fact<T> {
    Fact::Unknown(Unknown::not_collected("test.hidden"))
}

fn demanding<T>(value: T) -> Requirement<T> {
    Requirement::any_layer(vec![crate::facts::Demand {
        layer: LAYER.to_owned(),
        value: seen(value),
    }])
}

fn check(name: &str, app: Option<&str>) -> Vec<RequiredCheck> {
    vec![RequiredCheck {
        name: name.to_owned(),
        app: app.map(str::to_owned),
    }]
}

fn workflow(repository: &str, path: &str) -> Vec<RequiredWorkflow> {
    vec![RequiredWorkflow {
        path: path.to_owned(),
        repository: repository.to_owned(),
        reference: None,
    }]
}

fn gate_job() -> PipelineJob {
    PipelineJob {
        id: "ccgate".to_owned(),
        reported_as: vec!["ccgate".to_owned()],
        token: None,
        rights: Vec::new(),
        identity_token: false,
        soft_fail: None,
        condition: None,
        does: vec!["ccgate check".to_owned()],
        environment: None,
        self_hosted: None,
        secrets: Vec::new(),
    }
}

fn file(path: &str, trigger: &str) -> DefinitionFile {
    DefinitionFile {
        path: path.to_owned(),
        digest: String::new(),
        content: seen(Definition {
            name: None,
            triggers: vec![trigger.to_owned()],
            filtered: false,
            token: None,
            parts: Vec::new(),
            jobs: vec![gate_job()],
            inputs: Vec::new(),
        }),
    }
}

fn owned_by(text: &str) -> Fact<CodeOwners> {
    seen(CodeOwners {
        file: Some(OwnersFile {
            path: "CODEOWNERS".to_owned(),
            digest: String::new(),
            size: 10,
            text: text.to_owned(),
            dialect: OwnersDialect::Github,
            platform_errors: hidden(),
        }),
        owners: vec![OwnerStatus {
            name: "@ana".to_owned(),
            exists: seen(true),
            can_write: seen(true),
        }],
    })
}

/// Nothing is missing: G4 on GitHub.
fn github() -> Snapshot {
    let mut layer = Layer::of_repository(LAYER, LayerKind::Ruleset, seen(Vec::new()));
    layer.origin = LayerOrigin::Organization;
    let mut rules = BranchRules::without_demands("main", vec![layer], Combine::AnyLayer);
    rules.required_checks = demanding(check("ccgate", Some("99")));
    rules.skipped_checks_block = demanding(true);
    rules.code_owner_review_required = demanding(true);
    rules.required_workflows = demanding(workflow("acme/compliance", "ccgate.yml"));
    let mut facts = nothing_seen_of();
    facts.branch_rules = seen(rules);
    facts.settings.server = seen(Server {
        product: "GitHub".to_owned(),
        version: None,
        enterprise: None,
    });
    facts.settings.code_owners = owned_by("* @ana");
    facts.settings.definition = seen(PipelineDefinition {
        imposed_by: None,
        files: vec![file(".github/workflows/gate.yml", "pull_request_target")],
    });
    facts
}

/// The same without an imposed workflow: G3, by its own app.
fn by_app() -> Snapshot {
    let mut facts = github();
    rules(&mut facts, |rules| {
        rules.required_workflows = demanding(Vec::new())
    });
    facts
}

/// The same with the app of all pipelines: G2.
fn from_base() -> Snapshot {
    let mut facts = by_app();
    rules(&mut facts, |rules| {
        rules.required_checks = demanding(check("ccgate", Some(PIPELINES)));
    });
    facts
}

/// A gate in the pipeline whose definition lies in another project: G2 on GitLab.
fn gitlab() -> Snapshot {
    let mut facts = from_base();
    facts.subject.platform = Platform::Gitlab;
    rules(&mut facts, |rules| {
        rules.layers[0].kind = LayerKind::ProtectedBranch;
        rules.required_checks = demanding(check("pipeline", None));
    });
    facts.settings.definition = seen(PipelineDefinition {
        imposed_by: Some(".gitlab-ci.yml@acme/ci".to_owned()),
        files: vec![file(".gitlab-ci.yml", "merge_request_event")],
    });
    facts
}

fn rules(facts: &mut Snapshot, change: impl FnOnce(&mut BranchRules)) {
    if let Fact::Known { value, .. } = &mut facts.branch_rules {
        change(value);
    }
}

fn definition(facts: &mut Snapshot, change: impl FnOnce(&mut PipelineDefinition)) {
    if let Fact::Known { value, .. } = &mut facts.settings.definition {
        change(value);
    }
}

fn content(facts: &mut Snapshot, change: impl FnOnce(&mut Definition)) {
    definition(facts, |definition| {
        if let Fact::Known { value, .. } = &mut definition.files[0].content {
            change(value);
        }
    });
}

fn level(facts: &Snapshot) -> &'static str {
    integrity(facts, "ccgate").level.word()
}

/// The level after one change.
fn after(mut facts: Snapshot, change: impl FnOnce(&mut Snapshot)) -> &'static str {
    change(&mut facts);
    level(&facts)
}

#[test]
fn each_level_is_reached_by_what_it_asks_for() {
    assert_eq!(level(&github()), "G4");
    assert_eq!(level(&by_app()), "G3");
    assert_eq!(level(&from_base()), "G2");
    let on_change = |facts: &mut Snapshot| {
        content(facts, |content| {
            content.triggers = vec!["pull_request".to_owned()]
        });
    };
    assert_eq!(after(from_base(), on_change), "G1");
    let unowned = |facts: &mut Snapshot| facts.settings.code_owners = owned_by("");
    assert_eq!(after(from_base(), unowned), "G0");
}

#[test]
fn at_the_top_there_is_no_next_step_and_nothing_unknown() {
    let top = integrity(&github(), "ccgate");
    assert_eq!((top.next, top.unknown), (None, Vec::new()));
}

#[test]
fn without_a_required_check_it_is_advice_only_and_says_so() {
    let mut facts = from_base();
    rules(&mut facts, |rules| {
        rules.required_checks = demanding(check("test", None));
    });
    let found = integrity(&facts, "ccgate");
    assert_eq!(found.level, IntegrityLevel::G0);
    let next = found.next.expect("there is a step up");
    assert_eq!(next, "require the check `ccgate` before a merge");
    assert_eq!(found.unknown, Vec::new());
}

#[test]
fn each_of_the_three_paths_has_to_be_owned() {
    for path in [
        ".ccgate.yml",
        "CODEOWNERS",
        ".github/workflows/",
        ".github/workflows/added-later.yml",
    ] {
        let owners = format!("* @ana\n/{path}");
        let facts = |facts: &mut Snapshot| facts.settings.code_owners = owned_by(&owners);
        assert_eq!(after(from_base(), facts), "G0", "{path}");
    }
    let unwanted = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.code_owner_review_required = demanding(false)
        });
    };
    assert_eq!(after(from_base(), unwanted), "G0");
}

#[test]
fn a_job_that_may_fail_or_be_skipped_is_no_gate() {
    let soft = |facts: &mut Snapshot| {
        content(facts, |content| {
            content.jobs[0].soft_fail = Some("continue-on-error: true".to_owned());
        });
    };
    assert_eq!(after(from_base(), soft), "G0");
    let skipped = |facts: &mut Snapshot| {
        content(facts, |content| {
            content.jobs[0].condition = Some("false".to_owned())
        });
    };
    assert_eq!(after(from_base(), skipped), "G0");
}

#[test]
fn one_event_that_runs_what_the_change_says_is_enough_to_stay_below_g2() {
    for event in [
        "pull_request",
        "pull_request_review",
        "an_event_of_tomorrow",
    ] {
        let more = |facts: &mut Snapshot| {
            content(facts, |content| content.triggers.push(event.to_owned()));
        };
        assert_eq!(after(from_base(), more), "G1", "{event}");
    }
    let by_hand = |facts: &mut Snapshot| {
        content(facts, |content| {
            content.triggers.push("workflow_dispatch".to_owned())
        });
    };
    assert_eq!(after(from_base(), by_hand), "G2");
}

#[test]
fn a_service_that_answers_as_its_own_app_runs_nothing_of_the_change() {
    let no_job = |facts: &mut Snapshot| {
        content(facts, |content| {
            content.jobs[0].reported_as = vec!["test".to_owned()]
        });
    };
    assert_eq!(after(by_app(), no_job), "G3");
    assert_eq!(after(from_base(), no_job), "G1");
}

#[test]
fn on_an_own_server_no_app_is_known_to_be_another_one() {
    let own_server = |facts: &mut Snapshot| {
        if let Fact::Known { value, .. } = &mut facts.settings.server {
            value.version = Some("3.17.0".to_owned());
        }
    };
    assert_eq!(after(by_app(), own_server), "G2");
}

#[test]
fn an_imposed_workflow_lifts_to_the_top_only_from_above_by_its_name_and_without_bypass() {
    let in_repository = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.layers[0].origin = LayerOrigin::Repository
        });
    };
    assert_eq!(after(github(), in_repository), "G3");
    let other_name = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.required_workflows = demanding(workflow("acme/workflows", "security.yml"));
        });
    };
    assert_eq!(after(github(), other_name), "G3");
    let own = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.required_workflows = demanding(workflow("acme/app", "ccgate.yml"));
        });
    };
    assert_eq!(after(github(), own), "G3");
    let with_bypass = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.layers[0].bypass = seen(vec![crate::facts::BypassActor {
                kind: crate::facts::BypassKind::Administrators,
                name: "administrators".to_owned(),
                mode: crate::facts::BypassMode::Always,
            }]);
        });
    };
    assert_eq!(after(github(), with_bypass), "G3");
}

#[test]
fn an_imposed_workflow_needs_no_check_and_no_owned_folder_but_an_owned_policy() {
    let imposed_only = |facts: &mut Snapshot| {
        rules(facts, |rules| rules.required_checks = demanding(Vec::new()));
        facts.settings.code_owners = owned_by("/.ccgate.yml @ana\n/CODEOWNERS @ana");
    };
    assert_eq!(after(github(), imposed_only), "G4");
    let no_policy = |facts: &mut Snapshot| {
        facts.settings.code_owners = owned_by("/.github/ @ana\n/CODEOWNERS @ana");
    };
    assert_eq!(after(github(), no_policy), "G0");
}

#[test]
fn a_hidden_bypass_list_keeps_the_top_from_being_proven_and_is_named() {
    let mut facts = github();
    let unknown = Unknown::new("branch.bypass", Why::NotPermitted, "the answer lacks it")
        .needs("Administration: write");
    rules(&mut facts, |rules| {
        rules.layers[0].bypass = Fact::Unknown(unknown.clone());
    });
    let found = integrity(&facts, "ccgate");
    assert_eq!(found.level, IntegrityLevel::G3);
    assert_eq!(found.unknown, vec![unknown]);
    let next = found.next.expect("there is a step up");
    assert!(next.contains("Administration: write"), "{next}");
}

#[test]
fn what_was_not_collected_proves_nothing_and_is_listed() {
    let found = integrity(&nothing_seen_of(), "ccgate");
    assert_eq!(found.level, IntegrityLevel::G0);
    let names: Vec<&str> = found
        .unknown
        .iter()
        .map(|unknown| unknown.fact.as_str())
        .collect();
    for group in [
        "branch.rules",
        "repository.code_owners",
        "pipeline.definition",
    ] {
        assert!(names.contains(&group), "{names:?}");
    }
}

#[test]
fn hiding_a_fact_never_raises_the_level() {
    for whole in [github(), by_app(), from_base(), gitlab()] {
        let before = integrity(&whole, "ccgate").level;
        let hides: [fn(&mut Snapshot); 7] = [
            |facts| facts.branch_rules = hidden(),
            |facts| facts.settings.code_owners = hidden(),
            |facts| facts.settings.definition = hidden(),
            |facts| facts.settings.server = hidden(),
            |facts| definition(facts, |definition| definition.files[0].content = hidden()),
            |facts| rules(facts, |rules| rules.layers[0].bypass = hidden()),
            |facts| {
                rules(facts, |rules| {
                    rules.required_checks.demands[0].value = hidden()
                });
            },
        ];
        for hide in hides {
            let mut less = whole.clone();
            hide(&mut less);
            assert!(integrity(&less, "ccgate").level <= before);
        }
    }
}

#[test]
fn a_pipeline_defined_in_another_project_is_out_of_reach_of_the_change() {
    assert_eq!(level(&gitlab()), "G2");
    let own = |facts: &mut Snapshot| {
        definition(facts, |definition| definition.imposed_by = None);
    };
    assert_eq!(after(gitlab(), own), "G1");
    let own_and_unowned = |facts: &mut Snapshot| {
        own(facts);
        facts.settings.code_owners = owned_by("/docs/ @ana");
    };
    assert_eq!(after(gitlab(), own_and_unowned), "G0");
}

#[test]
fn a_pipeline_that_may_be_skipped_or_lacks_the_gate_is_no_gate() {
    let skipped = |facts: &mut Snapshot| {
        rules(facts, |rules| rules.skipped_checks_block = demanding(false));
    };
    assert_eq!(after(gitlab(), skipped), "G0");
    let without = |facts: &mut Snapshot| content(facts, |content| content.jobs.clear());
    assert_eq!(after(gitlab(), without), "G0");
    let not_required = |facts: &mut Snapshot| {
        rules(facts, |rules| rules.required_checks = demanding(Vec::new()));
    };
    assert_eq!(after(gitlab(), not_required), "G0");
}

#[test]
fn an_external_status_and_an_imposed_policy_lift_a_pipeline_to_the_top() {
    let external = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            let mut checks = check("pipeline", None);
            checks.extend(check("ccgate", Some("17")));
            rules.required_checks = demanding(checks);
        });
    };
    assert_eq!(after(gitlab(), external), "G3");
    // Nothing of the project runs it, so there is nothing to be edited.
    let service = |facts: &mut Snapshot| {
        external(facts);
        definition(facts, |definition| definition.imposed_by = None);
        content(facts, |content| content.jobs.clear());
    };
    assert_eq!(after(gitlab(), service), "G3");
    let imposed = |facts: &mut Snapshot| {
        rules(facts, |rules| {
            rules.required_workflows = demanding(workflow("acme/policies", "ccgate"));
        });
    };
    assert_eq!(after(gitlab(), imposed), "G4");
}

#[test]
fn the_decision_looks_at_the_check_that_the_policy_names() {
    let mut facts = from_base();
    content(&mut facts, |content| {
        content.jobs[0].reported_as = vec!["our gate".to_owned()];
    });
    rules(&mut facts, |rules| {
        rules.required_checks = demanding(check("our gate", Some(PIPELINES)));
    });
    let plain = policy(vec![control(&FIRST, pass())]);
    assert_eq!(decision(&plain, &facts).integrity.level, IntegrityLevel::G0);
    let mut named = policy(vec![control(&FIRST, pass())]);
    named.controls[0].control = crate::controls::find("gate-guards-itself")
        .expect("it is in the table")
        .bind(serde_json::json!({"check": "our gate"}))
        .expect("they are valid");
    assert_eq!(decision(&named, &facts).integrity.level, IntegrityLevel::G2);
}
