//! What the project's push rule demands of commits. The rule of a group is not
//! read: it is only the pattern for new projects and binds none that exist.

use crate::facts::{BranchRules, Fact, Source};

use super::super::wire::{PushRule, Read};
use super::{demand, from_field};

const LAYER: &str = "push rule";
const FACT: &str = "branch.rules";

/// Adds signatures and identities.
pub(super) fn add(out: &mut BranchRules, read: &Read<Option<Option<PushRule>>>) {
    let (signatures, identities) = match read {
        Ok((None, sources)) => {
            out.not_in_plan.push("push rules".to_owned());
            nothing(sources)
        }
        Ok((Some(None), sources)) => nothing(sources),
        Ok((Some(Some(rule)), sources)) => (
            from_field(
                rule.reject_unsigned_commits,
                FACT,
                "reject_unsigned_commits",
                sources,
            ),
            identities(rule, sources),
        ),
        Err(unknown) => (
            Fact::Unknown(unknown.clone()),
            Fact::Unknown(unknown.clone()),
        ),
    };
    out.signatures_required
        .demands
        .push(demand(LAYER, signatures));
    out.identity_rules.demands.push(demand(LAYER, identities));
}

fn nothing(sources: &[Source]) -> (Fact<bool>, Fact<Vec<String>>) {
    (
        Fact::seen_in(false, sources.to_vec()),
        Fact::seen_in(Vec::new(), sources.to_vec()),
    )
}

/// The rules about names and addresses, in words. One that is there stands
/// whatever is hidden beside it; none seen and one hidden is unknown.
fn identities(rule: &PushRule, sources: &[Source]) -> Fact<Vec<String>> {
    let switches = [
        (
            "commit_committer_check",
            rule.commit_committer_check,
            "the committer's address is a verified one of whoever pushes",
        ),
        (
            "commit_committer_name_check",
            rule.commit_committer_name_check,
            "the author's name is that of the account",
        ),
        (
            "member_check",
            rule.member_check,
            "the author is a user of this GitLab",
        ),
    ];
    let mut found: Vec<String> = switches
        .iter()
        .filter(|(_, value, _)| *value == Some(true))
        .map(|(_, _, words)| (*words).to_owned())
        .collect();
    if let Some(Some(pattern)) = &rule.author_email_regex
        && !pattern.is_empty()
    {
        found.push(format!("the author's address matches `{pattern}`"));
    }
    let hidden = switches
        .iter()
        .find(|(_, value, _)| value.is_none())
        .map(|(field, _, _)| *field)
        .or_else(|| {
            rule.author_email_regex
                .is_none()
                .then_some("author_email_regex")
        });
    match (found.is_empty(), hidden) {
        (true, Some(field)) => from_field(None, FACT, field, sources),
        (true, None) | (false, _) => Fact::seen_in(found, sources.to_vec()),
    }
}
