//! The judgement on what the platform's own code scanning says of the change, where no
//! report is there to be judged: each tool looked at the newest commit, to its end, and
//! what is open is within limits. Whether it is asked is not known here.
//!
//! Of each tool, and each part of the repository that it looks at by itself, the newest
//! analysis counts: what is open follows from that one, whatever older ones found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::runs::{Limits, limit};
use super::tally::over;
use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::facts::{
    Alert, ChangeAnalyses, ChangeAnalysis, DismissedAlert, FactKey, Identity, Looked, Severity,
    Snapshot, Unknown, Why,
};

const KEY: FactKey = FactKey::ScanChangeAnalyses;

/// The most alerts that are named.
const NAMED: usize = 5;

/// A word in the name of each tool that is known to read code for weaknesses. Anybody may
/// upload results: those of images, dependencies or settings of the repository alone are
/// no analysis of its code.
const STATIC_ANALYSIS: [&str; 20] = [
    "bandit",
    "brakeman",
    "checkmarx",
    "codeql",
    "coverity",
    "cppcheck",
    "devskim",
    "eslint",
    "flawfinder",
    "fortify",
    "gosec",
    "njsscan",
    "phpstan",
    "pmd",
    "psalm",
    "semgrep",
    "sonarcloud",
    "sonarqube",
    "spotbugs",
    "veracode",
];

/// Judges the analyses and what they leave open: at most `max` of it at all, and at most
/// `new` of it that was not open on the target before the change.
pub(super) fn judge(max: &Limits, new: &Limits, facts: &Snapshot) -> Result<Verdict, Unknown> {
    let fact = &facts.change_analyses;
    let looked = match fact.known()? {
        ChangeAnalyses::Off => {
            let detail = "no report of static analysis was handed in, and code scanning is off";
            return Err(doubt(Why::NotCollected, detail.to_owned()));
        }
        ChangeAnalyses::NothingYet => {
            let detail = "no report of static analysis was handed in, and code scanning has not looked at the change yet";
            return Err(doubt(Why::NotCollected, detail.to_owned()));
        }
        ChangeAnalyses::Looked(looked) => looked,
    };
    let (dismissed, in_doubt) = match facts.identity.known() {
        Ok(identity) => (by_author(looked, identity), None),
        // Any of them may have been dismissed by the author.
        Err(unknown) => (
            Vec::new(),
            Some(unknown).filter(|_| !looked.dismissed.is_empty()),
        ),
    };
    let counted: Vec<&Alert> = looked
        .open
        .iter()
        .chain(dismissed.iter().copied())
        .collect();
    let fails = |seen: String| {
        let evidence = Evidence::new(seen.clone(), KEY, seen, fact.sources());
        Ok(Verdict::fail_because(FailReason::Findings, evidence))
    };
    if let Some(seen) = too_many("open alerts", max, &counted, dismissed.len()) {
        return fails(seen);
    }
    // Where all of it may be new, and is not too much, none of the rest is needed.
    let on_target = if too_many("new", new, &counted, 0).is_some() {
        looked.on_target.known()?.as_deref()
    } else {
        None
    };
    if let Some(on_target) = on_target {
        let old = before(on_target, facts.identity.known()?.opened_at);
        let fresh: Vec<&Alert> = counted
            .into_iter()
            .filter(|alert| !old.contains(alert.name.as_str()))
            .collect();
        if let Some(seen) = too_many("new alerts", new, &fresh, 0) {
            return fails(seen);
        }
    }
    let newest = newest(&looked.analyses);
    if newest.is_empty() {
        let detail = "no analysis of the change is listed";
        return Err(doubt(Why::HiddenOrAbsent, detail.to_owned()));
    }
    if let Some(unknown) = newest
        .iter()
        .find_map(|analysis| no_proof(analysis, looked, &facts.subject.head))
        .or(in_doubt)
    {
        return Err(unknown);
    }
    let tools: Vec<String> = newest.iter().map(|analysis| named(analysis)).collect();
    if !newest.iter().any(|analysis| reads_code(&analysis.tool)) {
        let detail = format!(
            "no report of static analysis was handed in, and code scanning has results of {} alone, \
             which is not known to read code",
            tools.join(", ")
        );
        return Err(doubt(Why::NotCollected, detail));
    }
    let seen = format!(
        "{}; {} alerts are open, {} dismissed",
        tools.join(", "),
        looked.open.len(),
        looked.dismissed.len()
    );
    Ok(Verdict::Pass(Evidence::new(
        format!(
            "code scanning looked at the newest commit, and what is open is within the thresholds: {seen}"
        ),
        KEY,
        seen,
        fact.sources(),
    )))
}

/// What the author of the change took off the list since it was opened; what is not told
/// of a dismissal is taken for the worse.
fn by_author<'l>(looked: &'l Looked, identity: &Identity) -> Vec<&'l Alert> {
    let before = |at: Option<Timestamp>| {
        at.zip(identity.opened_at)
            .is_some_and(|(at, opened)| at < opened)
    };
    let by_other = |by: Option<&String>| {
        by.zip(identity.author.as_ref())
            .is_some_and(|(by, author)| !by.eq_ignore_ascii_case(&author.login))
    };
    looked
        .dismissed
        .iter()
        .filter(|dismissed| !before(dismissed.at) && !by_other(dismissed.by.as_ref()))
        .map(|DismissedAlert { alert, .. }| alert)
        .collect()
}

/// The names of those that were open on the target before the change was opened. An alert
/// keeps its name on every branch. Whoever may upload results can put one onto the target
/// afterwards, but not into the past.
fn before(on_target: &[Alert], opened_at: Option<Timestamp>) -> BTreeSet<&str> {
    let old = |alert: &&Alert| {
        let times = alert.opened_at.zip(opened_at);
        times.is_some_and(|(found, opened)| found < opened)
    };
    let old = on_target.iter().filter(old);
    old.map(|alert| alert.name.as_str()).collect()
}

/// What is over a limit, in words; `what` they are, and how many of them the author of the
/// change dismissed.
fn too_many(what: &str, max: &Limits, all: &[&Alert], dismissed: usize) -> Option<String> {
    let mut counts: BTreeMap<Severity, u64> = BTreeMap::new();
    for alert in all {
        *counts.entry(alert.severity).or_default() += 1;
    }
    let too_many: Vec<String> = counts
        .iter()
        .rev()
        .filter_map(|(severity, count)| over(*count, *severity, limit(max, *severity)))
        .collect();
    if too_many.is_empty() {
        return None;
    }
    let mut named = all.to_vec();
    named.sort_by_key(|alert| Reverse(alert.severity));
    let names: Vec<String> = named
        .iter()
        .take(NAMED)
        .map(|alert| format!("`{}`", alert.name))
        .collect();
    let mut seen = format!(
        "{what} of code scanning: {}; {}",
        too_many.join(", "),
        names.join(", ")
    );
    if dismissed > 0 {
        seen.push_str(&format!(
            "; {dismissed} of them dismissed by the author of the change"
        ));
    }
    Some(seen)
}

/// The newest analysis of each tool and part; of several of the same moment, each.
fn newest(analyses: &[ChangeAnalysis]) -> Vec<&ChangeAnalysis> {
    let mut latest: BTreeMap<(&str, &str), Timestamp> = BTreeMap::new();
    for analysis in analyses {
        let at = latest.entry(place(analysis)).or_insert(analysis.at);
        *at = (*at).max(analysis.at);
    }
    analyses
        .iter()
        .filter(|analysis| latest.get(&place(analysis)) == Some(&analysis.at))
        .collect()
}

fn reads_code(tool: &str) -> bool {
    tool.split_whitespace().any(|word| {
        let mut known = STATIC_ANALYSIS.iter();
        known.any(|known| word.eq_ignore_ascii_case(known))
    })
}

fn place(analysis: &ChangeAnalysis) -> (&str, &str) {
    (&analysis.tool, &analysis.part)
}

/// Why an analysis says nothing of the newest commit.
fn no_proof(analysis: &ChangeAnalysis, looked: &Looked, head: &str) -> Option<Unknown> {
    let is = |commit: &str| analysis.commit.eq_ignore_ascii_case(commit);
    let of_head = is(head) || looked.test_merge.as_deref().is_some_and(is);
    let tool = named(analysis);
    if !of_head {
        let commit = &analysis.commit;
        let detail = format!("{tool} has looked at another commit so far, `{commit}`");
        return Some(doubt(Why::Stale, detail));
    }
    analysis
        .failed
        .then(|| doubt(Why::Failed, format!("{tool} ran and failed")))
}

fn named(analysis: &ChangeAnalysis) -> String {
    match analysis.part.as_str() {
        "" => format!("`{}`", analysis.tool),
        part => format!("`{}` ({part})", analysis.tool),
    }
}

fn doubt(why: Why, detail: String) -> Unknown {
    Unknown::new(KEY.name(), why, detail)
}

#[cfg(test)]
#[path = "change_analyses_tests.rs"]
mod tests;
