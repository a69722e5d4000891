//! What the rules of one ruleset demand. A rule whose parameters are missing or
//! odd leaves its demands unknown, neither weak nor strong; a rule of a kind that
//! is not known demands nothing.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::facts::{
    DirectPush, Fact, LayerKind, LayerOrigin, MergeMethod, PathReviewers, RequiredCheck,
    RequiredWorkflow, Source, Unknown, Why, all_of, any_of,
};

use super::layer::LayerRules;
use super::wire;

/// Parameters of `pull_request`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PullRequest {
    required_approving_review_count: Option<u32>,
    dismiss_stale_reviews_on_push: Option<bool>,
    require_code_owner_review: Option<bool>,
    require_last_push_approval: Option<bool>,
    required_review_thread_resolution: Option<bool>,
    allowed_merge_methods: Option<Vec<String>>,
    required_reviewers: Option<Vec<RequiredReviewer>>,
    dismissal_restriction: Option<wire::Flag>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RequiredReviewer {
    file_patterns: Option<Vec<String>>,
    minimum_approvals: Option<u32>,
    reviewer: Option<Reviewer>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Reviewer {
    id: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Parameters of `required_status_checks`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct StatusChecks {
    strict_required_status_checks_policy: Option<bool>,
    required_status_checks: Option<Vec<Check>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Check {
    context: Option<String>,
    integration_id: Option<i64>,
}

/// Parameters of `merge_queue`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MergeQueue {
    merge_method: Option<String>,
}

/// Parameters of the rules about names and addresses.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Pattern {
    operator: Option<String>,
    pattern: Option<String>,
    negate: Option<bool>,
}

/// Parameters of `workflows`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Workflows {
    workflows: Option<Vec<Workflow>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Workflow {
    path: Option<String>,
    repository_id: Option<u64>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    sha: Option<String>,
}

/// The layer that the rules make; who can go around it and for whom it is meant
/// is filled in by whoever saw the ruleset itself.
pub(super) fn layer(
    id: String,
    origin: LayerOrigin,
    rules: &[wire::Rule],
    sources: &[Source],
) -> LayerRules {
    let rules = Rules { rules, sources };
    let hidden = LayerRules::hidden(
        &id,
        LayerKind::Ruleset,
        &Unknown::not_collected("branch.rules"),
    );
    let approvals_required = rules.approvals();
    let required_checks = rules.checks();
    LayerRules {
        id,
        origin,
        protected: rules.seen(true),
        pull_request_required: rules.seen(rules.has("pull_request")),
        // The platform never counts the author's own approval.
        author_approval_blocked: approvals_required.map_ref(|count| *count >= 1),
        approvals_required,
        stale_approvals_dismissed: rules.on_change("dismiss_stale_reviews_on_push", |rule| {
            rule.dismiss_stale_reviews_on_push
        }),
        last_push_approval_required: rules.on_change("require_last_push_approval", |rule| {
            rule.require_last_push_approval
        }),
        code_owner_review_required: rules.on_change("require_code_owner_review", |rule| {
            rule.require_code_owner_review
        }),
        dismissal_restricted: rules.on_change("dismissal_restriction", |rule| {
            // The key is newer than the rule: a server without it restricts nobody.
            match &rule.dismissal_restriction {
                None => Some(false),
                Some(restriction) => restriction.enabled,
            }
        }),
        conversations_resolved: rules.on_change("required_review_thread_resolution", |rule| {
            rule.required_review_thread_resolution
        }),
        skipped_checks_block: required_checks.map_ref(|checks| !checks.is_empty()),
        required_checks,
        up_to_date_required: rules.up_to_date(),
        force_push_blocked: rules.seen(rules.has("non_fast_forward")),
        deletion_blocked: rules.seen(rules.has("deletion")),
        direct_push: rules.seen(DirectPush {
            restricted: rules.has("pull_request") || rules.has("update"),
            actors: Vec::new(),
        }),
        linear_history_required: rules.seen(rules.has("required_linear_history")),
        merge_methods: rules.merge_methods(),
        signatures_required: rules.seen(rules.has("required_signatures")),
        removal_limited: match origin {
            LayerOrigin::Organization | LayerOrigin::Enterprise => rules.seen(true),
            LayerOrigin::Repository => rules.seen(false),
            LayerOrigin::Other => Fact::Unknown(Unknown::new(
                "branch.rules",
                Why::NotSupported,
                "the ruleset comes from a source of a kind that is not known",
            )),
        },
        identity_rules: rules.identity_rules(),
        path_reviewers: rules.path_reviewers(),
        required_workflows: rules.workflows(),
        ..hidden
    }
}

/// All rules of one ruleset that apply to the branch.
struct Rules<'a> {
    rules: &'a [wire::Rule],
    sources: &'a [Source],
}

impl Rules<'_> {
    fn seen<T>(&self, value: T) -> Fact<T> {
        Fact::seen_in(value, self.sources.to_vec())
    }

    /// The value, or the unknown that something was left out.
    fn told<T>(&self, value: Option<T>, what: &str) -> Fact<T> {
        match value {
            Some(value) => self.seen(value),
            None => Fact::Unknown(Unknown::new(
                "branch.rules",
                Why::Failed,
                format!("a rule of the ruleset leaves out `{what}`"),
            )),
        }
    }

    fn has(&self, kind: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.kind.as_deref() == Some(kind))
    }

    /// The parameters of every rule of the kind; `None` where they cannot be read.
    fn of_kind<T: DeserializeOwned>(&self, kind: &str) -> Vec<Option<T>> {
        self.rules
            .iter()
            .filter(|rule| rule.kind.as_deref() == Some(kind))
            .map(|rule| T::deserialize(rule.parameters.as_ref()?).ok())
            .collect()
    }

    fn changes(&self) -> Vec<Option<PullRequest>> {
        self.of_kind("pull_request")
    }

    /// Whether any rule about pull requests turns something on.
    fn on_change(&self, what: &str, get: impl Fn(&PullRequest) -> Option<bool>) -> Fact<bool> {
        let each = self.changes();
        let each = each.iter().map(|rule| {
            let value = rule.as_ref().and_then(&get);
            self.told(value, what)
        });
        any_of(each.chain([self.seen(false)]))
    }

    /// A rule about pull requests demands something even where its numbers are missing.
    fn approvals(&self) -> Fact<u32> {
        let counts: Option<Vec<u32>> = self
            .changes()
            .iter()
            .map(|rule| rule.as_ref()?.required_approving_review_count)
            .collect();
        let most = counts.map(|counts| counts.into_iter().max().unwrap_or(0));
        self.told(most, "required_approving_review_count")
    }

    /// A list, or a name in it, that cannot be read is not one demand less.
    fn checks(&self) -> Fact<Vec<RequiredCheck>> {
        let rules: Vec<Option<StatusChecks>> = self.of_kind("required_status_checks");
        let lists: Option<Vec<Vec<RequiredCheck>>> = rules
            .into_iter()
            .map(|rule| {
                let list = rule?.required_status_checks?;
                list.iter().map(required_check).collect()
            })
            .collect();
        let checks = lists.map(|lists| sorted(lists.into_iter().flatten().collect()));
        self.told(checks, "required_status_checks")
    }

    /// The strict flag means something only where a check is required; a queue
    /// always tests the merged result.
    fn up_to_date(&self) -> Fact<bool> {
        let rules: Vec<Option<StatusChecks>> = self.of_kind("required_status_checks");
        let strict = rules.iter().map(|rule| {
            let rule = rule.as_ref();
            let list = rule.and_then(|rule| rule.required_status_checks.as_ref());
            let strict = rule.and_then(|rule| rule.strict_required_status_checks_policy);
            all_of([
                self.told(list.map(|list| !list.is_empty()), "required_status_checks"),
                self.told(strict, "strict_required_status_checks_policy"),
            ])
        });
        any_of(strict.chain([self.seen(self.has("merge_queue"))]))
    }

    /// What every rule that names ways to merge leaves over.
    fn merge_methods(&self) -> Fact<Vec<MergeMethod>> {
        let mut lists: Vec<Vec<MergeMethod>> = Vec::new();
        for rule in self.changes() {
            let Some(rule) = rule else {
                return self.told(None, "allowed_merge_methods");
            };
            lists.extend(rule.allowed_merge_methods.map(|words| methods(&words)));
        }
        for rule in self.of_kind::<MergeQueue>("merge_queue") {
            let Some(word) = rule.and_then(|rule| rule.merge_method) else {
                return self.told(None, "merge_method");
            };
            lists.push(methods(&[word]));
        }
        let linear = self.has("required_linear_history");
        let mut lists = lists.into_iter().filter(|list| !list.is_empty());
        let Some(mut left) = lists.next() else {
            return self.seen(Vec::new());
        };
        for list in lists {
            left.retain(|method| list.contains(method));
        }
        left.retain(|method| !linear || *method != MergeMethod::Merge);
        if left.is_empty() {
            // An empty list would say that nothing is limited.
            return Fact::Unknown(Unknown::new(
                "branch.rules",
                Why::Failed,
                "the rules of the ruleset leave no way to merge",
            ));
        }
        self.seen(left)
    }

    fn identity_rules(&self) -> Fact<Vec<String>> {
        let mut words = Vec::new();
        for (kind, who) in [
            ("commit_author_email_pattern", "author"),
            ("committer_email_pattern", "committer"),
        ] {
            for rule in self.of_kind::<Pattern>(kind) {
                let told = rule.and_then(|rule| Some((rule.operator?, rule.pattern?, rule.negate)));
                let Some((operator, pattern, negate)) = told else {
                    return self.told(None, "pattern");
                };
                let not = if negate == Some(true) { "not " } else { "" };
                let operator = operator.replace('_', " ");
                words.push(format!("e-mail of the {who}: {not}{operator} `{pattern}`"));
            }
        }
        self.seen(sorted(words))
    }

    fn path_reviewers(&self) -> Fact<Vec<PathReviewers>> {
        let lists: Option<Vec<Vec<PathReviewers>>> = self
            .changes()
            .into_iter()
            .map(|rule| {
                // The key is newer than the rule: a server without it wants nobody.
                let list = rule?.required_reviewers.unwrap_or_default();
                list.into_iter().map(path_reviewers).collect()
            })
            .collect();
        let reviewers = lists.map(|lists| sorted(lists.into_iter().flatten().collect()));
        self.told(reviewers, "required_reviewers")
    }

    fn workflows(&self) -> Fact<Vec<RequiredWorkflow>> {
        let rules: Vec<Option<Workflows>> = self.of_kind("workflows");
        let lists: Option<Vec<Vec<RequiredWorkflow>>> = rules
            .into_iter()
            .map(|rule| rule?.workflows?.into_iter().map(workflow).collect())
            .collect();
        let workflows = lists.map(|lists| sorted(lists.into_iter().flatten().collect()));
        self.told(workflows, "workflows")
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

fn required_check(check: &Check) -> Option<RequiredCheck> {
    Some(RequiredCheck {
        name: check.context.clone()?,
        app: check
            .integration_id
            .filter(|id| *id > 0)
            .map(|id| id.to_string()),
    })
}

/// REST writes the words small, the queue's parameter large.
fn methods(words: &[String]) -> Vec<MergeMethod> {
    let methods = words
        .iter()
        .map(|word| match word.to_ascii_lowercase().as_str() {
            "merge" => MergeMethod::Merge,
            "squash" => MergeMethod::Squash,
            "rebase" => MergeMethod::Rebase,
            _ => MergeMethod::Other(word.clone()),
        });
    sorted(methods.collect())
}

fn path_reviewers(wanted: RequiredReviewer) -> Option<PathReviewers> {
    let reviewer = wanted.reviewer?;
    let kind = reviewer.kind?.to_ascii_lowercase();
    Some(PathReviewers {
        paths: wanted.file_patterns?,
        reviewers: vec![format!("{kind} {}", reviewer.id?)],
        min: wanted.minimum_approvals?,
    })
}

fn workflow(workflow: Workflow) -> Option<RequiredWorkflow> {
    Some(RequiredWorkflow {
        path: workflow.path?,
        repository: format!("repository {}", workflow.repository_id?),
        reference: workflow.sha.or(workflow.reference),
    })
}

#[cfg(test)]
#[path = "rule_demands_tests.rs"]
mod tests;
