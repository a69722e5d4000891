//! `ccgate policy test`: runs the cases that stand beside a policy. Asks nobody.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::controls::custom::{CODE_PREFIX, CustomControl, Outcome};
use crate::controls::{Verdict, find};
use crate::facts::{Fact, PolicyDocument, PolicyFacts};
use crate::gate::{VerdictWord, decide, evaluate};
use crate::policy::{self, BoundControl, Case, CaseFacts, Expected, Policy};
use crate::render::escape::terminal;

use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::{policy_file, saved_snapshot};
use super::world::World;

/// Longest piece of foreign text in one line of the result.
const LONGEST: usize = 300;

pub(super) fn run(file: &Path, world: &mut World) -> CommandResult {
    let name = file.display().to_string();
    let path = world.folder.join(file);
    let document = policy_file(&path, &name).map_err(CommandError::usage)?;
    let cases = policy::cases(&document).map_err(CommandError::usage)?;
    // Relative to where relative paths start, as every path of the command line is.
    let beside = file.parent().unwrap_or(Path::new("")).to_path_buf();
    let document = match policy::preset(&cases.policy) {
        Some(preset) => preset,
        None => policy_file(
            &world.folder.join(&beside).join(&cases.policy),
            &cases.policy,
        )
        .with_context(|| format!("{name}: `policy`"))
        .map_err(CommandError::usage)?,
    };
    let policy = policy::load(&by_hand(&document), world.now).map_err(CommandError::usage)?;
    let mut text = String::new();
    let mut wrong = 0_usize;
    for case in &cases.cases {
        let differences =
            differences(case, &policy, &document, &beside, world).map_err(CommandError::usage)?;
        let title = terminal(&case.name, LONGEST);
        if differences.is_empty() {
            let _ = writeln!(text, "ok    {title}");
        } else {
            wrong += 1;
            let _ = writeln!(text, "WRONG {title} ({})", case.place);
            for difference in differences {
                let _ = writeln!(text, "      {}", terminal(&difference, LONGEST));
            }
        }
    }
    for id in never_failing(&policy, &cases.cases) {
        let _ = writeln!(text, "note  no case expects `{id}` to fail");
    }
    let _ = writeln!(text, "{} cases, {wrong} wrong", cases.cases.len());
    let _ = world.stdout.write_all(text.as_bytes());
    Ok(if wrong == 0 {
        ExitStatus::Allow
    } else {
        ExitStatus::Block
    })
}

/// The policy as if it had been given by hand: no floor under it.
fn by_hand(document: &PolicyDocument) -> PolicyFacts {
    PolicyFacts {
        target: Fact::known_without_source(Some(document.clone())),
        floor: Fact::known_without_source(None),
    }
}

/// In which way a case came out other than expected.
fn differences(
    case: &Case,
    policy: &Policy,
    document: &PolicyDocument,
    beside: &Path,
    world: &World,
) -> anyhow::Result<Vec<String>> {
    match &case.facts {
        CaseFacts::Given(given) => {
            let mut found = Vec::new();
            for (id, wanted, place) in &case.expect {
                let Some(control) = own(policy, id) else {
                    let why = if find(id).is_some() {
                        "is built in: `facts` are for controls under `custom`, give a `snapshot`"
                    } else {
                        "is no control under `custom` of the policy"
                    };
                    return Err(anyhow!("{place}: `{}` {why}", terminal(id, LONGEST)));
                };
                let outcome = control.judge_given(given);
                let (word, why) = came_to(&outcome);
                if word != wanted.word() {
                    found.push(format!("{id} is {word}, expected {}: {why}", wanted.word()));
                }
            }
            Ok(found)
        }
        CaseFacts::Snapshot(file) => {
            let file = beside.join(file);
            let mut snapshot = saved_snapshot(&file, Some(document.clone()), world)
                .with_context(|| format!("{}", case.place))?;
            let policy = policy::load(&snapshot.policy, snapshot.latest_time())?;
            let evaluations = evaluate(&policy, &mut snapshot);
            let decision = decide(&policy, &snapshot, &evaluations);
            let mut found = Vec::new();
            for (id, wanted, place) in &case.expect {
                let control = decision
                    .controls
                    .iter()
                    .find(|control| is_called(control.meta.id, control.meta.code, id));
                let Some(control) = control else {
                    return Err(anyhow!(
                        "{place}: the policy has no control `{}`",
                        terminal(id, LONGEST)
                    ));
                };
                let word = control.verdict.map_or("off", VerdictWord::word);
                if word != wanted.word() {
                    found.push(format!(
                        "{id} is {word}, expected {}: {}",
                        wanted.word(),
                        control.summary
                    ));
                }
            }
            if let Some(wanted) = &case.decision
                && decision.outcome.word() != wanted
            {
                found.push(format!(
                    "the decision is {}, expected {wanted}",
                    decision.outcome.word()
                ));
            }
            Ok(found)
        }
    }
}

fn came_to(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Ok(Verdict::Pass(evidence)) => ("pass", evidence.summary().to_owned()),
        Ok(Verdict::Fail(failure)) => ("fail", failure.evidence.summary().to_owned()),
        Ok(Verdict::NotApplicable(evidence)) => ("not_applicable", evidence.summary().to_owned()),
        Err(unknown) => ("unknown", unknown.to_string()),
    }
}

fn is_called(id: &str, code: &str, name: &str) -> bool {
    id == name || code.eq_ignore_ascii_case(name)
}

/// The own control of that id or code.
fn own<'p>(policy: &'p Policy, name: &str) -> Option<&'p CustomControl> {
    policy
        .controls
        .iter()
        .filter_map(|bound| bound.control.as_custom())
        .find(|control| is_called(control.meta().id, control.meta().code, name))
}

/// Own controls that no case expects to fail: nobody has seen them close the gate.
fn never_failing<'p>(policy: &'p Policy, cases: &[Case]) -> Vec<&'p str> {
    let fails = |bound: &BoundControl| {
        let meta = bound.control.meta();
        cases
            .iter()
            .flat_map(|case| &case.expect)
            .any(|(id, wanted, _)| *wanted == Expected::Fail && is_called(meta.id, meta.code, id))
    };
    policy
        .controls
        .iter()
        .filter(|bound| bound.control.meta().code.starts_with(CODE_PREFIX) && !fails(bound))
        .map(|bound| bound.control.meta().id)
        .collect()
}
