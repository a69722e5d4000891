//! From protected-branch entries and project settings to the rules of one
//! branch. Pure: knows how GitLab combines entries and which role each
//! setting needs, does not judge them.
//!
//! The approvals demanded here are the project's. A merge request may carry
//! its own list where the project allows that; such a list is for that
//! request only and says nothing about the branch.

mod entries;
mod project;
mod push_rules;

use std::collections::BTreeMap;

use crate::facts::{BranchRules, Combine, Demand, Fact, Source};

use super::wire::{
    ApprovalRule, ApprovalSetting, Branch, Project, ProtectedBranch, PushRule, Read,
};
pub(super) use entries::{HIDDEN_LAYER, actors, applies, entry_name, limited};
pub(super) use project::merge_methods;

/// Everything that was read about the branch.
#[derive(Clone)]
pub(super) struct Seen {
    /// Name of the branch.
    pub(super) branch: String,
    /// The protected-branch entries of project and groups.
    pub(super) entries: Read<Vec<ProtectedBranch>>,
    /// The branch itself, for tokens that may not read the entries.
    pub(super) flag: Option<Read<Branch>>,
    /// The project.
    pub(super) project: Read<Project>,
    /// Approval settings; `None` inside: the tier does not sell them.
    pub(super) setting: Read<Option<ApprovalSetting>>,
    /// Approval rules; `None` inside: the tier does not sell them.
    pub(super) rules: Read<Option<Vec<ApprovalRule>>>,
    /// Push rule of the project; `None` inside: the tier does not sell them;
    /// `None` in there again: nobody has configured one.
    pub(super) push_rule: Read<Option<Option<PushRule>>>,
    /// Names of members by number.
    pub(super) members: BTreeMap<u64, String>,
}

impl Seen {
    /// Where the answer was read that shows the tier to be the free one.
    /// `None`: it may be any tier.
    fn free_tier(&self) -> Option<&[Source]> {
        match &self.rules {
            Ok((None, sources)) => Some(sources),
            Ok((Some(_), _)) | Err(_) => None,
        }
    }
}

/// The rules of the branch. Always known as a whole; what was hidden is
/// unknown inside.
pub(super) fn rules(seen: &Seen) -> Fact<BranchRules> {
    let mut out = BranchRules::without_demands(seen.branch.clone(), Vec::new(), Combine::AnyLayer);
    // Where several entries match, the most permissive one wins for these.
    out.pull_request_required.combine = Combine::EveryLayer;
    out.force_push_blocked.combine = Combine::EveryLayer;
    out.deletion_blocked.combine = Combine::EveryLayer;
    out.direct_push.combine = Combine::EveryLayer;
    out.removal_limited.combine = Combine::EveryLayer;
    let protected = entries::add(&mut out, seen);
    project::add_merge_checks(&mut out, seen);
    project::add_setting(&mut out, &seen.setting);
    project::add_approval_rules(&mut out, &seen.rules, protected);
    project::add_policies(&mut out, seen);
    push_rules::add(&mut out, &seen.push_rule);
    let sources = seen
        .entries
        .as_ref()
        .map(|(_, sources)| sources.clone())
        .unwrap_or_default();
    Fact::seen_in(out, sources)
}

fn demand<T>(layer: &str, value: Fact<T>) -> Demand<T> {
    Demand {
        layer: layer.to_owned(),
        value,
    }
}

fn yes(sources: &[Source]) -> Fact<bool> {
    Fact::seen_in(true, sources.to_vec())
}

/// A field that an answer left out is unknown, whatever its default may be.
fn from_field<T>(value: Option<T>, fact: &str, field: &str, sources: &[Source]) -> Fact<T> {
    match value {
        Some(value) => Fact::seen_in(value, sources.to_vec()),
        None => Fact::Unknown(super::left_out(fact, field, sources)),
    }
}

#[cfg(test)]
mod demand_tests;
#[cfg(test)]
mod tests;
