//! Which branches are in scope, and what protects each: the mark of classic
//! protection in the list of branches, and rulesets by their conditions. What a
//! layer demands in full is known of the target branch only.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::facts::{BranchRules, Fact, FactKey, InScopeBranch, Needs, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, Listing, NoAnswer};

use super::super::conditions::Ref;
use super::super::graph::{self, Place};
use super::super::permissions::{self, METADATA};
use super::super::protection::CLASSIC;
use super::super::reach;
use super::super::rulesets::origin_words;
use super::super::wire;

/// Kinds of rules that hold back what comes to a branch that stands there. A kind
/// that is not among them protects nothing that is known.
const PROTECTING: [&str; 15] = [
    "CODE_SCANNING",
    "COMMITTER_EMAIL_PATTERN",
    "COMMIT_AUTHOR_EMAIL_PATTERN",
    "COMMIT_MESSAGE_PATTERN",
    "DELETION",
    "LOCK_BRANCH",
    "MERGE_QUEUE",
    "NON_FAST_FORWARD",
    "PULL_REQUEST",
    "REQUIRED_DEPLOYMENTS",
    "REQUIRED_LINEAR_HISTORY",
    "REQUIRED_SIGNATURES",
    "REQUIRED_STATUS_CHECKS",
    "UPDATE",
    "WORKFLOWS",
];

/// Whether the globs mean the target branch and no other, so that its own rules,
/// which are asked for anyway, tell everything.
pub(super) fn is_target_alone(target: &str, needs: &Needs) -> bool {
    let globs = needs.branches();
    let plain = !target.contains(['*', '?', '[', ']', '{', '}', '\\', '!']);
    plain
        && !globs.is_empty()
        && globs.iter().all(|glob| glob == target)
        && needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass])
}

/// The inventory of the target branch alone, by its own rules.
pub(super) fn of_target(rules: &Fact<BranchRules>) -> Fact<Vec<InScopeBranch>> {
    rules.map_ref(|rules| {
        let protected = &rules.protected;
        let names: Vec<String> = protected
            .layers_where(|on| *on)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let layers = protected.holds(|on| *on).map(|_| names);
        vec![InScopeBranch {
            name: rules.branch.clone(),
            layers,
        }]
    })
}

/// A ruleset in force.
#[derive(Debug)]
pub(super) struct Ruleset {
    name: String,
    head: wire::RulesetHead,
    /// Whether any rule protects; `None` if the rules were not seen.
    protects: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    #[serde(flatten)]
    head: wire::RulesetHead,
    source: Option<RulesetSource>,
    rules: Option<wire::Nodes<RuleKind>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RulesetSource {
    #[serde(rename = "__typename")]
    kind: Option<String>,
    login: Option<String>,
    slug: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RuleKind {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// The rulesets for branches that are in force, repository and above.
pub(super) fn rulesets(answer: &GraphqlAnswer) -> Result<(Vec<Ruleset>, Source), Unknown> {
    let path = ["repository", "rulesets"];
    let fact = FactKey::BranchInventory.name();
    let hidden = || graph::empty(answer, fact, METADATA, "whole list of rulesets");
    let value = match graph::place(answer, &path, fact, METADATA) {
        Place::There(value) => value,
        Place::Empty => return Err(hidden()),
        Place::Refused(unknown) => return Err(unknown),
    };
    if let Some(unknown) = graph::errors_below(answer, &path, fact, METADATA) {
        return Err(unknown);
    }
    let list: wire::Nodes<Node> = graph::read(&value, answer, fact)?;
    let more = list.page_info.as_ref().and_then(|page| page.has_next_page);
    let nodes: Option<Vec<Node>> = list.nodes.and_then(|nodes| nodes.into_iter().collect());
    let (Some(nodes), Some(false)) = (nodes, more) else {
        return Err(hidden());
    };
    let mut found = Vec::new();
    for node in nodes {
        match (
            node.head.target.as_deref(),
            node.head.enforcement.as_deref(),
        ) {
            (Some("BRANCH"), Some("ACTIVE")) => found.push(ruleset(node)),
            (Some(_), Some(_)) => {}
            (None, _) | (_, None) => return Err(hidden()),
        }
    }
    Ok((found, answer.source.clone()))
}

fn ruleset(node: Node) -> Ruleset {
    let source = node.source.unwrap_or_default();
    let origin = origin_words(
        source.kind.as_deref(),
        source.login.as_deref().or(source.slug.as_deref()),
    );
    let kinds = node.rules.and_then(|rules| rules.nodes);
    Ruleset {
        name: format!("ruleset {} ({origin})", reach::label(&node.head)),
        head: node.head,
        protects: kinds.map(|kinds| {
            kinds.iter().flatten().any(|rule| {
                let kind = rule.kind.as_deref();
                kind.is_some_and(|kind| PROTECTING.contains(&kind))
            })
        }),
    }
}

/// The branches that match the globs, all of them without a glob.
pub(super) fn in_scope<'a>(
    branches: &'a Result<Listing, NoAnswer>,
    rulesets: &Result<(Vec<Ruleset>, Source), Unknown>,
    globs: &[String],
    reference: impl Fn(&'a str) -> Ref<'a>,
) -> Fact<Vec<InScopeBranch>> {
    let key = FactKey::BranchInventory;
    let listing = match branches {
        Ok(listing) => listing,
        Err(refusal) => {
            let needs = permissions::needs(key);
            return Fact::Unknown(access::refused(key.name(), needs, refusal));
        }
    };
    let failed = |detail: &str| Fact::Unknown(Unknown::new(key.name(), Why::Failed, detail));
    let Ok(scope) = matcher(globs) else {
        return failed("the globs of the branches in scope cannot be read");
    };
    let mut found = Vec::new();
    for item in &listing.items {
        let Some(name) = item.get("name").and_then(serde_json::Value::as_str) else {
            return failed("the list of branches leaves out the name of one");
        };
        if !globs.is_empty() && !scope.is_match(name) {
            continue;
        }
        let protected = item.get("protected").and_then(serde_json::Value::as_bool);
        found.push(InScopeBranch {
            name: name.to_owned(),
            layers: layers(protected, rulesets, reference(name), &listing.sources),
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Fact::seen_in(found, listing.sources.clone())
}

/// Names of what protects one branch. One layer that is proven is enough to know
/// that something does; that nothing does has to be seen whole.
fn layers(
    protected: Option<bool>,
    rulesets: &Result<(Vec<Ruleset>, Source), Unknown>,
    reference: Ref<'_>,
    listed: &[Source],
) -> Fact<Vec<String>> {
    let mut sources = listed.to_vec();
    let mut names = Vec::new();
    let mut hidden = None;
    match rulesets {
        Err(unknown) => hidden = Some(unknown.clone()),
        Ok((rulesets, source)) => {
            sources.push(source.clone());
            for ruleset in rulesets {
                match (reach::means(&ruleset.head, reference), ruleset.protects) {
                    (Some(true), Some(true)) => names.push(ruleset.name.clone()),
                    (Some(false), _) | (_, Some(false)) => {}
                    (None, _) | (_, None) => {
                        hidden.get_or_insert_with(|| undecided(&ruleset.name));
                    }
                }
            }
        }
    }
    names.sort();
    match (names.is_empty(), protected, hidden) {
        (false, _, _) => Fact::seen_in(names, sources),
        // The platform does not say whether a ruleset alone sets the mark too.
        (true, Some(true), Some(_)) => {
            Fact::seen_in(vec![format!("{CLASSIC} or a ruleset")], sources)
        }
        (true, Some(true), None) => Fact::seen_in(vec![CLASSIC.to_owned()], sources),
        (true, Some(false), None) => Fact::seen_in(Vec::new(), sources),
        (true, Some(false) | None, Some(unknown)) => Fact::Unknown(unknown),
        (true, None, None) => Fact::Unknown(Unknown::new(
            FactKey::BranchInventory.name(),
            Why::Failed,
            "the list of branches does not say whether the branch is protected",
        )),
    }
}

fn undecided(ruleset: &str) -> Unknown {
    Unknown::new(
        FactKey::BranchInventory.name(),
        Why::HiddenOrAbsent,
        format!("it cannot be told whether {ruleset} protects the branch"),
    )
    .needs(METADATA)
}

fn matcher(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(GlobBuilder::new(glob).literal_separator(false).build()?);
    }
    set.build()
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
