//! Asks for everything that protects a branch, and lays the layers together.

use std::collections::BTreeMap;

use crate::facts::{BranchRules, Fact, FactKey, Needs, Server, Source, Unknown, Why};
use crate::platform::transport::{Answer, Listing, NoAnswer, Transport};
use crate::platform::{Thrift, access};

use super::client::Client;
use super::conditions::Ref;
use super::join::{all, when};
use super::layer;
use super::permissions;
use super::protection::{self, Classic};
use super::reach;
use super::rulesets::{self, Details, Rulesets};
use super::wire::RulesetHead;

/// What the questions about a branch depend on.
pub(super) struct Question<'a> {
    pub(super) repository_path: String,
    pub(super) branch: &'a str,
    /// Name of the default branch, if it is known.
    pub(super) default_branch: Option<&'a str>,
    pub(super) server: &'a Fact<Server>,
    pub(super) change: &'a Client,
    pub(super) settings: Option<&'a Client>,
    /// Whether the change token is the plain workflow token.
    pub(super) workflow_token: bool,
    /// The rulesets of the first round, if the list was complete.
    pub(super) heads: Option<&'a [RulesetHead]>,
    pub(super) needs: &'a Needs,
    pub(super) transport: &'a Transport,
    pub(super) thrift: Thrift,
    /// The first answer, if it tells about this branch.
    pub(super) opened: Option<&'a Opened>,
}

/// What the first answer tells about the branch that it looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) branch: String,
    /// Whether it was seen that there is no classic protection.
    pub(super) unguarded: bool,
    pub(super) source: Source,
}

impl Question<'_> {
    /// The list of effective rules where it is known to be empty: every ruleset is
    /// known, and none in force is about branches.
    fn no_rules(&self) -> Option<Listing> {
        let opened = self.opened.filter(|_| self.thrift == Thrift::Requests)?;
        let idle = |head: &RulesetHead| {
            head.enforcement
                .as_deref()
                .is_some_and(|word| word != "ACTIVE")
                || head.target.as_deref().is_some_and(|word| word != "BRANCH")
        };
        self.heads?.iter().all(idle).then(|| Listing {
            items: Vec::new(),
            sources: vec![opened.source.clone()],
            endpoint: opened.source.endpoint.clone(),
        })
    }

    /// Where it was seen that there is no classic protection, if that saves a request.
    fn unguarded(&self) -> Option<&Source> {
        let opened = self.opened.filter(|_| self.thrift == Thrift::Requests)?;
        opened.unguarded.then_some(&opened.source)
    }
}

/// The rules of the branch, and who can go around them if that is needed.
pub(super) async fn ask(question: &Question<'_>) -> Fact<BranchRules> {
    let branch = access::encode(question.branch);
    let base = &question.repository_path;
    let rules_path = format!("{base}/rules/branches/{branch}");
    let branch_path = format!("{base}/branches/{branch}");
    let protection_path = format!("{base}/branches/{branch}/protection");
    let with_bypass = question.needs.has(FactKey::BranchBypass);
    let strong = question.settings.unwrap_or(question.change);
    let blind = question.workflow_token && question.settings.is_none();
    let early = early_details(question, with_bypass, blind);
    let unguarded = question.unguarded();

    let (rules, (summary, full), mut details) = tokio::join!(
        async {
            match question.no_rules() {
                Some(none) => Ok(none),
                None => question.change.get_all(&rules_path, None).await,
            }
        },
        async {
            if unguarded.is_some() {
                return (None, None);
            }
            // The summary tells something only where protection itself is hidden.
            let at_once = blind || question.thrift == Thrift::Rounds;
            let (summary, full) = tokio::join!(
                when(at_once, || question.change.get(&branch_path)),
                when(!blind, || strong.get(&protection_path)),
            );
            let late = !at_once && full.as_ref().is_some_and(protection::is_hidden);
            let summary = if late {
                Some(question.change.get_behind(&branch_path).await)
            } else {
                summary
            };
            (summary, full)
        },
        ask_details(strong, base, &early),
    );

    let hidden = hidden_bypass(blind);
    if with_bypass
        && !blind
        && let Ok(listing) = &rules
    {
        // Rulesets that the first round did not list, or could not list.
        let known_hidden = hidden_ids(question);
        let late: Vec<u64> = rulesets::ids(listing)
            .into_iter()
            .filter(|id| !details.contains_key(id) && !known_hidden.contains(id))
            .collect();
        if !late.is_empty() {
            question.transport.begin_wave();
            details.extend(ask_details(strong, base, &late).await);
        }
    }

    let heads: BTreeMap<u64, &RulesetHead> = question
        .heads
        .unwrap_or_default()
        .iter()
        .filter_map(|head| Some((head.database_id?, head)))
        .collect();
    let mut inactive = reach::inactive(
        question.heads,
        Ref::branch(question.branch, question.default_branch),
    );
    let mut not_in_plan = Vec::new();
    let mut layers = Vec::new();
    let classic = match unguarded {
        Some(_) => Classic::None,
        None => protection::classic(full.as_ref(), summary.as_ref()),
    };
    match classic {
        Classic::None => {}
        Classic::NotInPlan => not_in_plan.push("branch protection".to_owned()),
        Classic::Layer(layer) => layers.push(*layer),
    }
    match rulesets::rulesets(&rules, question.server, &heads, &details, &hidden) {
        Rulesets::NotInPlan => {
            not_in_plan.push("rulesets".to_owned());
            // What the plan does not have cannot stand there idle.
            inactive = Fact::known_without_source(Vec::new());
        }
        Rulesets::Layers(found) => layers.extend(found),
    }
    let mut sources = Vec::new();
    if let Ok(listing) = &rules {
        sources.extend(listing.sources.iter().cloned());
    }
    sources.extend(unguarded.cloned());
    for answer in [summary.as_ref(), full.as_ref()]
        .into_iter()
        .flatten()
        .flatten()
    {
        sources.push(answer.source.clone());
    }
    for answer in details.values().flatten() {
        sources.push(answer.source.clone());
    }
    let mut rules = layer::stack(question.branch, &layers, not_in_plan, with_bypass);
    rules.inactive = inactive;
    if rules
        .layers
        .iter()
        .any(|layer| layer.id == rulesets::UNSEEN)
    {
        rules.unseen.push(rulesets::UNSEEN.to_owned());
    }
    Fact::seen_in(rules, sources)
}

/// Rulesets worth a question of their own right away: active, for branches, and
/// not known to hide their bypass list from the only token there is.
fn early_details(question: &Question<'_>, with_bypass: bool, blind: bool) -> Vec<u64> {
    if !with_bypass || blind {
        return Vec::new();
    }
    let hidden = hidden_ids(question);
    question
        .heads
        .unwrap_or_default()
        .iter()
        .filter(|head| {
            head.enforcement
                .as_deref()
                .is_none_or(|word| word == "ACTIVE")
        })
        .filter(|head| head.target.as_deref().is_none_or(|word| word == "BRANCH"))
        .filter_map(|head| head.database_id)
        .filter(|id| !hidden.contains(id))
        .collect()
}

/// With one token only, a null list in the first round is a list hidden from it.
fn hidden_ids(question: &Question<'_>) -> Vec<u64> {
    if question.settings.is_some() {
        return Vec::new();
    }
    question
        .heads
        .unwrap_or_default()
        .iter()
        .filter(|head| head.bypass_actors.is_none())
        .filter_map(|head| head.database_id)
        .collect()
}

fn hidden_bypass(blind: bool) -> Unknown {
    let detail = if blind {
        "a workflow token cannot see who may go around a ruleset, so it was not asked"
    } else {
        "the platform hides the bypass list of this ruleset from this token"
    };
    Unknown::new(FactKey::BranchBypass.name(), Why::NotPermitted, detail)
        .needs(permissions::needs(FactKey::BranchBypass))
}

async fn ask_details(client: &Client, base: &str, ids: &[u64]) -> Details {
    let answers: Vec<Result<Answer, NoAnswer>> = all(ids.iter().map(|id| {
        let path = format!("{base}/rulesets/{id}?includes_parents=true");
        async move { client.get(&path).await }
    }))
    .await;
    ids.iter().copied().zip(answers).collect()
}
