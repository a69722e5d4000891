//! `ccgate scan`: what is in reports, without judging it.

use std::io::{self, BufWriter, Write as _};
use std::sync::PoisonError;

use anyhow::anyhow;
use serde::{Serialize, Serializer as _};
use sha2::{Digest as _, Sha256};

use crate::facts::{Finding, FindingState, ScanFailure, ScanReport, ScanResults, ScanRun};
use crate::render::escape;
use crate::scan::{self, ReportPattern};

use super::args::{Layout, ScanArgs, ScanCommand};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::outputs;
use super::world::World;

/// Longest line that is printed, in characters.
const LONGEST_LINE: usize = 500;

pub(super) fn run(arguments: &ScanArgs, world: &mut World) -> CommandResult {
    match &arguments.command {
        ScanCommand::Findings { reports, format } => {
            let results = read(reports, world);
            let mut out = BufWriter::new(&mut world.stdout);
            // A reader that went away is no reason for another exit code.
            let _ = match format {
                Layout::Human => lines(&results, &mut out),
                Layout::Json => json(&results, &mut out),
            };
            drop(out);
            Ok(complain(&results, world))
        }
        ScanCommand::Baseline { reports, out } => {
            let results = read(reports, world);
            // What could not be read would be new later on, and nobody would know why.
            if complain(&results, world) != ExitStatus::Allow {
                return Ok(ExitStatus::Undecided);
            }
            let (text, left_out) = scan::baseline(&results);
            outputs::write_file(&world.folder.join(out), text.as_bytes())
                .map_err(CommandError::usage)?;
            let digest = hex::encode(Sha256::digest(&text));
            let path = serde_json::to_string(&out.display().to_string())
                .map_err(|error| CommandError::usage(anyhow!(error)))?;
            let _ = writeln!(
                world.stdout,
                "in the policy, with a day of your own:\n  baseline: {{path: {path}, digest: \"sha256:{digest}\", expires: YYYY-MM-DD}}"
            );
            if left_out > 0 {
                world.complain(&format!(
                    "{left_out} findings are not in the baseline, because only some of so many are known one by one: they count as new"
                ));
            }
            Ok(ExitStatus::Allow)
        }
    }
}

/// What is in these reports, told by their content.
fn read(reports: &[String], world: &World) -> ScanResults {
    let wanted: Vec<ReportPattern> = reports.iter().map(ReportPattern::by_content).collect();
    let mut stdin = world.stdin.lock().unwrap_or_else(PoisonError::into_inner);
    scan::read(&wanted, &world.folder, &mut **stdin)
}

/// Says which reports could not be read; undecided if any could not.
fn complain(results: &ScanResults, world: &mut World) -> ExitStatus {
    let mut status = ExitStatus::Allow;
    for report in &results.reports {
        let (path, pattern) = (&report.path, &report.pattern);
        let message = match &report.runs {
            Ok(_) => continue,
            Err(ScanFailure::Missing) => format!("`{pattern}` matches no file"),
            Err(ScanFailure::Unreadable(why)) => format!("`{path}` could not be read: {why}"),
            Err(ScanFailure::Unparsable(why)) => {
                format!("`{path}` is no report that is understood: {why}")
            }
        };
        world.complain(&message);
        status = ExitStatus::Undecided;
    }
    status
}

/// Every run that could be read, with its report.
fn runs(results: &ScanResults) -> impl Iterator<Item = (&ScanReport, &ScanRun)> {
    results.reports.iter().flat_map(|report| {
        let runs = report.runs.iter().flatten();
        runs.map(move |run| (report, run))
    })
}

fn lines(results: &ScanResults, out: &mut impl io::Write) -> io::Result<()> {
    let mut line = |line: &str| writeln!(out, "{}", escape::terminal(line, LONGEST_LINE));
    for (report, run) in runs(results) {
        line(&format!("{} in {}", run.tool, report.path))?;
        for finding in &run.findings {
            let (print, severity) = (finding.fingerprint, finding.severity.word());
            let (words, state) = (finding.words(), state(finding));
            line(&format!("  {print}  {severity:<8}  {words}{state}"))?;
        }
        let open: u64 = run.counts.iter().map(|count| count.open).sum();
        let is_open = |finding: &&Finding| finding.state.is_open();
        let known = run.findings.iter().filter(is_open).count() as u64;
        match open.saturating_sub(known) {
            0 if open == 0 => line("  no open finding")?,
            0 => {}
            more => line(&format!(
                "  and {more} more open ones, of which only the number is known"
            ))?,
        }
    }
    out.flush()
}

fn state(finding: &Finding) -> String {
    let because = |reason: &Option<String>| {
        let reason = reason.as_deref();
        reason.map_or_else(String::new, |reason| format!(": {reason}"))
    };
    match &finding.state {
        FindingState::Open => String::new(),
        FindingState::Suppressed { reason } => format!(" (suppressed{})", because(reason)),
        FindingState::Dismissed { by, reason } => {
            let by = by.as_deref().unwrap_or("somebody");
            format!(" (dismissed by {by}{})", because(reason))
        }
        FindingState::Accepted => " (accepted)".to_owned(),
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    report: &'a str,
    tool: &'a str,
    #[serde(flatten)]
    finding: &'a Finding,
}

fn json(results: &ScanResults, out: &mut impl io::Write) -> io::Result<()> {
    let listed = runs(results).flat_map(|(report, run)| {
        run.findings.iter().map(|finding| Listed {
            report: &report.path,
            tool: &run.tool,
            finding,
        })
    });
    serde_json::Serializer::pretty(&mut *out).collect_seq(listed)?;
    writeln!(out)?;
    out.flush()
}
