//! Literal snapshots for each state of each area.

use super::*;
use crate::controls::testing::{branch, demand, hidden, nothing_seen, seen};
use crate::facts::{
    BypassActor, BypassKind, BypassMode, CodeOwners, Definition, DefinitionFile, FactKey, Layer,
    LayerKind, OwnerStatus, OwnersDialect, OwnersFile, PipelineDefinition, PipelineJob, Platform,
    PolicyDocument, PolicyFacts, RequiredCheck, Requirement, Server,
};
use crate::policy::load;

const RULESET: &str = "ruleset \"main\"";

fn policy_of(text: &str) -> Result<Policy, LoadError> {
    let facts = PolicyFacts {
        target: seen(Some(PolicyDocument {
            origin: ".ccgate.yml@main".to_owned(),
            commit: None,
            digest: String::new(),
            text: text.to_owned(),
        })),
        floor: seen(None),
    };
    load(
        &facts,
        crate::controls::testing::at(crate::controls::testing::NOW),
    )
}

fn diagnosed(facts: &Snapshot, policy: &Result<Policy, LoadError>) -> Diagnosis {
    diagnose(Patient {
        facts,
        policy: policy.as_ref(),
        api: "https://api.github.com/",
        reader: &seen(Account::bot("github-actions[bot]")),
        settings_reader: None,
    })
}

fn baseline() -> Result<Policy, LoadError> {
    policy_of("version: 1\nextends: [soc2-baseline]\n")
}

/// The one finding about an area.
fn about(facts: &Snapshot, area: Area) -> Finding {
    let diagnosis = diagnosed(facts, &baseline());
    let mut of_area = diagnosis
        .findings
        .into_iter()
        .filter(|finding| finding.area == area);
    of_area.next().expect("every area is reported")
}

fn state(facts: &Snapshot, area: Area) -> State {
    about(facts, area).state
}

/// The rules require these checks and nobody is known to go around them.
fn requiring(checks: Vec<RequiredCheck>) -> Snapshot {
    branch(|rules| {
        rules.layers = vec![Layer::of_repository(
            RULESET,
            LayerKind::Ruleset,
            seen(Vec::new()),
        )];
        rules.required_checks = Requirement::any_layer(vec![demand(RULESET, seen(checks))]);
        rules.required_workflows = Requirement::any_layer(vec![demand(RULESET, seen(Vec::new()))]);
        rules.code_owner_review_required =
            Requirement::any_layer(vec![demand(RULESET, seen(true))]);
    })
}

fn check(app: Option<&str>) -> RequiredCheck {
    RequiredCheck {
        name: "ccgate".to_owned(),
        app: app.map(str::to_owned),
    }
}

/// One workflow with the gate's job, started by these events.
fn started_by(triggers: &[&str], change: impl FnOnce(&mut Definition)) -> Snapshot {
    let mut definition = Definition {
        name: None,
        triggers: triggers.iter().map(|&word| word.to_owned()).collect(),
        filtered: false,
        token: None,
        parts: Vec::new(),
        jobs: vec![PipelineJob {
            id: "gate".to_owned(),
            reported_as: vec!["ccgate".to_owned()],
            token: None,
            rights: Vec::new(),
            identity_token: false,
            soft_fail: None,
            condition: None,
            does: Vec::new(),
            environment: None,
            self_hosted: Some(false),
            secrets: Vec::new(),
        }],
        inputs: Vec::new(),
    };
    change(&mut definition);
    let mut facts = requiring(vec![check(Some("77"))]);
    facts.settings.definition = seen(PipelineDefinition {
        imposed_by: None,
        files: vec![DefinitionFile {
            path: ".github/workflows/gate.yml".to_owned(),
            digest: String::new(),
            content: seen(definition),
        }],
    });
    facts
}

fn with_owners(mut facts: Snapshot, text: &str) -> Snapshot {
    facts.settings.code_owners = seen(CodeOwners {
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
    });
    facts
}

const FROM_BASE: &[&str] = &["pull_request_target", "workflow_run", "merge_group"];

#[test]
fn a_server_is_named_with_its_version_or_said_to_be_unknown() {
    let mut facts = nothing_seen();
    assert_eq!(state(&facts, Area::Server), State::Unknown);
    facts.settings.server = seen(Server {
        product: "GitHub Enterprise Server".to_owned(),
        version: Some("3.19".to_owned()),
        enterprise: None,
    });
    let finding = about(&facts, Area::Server);
    assert_eq!(finding.state, State::Ok);
    assert_eq!(
        finding.sentence,
        "GitHub Enterprise Server 3.19, API https://api.github.com/"
    );
}

#[test]
fn both_tokens_are_named_and_one_that_is_not_known_is_not_invented() {
    let facts = nothing_seen();
    let policy = baseline();
    let hidden = hidden();
    let diagnosis = diagnose(Patient {
        facts: &facts,
        policy: policy.as_ref(),
        api: "x",
        reader: &seen(Account::human("ana")),
        settings_reader: Some(&hidden),
    });
    let finding = &diagnosis.findings[1];
    assert_eq!(finding.area, Area::Identity);
    assert_eq!(finding.state, State::Unknown);
    assert_eq!(
        finding.sentence,
        "@ana reads the change, an account that is not known reads the settings"
    );
}

#[test]
fn a_gap_names_its_permission_and_the_controls_that_stay_unknown() {
    let mut facts = requiring(vec![check(None)]);
    let why = Unknown::new("access.webhooks", Why::NotPermitted, "refused").needs("Webhooks: read");
    facts.settings.hide(FactKey::AccessWebhooks, &why);
    let diagnosis = diagnosed(&facts, &policy_of("version: 1\nextends: [soc2-all]\n"));
    let gap = diagnosis
        .gaps
        .iter()
        .find(|gap| gap.needs.as_deref() == Some("Webhooks: read"))
        .expect("a gap of its own");
    let codes: Vec<&str> = gap.costs.iter().map(|cost| cost.code).collect();
    assert_eq!(codes, ["ACC-06"]);
    assert!(!diagnosis.read.contains(&"access.webhooks"));
    let finding = diagnosis
        .findings
        .iter()
        .find(|finding| {
            finding
                .sentence
                .starts_with("access.webhooks: costs ACC-06")
        })
        .expect("it is reported");
    assert_eq!(finding.next.as_deref(), Some("grant Webhooks: read"));
}

#[test]
fn a_hidden_bypass_list_costs_only_what_looks_at_it() {
    let mut facts = requiring(vec![check(None)]);
    let why = Unknown::new("branch.bypass", Why::NotPermitted, "left out").needs("writing");
    if let Fact::Known { value, .. } = &mut facts.branch_rules {
        value.layers[0].bypass = Fact::Unknown(why);
    }
    let diagnosis = diagnosed(&facts, &baseline());
    let gap = diagnosis
        .gaps
        .iter()
        .find(|gap| gap.needs.as_deref() == Some("writing"))
        .expect("a gap of its own");
    assert_eq!(gap.unread[0].name, "branch.bypass of ruleset \"main\"");
    assert!(gap.costs.iter().any(|cost| cost.code == "BR-22"));
    assert!(gap.costs.iter().all(|cost| cost.code != "BR-15"));
    assert!(diagnosis.in_part.contains(&"branch.bypass"));
}

#[test]
fn without_a_change_nothing_about_one_is_missing() {
    let mut facts = nothing_seen();
    let of_change = |diagnosis: &Diagnosis| {
        diagnosis
            .gaps
            .iter()
            .flat_map(|gap| &gap.costs)
            .any(|cost| cost.code.starts_with("CHG"))
    };
    facts.repository.default_branch = seen("main".to_owned());
    assert!(of_change(&diagnosed(&facts, &baseline())));
    facts.subject.change = None;
    assert!(!of_change(&diagnosed(&facts, &baseline())));
}

#[test]
fn a_policy_is_counted_missed_unreadable_or_listed_with_its_problems() {
    let facts = nothing_seen();
    let of = |policy: &Result<Policy, LoadError>| {
        let diagnosis = diagnosed(&facts, policy);
        let mut findings = diagnosis.findings.into_iter();
        findings
            .find(|finding| finding.area == Area::Policy)
            .expect("every area is reported")
    };
    let sound = of(&baseline());
    assert_eq!(sound.state, State::Ok);
    assert!(
        sound.sentence.contains("mode enforce"),
        "{}",
        sound.sentence
    );
    let advisory = of(&policy_of(
        "version: 1\nextends: [soc2-baseline]\nmode: advisory\n",
    ));
    assert_eq!(advisory.state, State::Weak);
    assert_eq!(of(&Err(LoadError::Missing)).state, State::Bad);
    let unreadable = LoadError::Unreadable(Unknown::new("policy.target", Why::Failed, "no answer"));
    assert_eq!(of(&Err(unreadable)).state, State::Unknown);
    let wrong = of(&policy_of("version: 1\nmode: x\nnonsense: 1\n"));
    assert_eq!(wrong.state, State::Bad);
    assert!(wrong.details.len() >= 2, "{:?}", wrong.details);
    assert!(
        wrong
            .details
            .iter()
            .all(|line| line.starts_with(".ccgate.yml@main:"))
    );
}

#[test]
fn a_check_is_required_from_whom_or_not_at_all() {
    let area = Area::Required;
    assert_eq!(state(&nothing_seen(), area), State::Unknown);
    assert_eq!(state(&requiring(Vec::new()), area), State::Bad);
    let any = about(&requiring(vec![check(None)]), area);
    assert_eq!(any.state, State::Weak);
    assert_eq!(
        any.sentence,
        "ruleset \"main\" requires `ccgate` from any source"
    );
    let own = about(&requiring(vec![check(Some("77"))]), area);
    assert_eq!(own.state, State::Ok);
    assert!(
        own.sentence.ends_with("from app 77 only"),
        "{}",
        own.sentence
    );
    let mut workflows = requiring(vec![check(Some("15368"))]);
    workflows.settings.server = seen(Server {
        product: "GitHub".to_owned(),
        version: None,
        enterprise: None,
    });
    assert_eq!(state(&workflows, area), State::Weak);
}

#[test]
fn the_check_that_the_policy_names_is_looked_for() {
    let facts = requiring(vec![check(None)]);
    let policy = policy_of(
        "version: 1\nextends: [soc2-baseline]\ncontrols:\n  gate-guards-itself: {check: other}\n",
    );
    let diagnosis = diagnosed(&facts, &policy);
    assert_eq!(diagnosis.check, "other");
    let required = diagnosis
        .findings
        .iter()
        .find(|finding| finding.area == Area::Required);
    assert_eq!(required.map(|finding| finding.state), Some(State::Bad));
}

#[test]
fn a_known_way_around_is_weak_whatever_else_is_hidden() {
    let area = Area::Bypass;
    let actor = || BypassActor {
        kind: BypassKind::Team,
        name: "@acme/ops".to_owned(),
        mode: BypassMode::Always,
    };
    let of = |lists: Vec<Fact<Vec<BypassActor>>>| {
        let facts = branch(|rules| {
            rules.layers = lists
                .into_iter()
                .map(|list| Layer::of_repository(RULESET, LayerKind::Ruleset, list))
                .collect();
        });
        state(&facts, area)
    };
    assert_eq!(state(&nothing_seen(), area), State::Unknown);
    assert_eq!(of(Vec::new()), State::Bad);
    assert_eq!(of(vec![seen(Vec::new())]), State::Ok);
    assert_eq!(of(vec![seen(Vec::new()), hidden()]), State::Unknown);
    assert_eq!(of(vec![hidden(), seen(vec![actor()])]), State::Weak);
}

#[test]
fn triggers_are_weak_where_the_gate_may_not_start_or_not_count() {
    let area = Area::Triggers;
    assert_eq!(state(&nothing_seen(), area), State::Unknown);
    assert_eq!(state(&started_by(FROM_BASE, |_| {}), area), State::Ok);
    let filtered = started_by(FROM_BASE, |definition| definition.filtered = true);
    assert_eq!(state(&filtered, area), State::Weak);
    let soft = started_by(FROM_BASE, |definition| {
        definition.jobs[0].soft_fail = Some("continue-on-error: true".to_owned());
    });
    assert_eq!(state(&soft, area), State::Weak);
    let plain = about(&started_by(&["pull_request"], |_| {}), area);
    assert_eq!(plain.state, State::Weak);
    let details = plain.details.join("\n");
    for said in ["after a review", "merge_group", "G2"] {
        assert!(details.contains(said), "{said} in {details}");
    }
    let elsewhere = started_by(FROM_BASE, |definition| definition.jobs.clear());
    assert_eq!(state(&elsewhere, area), State::Unknown);
}

#[test]
fn owners_count_only_if_they_can_act_and_have_to_be_asked() {
    let area = Area::CodeOwners;
    let gate = || started_by(FROM_BASE, |_| {});
    assert_eq!(state(&gate(), area), State::Unknown);
    assert_eq!(state(&with_owners(gate(), "* @ana"), area), State::Ok);
    let partly = about(
        &with_owners(gate(), "/.ccgate.yml @ana\n/CODEOWNERS @ana"),
        area,
    );
    assert_eq!(partly.state, State::Bad);
    assert!(
        partly.sentence.contains(".github/workflows/gate.yml"),
        "{}",
        partly.sentence
    );
    assert_eq!(state(&with_owners(gate(), "* @gone"), area), State::Unknown);
    let mut unasked = with_owners(gate(), "* @ana");
    if let Fact::Known { value, .. } = &mut unasked.branch_rules {
        value.code_owner_review_required =
            Requirement::any_layer(vec![demand(RULESET, seen(false))]);
    }
    assert_eq!(state(&unasked, area), State::Weak);
    let mut unseen = with_owners(gate(), "* @ana");
    unseen.settings.definition = hidden();
    assert_eq!(state(&unseen, area), State::Unknown);
    let mut none = gate();
    none.settings.code_owners = seen(CodeOwners {
        file: None,
        owners: Vec::new(),
    });
    assert_eq!(state(&none, area), State::Bad);
}

#[test]
fn a_level_that_is_not_proven_is_unknown_and_not_low() {
    assert_eq!(state(&nothing_seen(), Area::Integrity), State::Unknown);
    let low = about(&requiring(Vec::new()), Area::Integrity);
    assert_eq!(low.state, State::Bad);
    assert!(low.next.is_some());
    let base = with_owners(started_by(FROM_BASE, |_| {}), "* @ana");
    let proven = about(&base, Area::Integrity);
    assert_eq!(proven.state, State::Ok, "{proven:?}");
    assert!(proven.sentence.starts_with("G2"), "{}", proven.sentence);
}

#[test]
fn a_pipeline_as_a_whole_is_weak_while_a_skipped_one_counts() {
    let of = |blocks: Fact<bool>| {
        let mut facts = branch(|rules| {
            let setting = "merge checks";
            rules.layers = Vec::new();
            rules.required_checks = Requirement::every_layer(vec![demand(
                setting,
                seen(vec![RequiredCheck {
                    name: "pipeline".to_owned(),
                    app: None,
                }]),
            )]);
            rules.required_workflows = Requirement::any_layer(Vec::new());
            rules.skipped_checks_block = Requirement::any_layer(vec![demand(setting, blocks)]);
        });
        facts.subject.platform = Platform::Gitlab;
        state(&facts, Area::Required)
    };
    assert_eq!(of(seen(true)), State::Ok);
    assert_eq!(of(seen(false)), State::Weak);
    assert_eq!(of(hidden()), State::Unknown);
}

#[test]
fn whoever_sees_neither_repository_nor_rules_is_blind() {
    let mut facts = nothing_seen();
    let blind = diagnosed(&facts, &baseline());
    assert!(blind.blind);
    let unread: Vec<_> = blind
        .findings
        .iter()
        .filter(|finding| finding.area == Area::CannotRead)
        .collect();
    assert_eq!(unread.len(), 1, "{unread:?}");
    facts.repository.default_branch = seen("main".to_owned());
    assert!(!diagnosed(&facts, &baseline()).blind);
}
