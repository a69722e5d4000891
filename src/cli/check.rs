//! `ccgate check`: the gate. Wires collection, judgement, record and output
//! together; every rule stands in the rooms below.

use std::sync::PoisonError;

use sha2::{Digest as _, Sha256};

use crate::facts::{
    Fact, FactKey, PolicyDocument, QueueResult, ScanResults, Settings, Snapshot, Unknown, Why,
};
use crate::gate::{self, Decision};
use crate::platform::{self, Host, OwnRun, Setup, Wanted};
use crate::policy::{self, LedgerChoice, LoadError, Mode, Note, POLICY_PATH, Policy};
use crate::scan::{self, ReportPattern};

use super::args::{CheckArgs, ModeArg};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::files::{saved_snapshot, snapshot_bytes};
use super::group;
use super::outputs::{self, Finished};
use super::override_register::on_record;
use super::record::{last_tip, overridden, record};
use super::session;
use super::settings_file::SettingsFile;
use super::world::World;

pub(super) fn run(arguments: &CheckArgs, world: &mut World) -> CommandResult {
    let given =
        session::given_policy(arguments.policy.as_deref(), world).map_err(CommandError::usage)?;
    match &arguments.snapshot {
        Some(file) => {
            let mut snapshot = saved_snapshot(file, given, world).map_err(CommandError::usage)?;
            let judged = judge(arguments, &mut snapshot)?;
            finish(arguments, world, &snapshot, &judged)
        }
        None => live(arguments, given, world),
    }
}

/// Collects from the platform and judges.
fn live(arguments: &CheckArgs, given: Option<PolicyDocument>, world: &mut World) -> CommandResult {
    let flags = flags(arguments);
    let runtime = session::runtime()?;
    let setup = runtime.block_on(session::setup(&flags, arguments.timeout, world))?;
    if let Wanted::Group(group) = setup.place.wanted.clone() {
        return group::run(&group, setup, arguments, given.as_ref(), world);
    }
    let (snapshot, judged) =
        runtime.block_on(Box::pin(look(setup, arguments, given, None, world)))?;
    finish(arguments, world, &snapshot, &judged)
}

/// What the command line says about the place.
pub(super) fn flags(arguments: &CheckArgs) -> platform::Flags {
    platform::Flags {
        platform: arguments.platform.map(Into::into),
        repository: arguments.repo.clone(),
        change: arguments.change,
        head: arguments.head.clone(),
        reference: arguments.reference.clone(),
        since: arguments.since.clone(),
        repository_only: false,
    }
}

/// Collects about one subject and judges it; `queue` is the group that it is part of.
pub(super) async fn look(
    setup: Setup,
    arguments: &CheckArgs,
    given: Option<PolicyDocument>,
    queue: Option<Fact<Option<QueueResult>>>,
    world: &World,
) -> Result<(Snapshot, Judged), CommandError> {
    let handed_in = arguments
        .settings
        .as_ref()
        .map(|file| SettingsFile::read(file, world))
        .transpose()
        .map_err(CommandError::usage)?;
    let from_before = arguments
        .settings_before
        .as_ref()
        .map(|file| SettingsFile::read(file, world))
        .transpose()
        .map_err(CommandError::usage)?;
    let export =
        session::ticket_export(arguments.tickets.as_deref(), world).map_err(CommandError::usage)?;
    let wanted_head = expected_head(&setup.place.wanted);
    let place = setup.place.clone();
    let mut host = Host::new(setup).map_err(CommandError::usage)?;
    let mut snapshot = Box::pin(host.open(&session::policy_wanted(given))).await;
    if let Some(queue) = queue {
        snapshot.queue = queue;
    }
    if let Some(problem) = head_moved(wanted_head.as_deref(), &snapshot) {
        let decision = gate::undecided(&snapshot, problem);
        return Ok((snapshot, Judged::without_policy(decision)));
    }
    let policy = match load(arguments, &snapshot) {
        Ok(policy) => policy,
        Err(LoadError::Unreadable(unknown)) => {
            let decision = gate::undecided(&snapshot, unknown.to_string());
            return Ok((snapshot, Judged::without_policy(decision)));
        }
        Err(error) => return Err(CommandError::usage(error)),
    };
    let needs = session::needs(&policy, &snapshot);
    if needs.any_of(&[FactKey::BranchArrivals, FactKey::BranchArrivedChanges])
        && !host.knows_previous_tip()
        && let Some((tip, told)) =
            last_tip(arguments, policy.ledger.as_ref(), world, &snapshot.subject)
                .map_err(CommandError::ledger)?
    {
        host.set_previous_tip(tip, told);
    }
    let patterns = scan_patterns(arguments, &policy);
    if !patterns.is_empty() || needs.has(FactKey::ScanResults) {
        snapshot.scans = Fact::known_without_source(scan_results(&patterns, &policy, world));
    }
    let needs = gate::still_needed(&policy, &snapshot, needs);
    if needs.has(FactKey::BranchRulesBefore) {
        snapshot.rules_before = match &from_before {
            Some(file) => file.rules_before(&snapshot, &place),
            None => Fact::Unknown(Unknown::new(
                FactKey::BranchRulesBefore.name(),
                Why::NotCollected,
                "no settings snapshot from before the merge was handed in (`--settings-before`)",
            )),
        };
    }
    match &handed_in {
        // What the file holds is not asked for again.
        Some(file) => {
            Box::pin(host.collect(&mut snapshot, &needs.without(Settings::KEYS))).await;
            file.put_into(&mut snapshot, &place, &needs, policy.settings_max_age);
        }
        None => Box::pin(host.collect(&mut snapshot, &needs)).await,
    }
    if needs.has(FactKey::LedgerOverrides) || gate::wants_register(&policy, &snapshot) {
        snapshot.override_register = on_record(arguments, policy.ledger.as_ref(), world, &snapshot);
    }
    // It may have moved while it was read.
    if let Some(problem) = head_moved(wanted_head.as_deref(), &snapshot) {
        let decision = gate::undecided(&snapshot, problem);
        return Ok((snapshot, Judged::without_policy(decision)));
    }
    let sources = session::ticket_sources(export, &needs, world).map_err(CommandError::usage)?;
    Box::pin(host.collect_tickets(&mut snapshot, &needs, &sources)).await;
    if gate::wants_proposed_policy(&policy, &snapshot) {
        host.collect_proposed_policy(&mut snapshot, POLICY_PATH)
            .await;
    }
    if gate::has_override_command(&snapshot) && !policy.overrides.allowed_by.is_empty() {
        // On the heap: seldom asked, and each round in this future would take more of the stack.
        let teams = gate::teams_to_look_up(&policy);
        Box::pin(host.collect_override_people(&mut snapshot, &teams)).await;
        if let Some(run) = OwnRun::of(place.platform, &world.env)
            && gate::wants_run_approvals(&policy, &snapshot)
        {
            Box::pin(host.collect_run_approvals(&mut snapshot, run)).await;
        }
        let signers = gate::published_keys_wanted(&policy, &snapshot);
        if !signers.is_empty() {
            Box::pin(host.collect_published_keys(&mut snapshot, &signers)).await;
        }
    }
    let judged = Judged::by(policy, &mut snapshot);
    Ok((snapshot, judged))
}

/// A decision, and the parts of the policy that are needed after it.
pub(super) struct Judged {
    pub(super) decision: Decision,
    pub(super) ledger: Option<LedgerChoice>,
    pub(super) review_within: Option<String>,
}

impl Judged {
    fn by(policy: Policy, snapshot: &mut Snapshot) -> Self {
        let evaluations = gate::evaluate(&policy, snapshot);
        let decision = gate::decide(&policy, snapshot, &evaluations);
        drop(evaluations);
        Self {
            decision,
            ledger: policy.ledger,
            review_within: Some(policy.overrides.review_within),
        }
    }

    pub(super) fn without_policy(decision: Decision) -> Self {
        Self {
            decision,
            ledger: None,
            review_within: None,
        }
    }
}

/// Judges a snapshot that is complete already.
fn judge(arguments: &CheckArgs, snapshot: &mut Snapshot) -> Result<Judged, CommandError> {
    match load(arguments, snapshot) {
        Ok(policy) => Ok(Judged::by(policy, snapshot)),
        Err(LoadError::Unreadable(unknown)) => Ok(Judged::without_policy(gate::undecided(
            snapshot,
            unknown.to_string(),
        ))),
        Err(error) => Err(CommandError::usage(error)),
    }
}

/// The policy in force, with `--mode` applied; lowering it leaves a note.
fn load(arguments: &CheckArgs, snapshot: &Snapshot) -> Result<Policy, LoadError> {
    let mut policy = policy::load(&snapshot.policy, snapshot.latest_time())?;
    match arguments.mode {
        Some(ModeArg::Advisory) if policy.mode == Mode::Enforce => {
            policy.mode = Mode::Advisory;
            policy.notes.push(Note {
                place: None,
                message: "`--mode advisory` lowers the policy's mode: nothing was enforced"
                    .to_owned(),
            });
        }
        Some(ModeArg::Enforce) => policy.mode = Mode::Enforce,
        Some(ModeArg::Advisory) | None => {}
    }
    if let (Some(url), Some(choice)) = (&arguments.ledger, &policy.ledger)
        && *url != choice.url
    {
        policy.notes.push(Note {
            place: None,
            message: "`--ledger` replaces the ledger that the policy names".to_owned(),
        });
    }
    Ok(policy)
}

/// Reports, and the files that the policy holds their findings against.
fn scan_results(patterns: &[ReportPattern], policy: &Policy, world: &World) -> ScanResults {
    let mut results = {
        let mut stdin = world.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        scan::read(patterns, &world.folder, &mut **stdin)
    };
    for stored in policy
        .scans
        .iter()
        .filter_map(|scan| scan.baseline.as_ref())
    {
        if !results
            .baselines
            .iter()
            .any(|file| file.path == stored.path)
        {
            let file = scan::read_baseline(&stored.path, &world.folder);
            results.baselines.push(file);
        }
    }
    for list in &policy.known_exploited {
        if !results.exploited.iter().any(|file| file.path == list.path) {
            let file = scan::read_exploited(&list.path, &world.folder);
            results.exploited.push(file);
        }
    }
    results
}

/// Scan files: the policy's and those named by hand.
fn scan_patterns(arguments: &CheckArgs, policy: &Policy) -> Vec<ReportPattern> {
    let of_policy = policy.scans.iter().map(|scan| ReportPattern {
        pattern: scan.path.clone(),
        format: scan.format,
    });
    let mut wanted: Vec<ReportPattern> = of_policy.collect();
    for pattern in &arguments.scan {
        // What the policy names is read as the policy says.
        if !wanted.iter().any(|named| named.pattern == *pattern) {
            wanted.push(ReportPattern::by_content(pattern));
        }
    }
    wanted
}

/// Saves, records, renders; gives the exit status.
fn finish(
    arguments: &CheckArgs,
    world: &mut World,
    snapshot: &Snapshot,
    judged: &Judged,
) -> CommandResult {
    let written = write_down(arguments, world, snapshot, judged)?;
    show(arguments, world, judged, &written)
}

/// What was written down about a decision.
pub(super) struct Written {
    pub(super) status: ExitStatus,
    bytes: Vec<u8>,
    digest: String,
    recorded: Option<String>,
}

/// Records the decision; the status is the ledger's where that has to hold it and does not.
pub(super) fn write_down(
    arguments: &CheckArgs,
    world: &mut World,
    snapshot: &Snapshot,
    judged: &Judged,
) -> Result<Written, CommandError> {
    let bytes = snapshot_bytes(snapshot).map_err(CommandError::usage)?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    let mut status = ExitStatus::of(&judged.decision);
    let recorded = match record(arguments, world, snapshot, judged, &digest) {
        Ok(recorded) => recorded,
        Err((error, closes)) => {
            world.complain(&format!("no record was written: {error:#}"));
            if closes {
                status = ExitStatus::Ledger;
            }
            None
        }
    };
    let nowhere_named = arguments.ledger.is_none() && judged.ledger.is_none();
    let traced = overridden(&judged.decision) || gate::has_breach(&judged.decision);
    if traced && nowhere_named && recorded.is_some() && world.in_ci() {
        world.complain(
            "no ledger is named, so the override or breach is recorded on this machine only: \
             keep `.ccgate/ledger`, or name a ledger in the policy",
        );
    }
    Ok(Written {
        status,
        bytes,
        digest,
        recorded,
    })
}

/// Saves the facts and renders the decision; gives the exit status.
pub(super) fn show(
    arguments: &CheckArgs,
    world: &mut World,
    judged: &Judged,
    written: &Written,
) -> CommandResult {
    if let Some(path) = &arguments.save_snapshot {
        outputs::write_file(&world.folder.join(path), &written.bytes)
            .map_err(CommandError::usage)?;
    }
    let finished = Finished {
        decision: &judged.decision,
        status: written.status,
        snapshot_digest: &written.digest,
        recorded: written.recorded.as_deref(),
    };
    outputs::write(&finished, arguments.format, &arguments.output, world)
        .map_err(CommandError::usage)?;
    Ok(written.status)
}

/// The head that the caller means, if they said.
fn expected_head(wanted: &Wanted) -> Option<String> {
    match wanted {
        Wanted::Change { head, .. } => head.clone(),
        Wanted::Group(_) | Wanted::Commit { .. } | Wanted::Repository { .. } => None,
    }
}

/// A run that was started for another head must not speak for this one.
fn head_moved(expected: Option<&str>, snapshot: &Snapshot) -> Option<String> {
    let expected = expected?;
    let head = &snapshot.subject.head;
    if head.is_empty() || head.eq_ignore_ascii_case(expected) {
        return None;
    }
    Some(format!(
        "this run is for head {expected}, but the change is at {head} now; the run for that head decides"
    ))
}
