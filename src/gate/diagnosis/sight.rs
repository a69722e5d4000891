//! What was read and what was not, and what each gap costs. The cost is measured:
//! every control that the platform has is judged, and those that stay unknown are
//! booked to the gap that they name themselves.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::controls::{Entry, Meta, Scope, TABLE};
use crate::facts::{Fact, FactKey, Snapshot, Unknown, Why};
use crate::policy::{BoundControl, Enforcement};

use super::{Area, Finding, Patient, State, reason};

/// Groups that only a change has. Scan reports are files of the run that makes them.
pub const OF_A_CHANGE: &[FactKey] = &[
    FactKey::BranchArrivals,
    FactKey::BranchArrivedChanges,
    FactKey::BranchBypasses,
    FactKey::BranchRulesBefore,
    FactKey::LedgerOverrides,
    FactKey::ChangeIdentity,
    FactKey::ChangeAssociation,
    FactKey::ChangeCommits,
    FactKey::ChangeReviews,
    FactKey::ChangePushes,
    FactKey::ChangeChecks,
    FactKey::ChangeComments,
    FactKey::ChangeFiles,
    FactKey::ChangeThreads,
    FactKey::ChangeSignatures,
    FactKey::ChangeOriginals,
    FactKey::ChangeTickets,
    FactKey::ChangeQueue,
    FactKey::ScanResults,
    FactKey::ScanChangeAnalyses,
];

/// A fact that was not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// What it is, e.g. `branch.bypass of ruleset "main"`.
    pub name: String,
    /// Why.
    pub unknown: Unknown,
}

/// A control that stays unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// Its code.
    pub code: &'static str,
    /// Its id.
    pub id: &'static str,
    /// What the policy does when it fails; `None`: there is no policy to say so.
    pub enforcement: Option<Enforcement>,
}

/// What one permission, or one other reason, keeps from sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The permission that would mend it; `None`: none would, or none is known.
    pub needs: Option<String>,
    /// What is not seen.
    pub unread: Vec<Unread>,
    /// The controls that stay unknown because of it.
    pub costs: Vec<Cost>,
}

impl Gap {
    /// The controls that close the gate and cannot be judged.
    pub fn blocking(&self) -> impl Iterator<Item = &Cost> {
        self.costs
            .iter()
            .filter(|cost| cost.enforcement == Some(Enforcement::Block))
    }
}

/// Whether a change is looked at, not only the repository.
fn has_change(facts: &Snapshot) -> bool {
    facts.subject.change.is_some()
}

/// The groups that could have been read. Scan reports are files of the run that makes
/// them, and tickets are kept where only a policy says.
fn wanted(facts: &Snapshot) -> impl Iterator<Item = FactKey> {
    let change = has_change(facts);
    FactKey::ALL
        .into_iter()
        .filter(|key| ![FactKey::ScanResults, FactKey::ChangeTickets].contains(key))
        .filter(move |key| change || !OF_A_CHANGE.contains(key))
}

/// Names of the groups that were read whole, and of those that were read in part.
pub(super) fn read(facts: &Snapshot, gaps: &[Gap]) -> (Vec<&'static str>, Vec<&'static str>) {
    let in_part = |name: &&str| {
        let of_group = |rest: &str| rest.is_empty() || rest.starts_with(['.', ' ']);
        gaps.iter()
            .flat_map(|gap| &gap.unread)
            .any(|one| one.name.strip_prefix(name).is_some_and(of_group))
    };
    wanted(facts)
        .filter(|key| unknown(facts, *key).is_none() || *key == FactKey::BranchBypass)
        .filter(|key| *key != FactKey::BranchBypass || facts.branch_rules.is_known())
        .map(FactKey::name)
        .partition(|name| !in_part(name))
}

/// Why a group was not read.
fn unknown(facts: &Snapshot, key: FactKey) -> Option<Unknown> {
    match key {
        FactKey::BranchRules => facts.branch_rules.known().err(),
        FactKey::BranchBypass => match &facts.branch_rules {
            Fact::Known { value, .. } => value
                .layers
                .iter()
                .find_map(|layer| layer.bypass.known().err()),
            Fact::Unknown(unknown) => Some(unknown.clone()),
        },
        FactKey::BranchArrivals => facts.arrivals.known().err(),
        FactKey::BranchArrivedChanges => facts.arrived_changes.known().err(),
        FactKey::BranchBypasses => facts.bypasses.known().err(),
        FactKey::ChangeIdentity => facts.identity.known().err(),
        FactKey::ChangeAssociation => facts.association.known().err(),
        FactKey::ChangeCommits => facts.commits.known().err(),
        FactKey::ChangeReviews => facts.reviews.known().err(),
        FactKey::ChangePushes => facts.pushes.known().err(),
        FactKey::ChangeChecks => facts.checks.known().err(),
        FactKey::ChangeComments => facts.comments.known().err(),
        FactKey::ChangeFiles => facts.files.known().err(),
        FactKey::ChangeThreads => facts.discussion.known().err(),
        FactKey::ChangeSignatures => facts.signatures.known().err(),
        FactKey::BranchRulesBefore => facts.rules_before.known().err(),
        FactKey::LedgerOverrides => facts.override_register.known().err(),
        FactKey::ChangeOriginals => facts.originals.known().err(),
        FactKey::ChangeTickets => facts.tickets.known().err(),
        FactKey::ChangeQueue => facts.queue.known().err(),
        FactKey::TeamMembers => facts.teams.known().err(),
        FactKey::ScanResults => facts.scans.known().err(),
        FactKey::ScanChangeAnalyses => facts.change_analyses.known().err(),
        FactKey::OrganizationSettings
        | FactKey::OrganizationIdentity
        | FactKey::OrganizationTwoFactor
        | FactKey::OrganizationOwners
        | FactKey::OrganizationMembers
        | FactKey::OrganizationOutside
        | FactKey::OrganizationActivity
        | FactKey::OrganizationReview
        | FactKey::OrganizationApps
        | FactKey::OrganizationTokens
        | FactKey::OrganizationWebhooks
        | FactKey::OrganizationDefaults
        | FactKey::RepositorySettings
        | FactKey::AccessCollaborators
        | FactKey::AccessDeployKeys
        | FactKey::AccessTokens
        | FactKey::AccessWebhooks
        | FactKey::BranchInventory
        | FactKey::RepositoryTags
        | FactKey::RepositoryReleases
        | FactKey::RepositoryCodeOwners
        | FactKey::RepositoryPaths
        | FactKey::BranchCheckHistory
        | FactKey::PipelineSettings
        | FactKey::PipelineRunners
        | FactKey::PipelineDefinition
        | FactKey::PipelineSecrets
        | FactKey::DeploymentEnvironments
        | FactKey::ScanAlerts
        | FactKey::ScanPushProtection
        | FactKey::ScanSetup => facts.settings.unknown(key),
    }
}

/// Everything that was not read, whole groups and single layers of a branch.
fn unread(facts: &Snapshot) -> Vec<Unread> {
    let mut all = Vec::new();
    let mut push = |name: String, unknown: Unknown| {
        let one = Unread { name, unknown };
        if !all.contains(&one) {
            all.push(one);
        }
    };
    for key in wanted(facts) {
        if key != FactKey::BranchBypass
            && let Some(unknown) = unknown(facts, key)
        {
            push(key.name().to_owned(), unknown);
        }
    }
    if let Fact::Known { value, .. } = &facts.branch_rules {
        for layer in &value.layers {
            if let Fact::Unknown(unknown) = &layer.bypass {
                let name = format!("{} of {}", FactKey::BranchBypass.name(), layer.id);
                push(name, unknown.clone());
            }
        }
        for (_, _, demands) in value.in_words() {
            for (layer, demanded) in demands {
                if let Fact::Unknown(unknown) = demanded {
                    push(
                        format!("{} of {layer}", FactKey::BranchRules.name()),
                        unknown,
                    );
                }
            }
        }
    }
    all
}

/// What puts unknowns into the same gap: the permission, else the reason.
fn place(unknown: &Unknown) -> (Option<String>, Option<Why>) {
    match &unknown.needs {
        Some(needs) => (Some(needs.clone()), None),
        None => (None, Some(unknown.why)),
    }
}

/// What was not read, by what would mend it; what costs most comes first.
pub(super) fn gaps(patient: &Patient<'_>) -> Vec<Gap> {
    let mut gaps: BTreeMap<(Option<String>, Option<Why>), Gap> = BTreeMap::new();
    let mut at = |unknown: &Unknown, add: &mut dyn FnMut(&mut Gap)| {
        let place = place(unknown);
        let needs = place.0.clone();
        add(gaps.entry(place).or_insert_with(|| Gap {
            needs,
            unread: Vec::new(),
            costs: Vec::new(),
        }));
    };
    for one in unread(patient.facts) {
        at(&one.unknown, &mut |gap| gap.unread.push(one.clone()));
    }
    // The policy's own controls stand in no table.
    let own = patient.policy.ok().into_iter().flat_map(|policy| {
        let own = policy
            .controls
            .iter()
            .filter_map(|bound| bound.control.as_custom());
        own.map(|control| (control.meta(), None))
    });
    for (meta, entry) in TABLE
        .iter()
        .map(|entry| (entry.meta, Some(entry)))
        .chain(own)
    {
        if let Some((cost, unknown)) = cost(patient, meta, entry) {
            at(&unknown, &mut |gap| {
                gap.costs.push(cost);
                // A value inside a group that was read as a whole.
                if !gap.unread.iter().any(|one| covers(one, &unknown)) {
                    gap.unread.push(Unread {
                        name: unknown.fact.clone(),
                        unknown: unknown.clone(),
                    });
                }
            });
        }
    }
    let mut gaps: Vec<Gap> = gaps.into_values().collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse((gap.blocking().count(), gap.costs.len())));
    gaps
}

/// Whether the unknown that a control names stands in the list already.
fn covers(one: &Unread, unknown: &Unknown) -> bool {
    one.unknown == *unknown
        || unknown.fact == one.name
        || unknown
            .fact
            .strip_prefix(&one.name)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// The control, if it stays unknown on what was seen; `entry` is its line in the table.
fn cost(
    patient: &Patient<'_>,
    meta: &'static Meta,
    entry: Option<&Entry>,
) -> Option<(Cost, Unknown)> {
    let facts = patient.facts;
    let of_a_change =
        || meta.scope == Scope::Change || meta.needs.iter().any(|key| OF_A_CHANGE.contains(key));
    if !meta.platforms.contains(&facts.subject.platform)
        || meta.needs.contains(&FactKey::ScanResults)
        || (!has_change(facts) && of_a_change())
    {
        return None;
    }
    let bound: Option<&BoundControl> = patient.policy.ok().and_then(|policy| {
        policy
            .controls
            .iter()
            .find(|bound| bound.control.meta().id == meta.id)
    });
    let unknown = match bound {
        Some(bound) => bound.control.evaluate(facts).err(),
        // Nothing is asked for by hand, so what binds is the default.
        None => match entry?.bind(Value::Object(Map::new())) {
            Ok(control) => control.evaluate(facts).err(),
            Err(_) => None,
        },
    }?;
    let cost = Cost {
        code: meta.code,
        id: meta.id,
        enforcement: bound.map(|bound| bound.enforcement),
    };
    Some((cost, unknown))
}

/// That nothing was seen by which anything could be decided, and the reason that
/// the first round met.
pub(super) fn nothing_read(patient: &Patient<'_>) -> Vec<Finding> {
    let what = "nothing of the repository could be read";
    let unknown = patient.facts.repository.default_branch.known().err();
    let nothing = "nothing that a decision could rest on";
    std::iter::once(Finding::new(Area::CanRead, State::Bad, nothing))
        .chain(unknown.map(|unknown| Finding::unseen(Area::CannotRead, what, &unknown)))
        .collect()
}

pub(super) fn can_read(patient: &Patient<'_>, read: &[&str], in_part: &[&str]) -> Finding {
    let (state, sentence) = if read.is_empty() {
        (State::Bad, "nothing as a whole".to_owned())
    } else {
        (State::Ok, grouped(read))
    };
    let mut finding = Finding::new(Area::CanRead, state, sentence);
    if !in_part.is_empty() {
        finding = finding.detail(format!("in part: {}", grouped(in_part)));
    }
    if has_change(patient.facts) {
        finding
    } else {
        finding.detail("what a change brings was not looked at: name one with `--change N`")
    }
}

/// One gap in words. Where a permission mends it, that says more than each
/// refusal; those stand in the gap itself.
pub(super) fn cannot_read(gap: &Gap) -> Finding {
    let names = distinct(gap.unread.iter().map(|one| one.name.clone()));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sentence = format!("{}: {}", grouped(&names), priced(gap));
    let mut finding = Finding::new(Area::CannotRead, State::Unknown, sentence);
    let absent = gap
        .unread
        .iter()
        .all(|one| one.unknown.why == Why::HiddenOrAbsent);
    match &gap.needs {
        Some(needs) if absent => {
            return finding.next(format!("grant {needs}, unless there is no such thing"));
        }
        Some(needs) => return finding.next(format!("grant {needs}")),
        None => {}
    }
    if every_not_collected(gap) {
        return finding.detail("this version does not ask this platform for it");
    }
    finding.details = distinct(gap.unread.iter().map(|one| match names.as_slice() {
        [_] => reason(&one.unknown),
        _ => format!("{}: {}", one.name, reason(&one.unknown)),
    }));
    finding
}

fn every_not_collected(gap: &Gap) -> bool {
    gap.unread
        .iter()
        .all(|one| one.unknown.why == Why::NotCollected)
}

/// What the gap costs, in words.
fn priced(gap: &Gap) -> String {
    let codes = |costs: Vec<&Cost>| {
        let codes: Vec<&str> = costs.iter().map(|cost| cost.code).collect();
        codes.join(", ")
    };
    let blocking: Vec<&Cost> = gap.blocking().collect();
    match (gap.costs.len(), blocking.len()) {
        (0, _) => "costs no control".to_owned(),
        (all, block) if all == block => {
            format!("costs {}, which the policy enforces", codes(blocking))
        }
        (_, 0) => format!("costs {}", codes(gap.costs.iter().collect())),
        (_, _) => format!(
            "costs {}; of these the policy enforces {}",
            codes(gap.costs.iter().collect()),
            codes(blocking)
        ),
    }
}

/// Names of one family together: `access (tokens, webhooks), branch.rules`.
fn grouped(names: &[&str]) -> String {
    let mut families: Vec<(&str, Vec<&str>)> = Vec::new();
    for name in names {
        let (family, member) = match name.split_once('.') {
            // A name with more than one part behind it, or of one layer, stays whole.
            Some((family, member)) if !member.contains(['.', ' ']) => (family, member),
            _ => (*name, ""),
        };
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, members)) => members.push(member),
            None => families.push((family, vec![member])),
        }
    }
    let words: Vec<String> = families
        .into_iter()
        .map(|(family, members)| match members.as_slice() {
            [""] => family.to_owned(),
            [only] => format!("{family}.{only}"),
            _ => format!("{family} ({})", members.join(", ")),
        })
        .collect();
    words.join(", ")
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for text in texts {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
