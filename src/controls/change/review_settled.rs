//! CHG-07: nobody asks for changes any more and no thread is open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::controls::tree::{Against, Branch, Ruling, Tree, Worth};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Account, Discussion, FactKey, Platform, Review, ReviewState, Snapshot, Thread, Unknown, Why,
};

/// Parameters of CHG-07.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReviewSettled {
    /// Whether open threads count beside requests for changes.
    threads: bool,
    /// Whether whoever opened the change may resolve the threads of others.
    author_may_resolve: bool,
}

impl Default for ReviewSettled {
    fn default() -> Self {
        Self {
            threads: true,
            author_may_resolve: true,
        }
    }
}

impl Control for ReviewSettled {
    const META: Meta = Meta {
        code: "CHG-07",
        id: "review-settled",
        title: "nobody asks for changes any more and no thread is open",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.2.3"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeReviews,
            FactKey::ChangeThreads,
            FactKey::ChangeIdentity,
        ],
        rationale: "An objection that nobody answered is worth more than an approval that nobody \
                    thought about.",
        cheat: "Collecting enough approvals from others while one reviewer still objects, answering an \
                objection with a comment, or resolving the reviewer's threads oneself. Only the \
                reviewer's own later opinion, or a dismissal, ends an objection; `author_may_resolve: \
                false` closes the last way.",
        remedy_github: "settle the open threads and ask those who requested changes for a new review; \
                        BR-12 keeps threads from being merged over",
        remedy_gitlab: "settle the open threads and ask those who requested changes for a new review; \
                        BR-12 keeps threads from being merged over",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let mut open = Vec::new();
        let mut hidden: Vec<Unknown> = Vec::new();
        match facts.reviews.known() {
            Ok(reviews) => {
                for ruling in objections(reviews) {
                    match &ruling.worth {
                        Worth::Counts(_) => open.push(format!("{} asks for changes", ruling.who())),
                        Worth::Never(_) => {}
                        Worth::Unknown(unknown) => hidden.push(unknown.clone()),
                    }
                }
            }
            Err(unknown) => hidden.push(unknown),
        }
        match facts.discussion.known() {
            Ok(discussion) => self.discussed(discussion, facts, &mut open, &mut hidden),
            Err(unknown) => hidden.push(unknown),
        }
        let evidence = |summary: &str, seen: String| {
            Evidence::new(
                summary,
                FactKey::ChangeReviews,
                seen.clone(),
                facts.reviews.sources(),
            )
            .and(FactKey::ChangeThreads, seen, facts.discussion.sources())
        };
        if !open.is_empty() {
            let open = some(&open);
            return Ok(Verdict::fail(evidence(&open, open.clone())));
        }
        if let Some(unknown) = hidden.into_iter().next() {
            return Err(unknown);
        }
        Ok(Verdict::Pass(evidence(
            "nobody asks for changes and every thread is resolved",
            "nothing open".to_owned(),
        )))
    }

    fn tree(&self, facts: &Snapshot) -> Option<Tree> {
        let objections = facts.reviews.known().map(|reviews| objections(reviews));
        Some(Tree {
            hands: None,
            branches: vec![Branch {
                about: Some("objections".to_owned()),
                needed: 0,
                rulings: objections,
            }],
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if !self.threads && base.threads {
            return Some("does not look at threads".to_owned());
        }
        (self.author_may_resolve && !base.author_may_resolve)
            .then(|| "lets the author resolve the threads of others".to_owned())
    }
}

/// What each review is worth as an objection: of each person who may write, the newest
/// opinion, if it asks for changes.
fn objections(reviews: &[Review]) -> Vec<Ruling> {
    let same = |one: &Review, other: &Review| match (&one.reviewer, &other.reviewer) {
        (Some(one), Some(other)) => one.is(&other.login),
        // An account that is gone speaks no more: its objection stays.
        (None, _) | (_, None) => false,
    };
    let takes_back = |review: &Review| match review.state {
        ReviewState::ChangesRequested | ReviewState::Approved | ReviewState::Dismissed => true,
        // A word that we do not know takes nothing back.
        ReviewState::Commented | ReviewState::Other(_) => false,
    };
    let worth = |index: usize, review: &Review| {
        if review.state != ReviewState::ChangesRequested {
            return Worth::Never(Against::NoObjection);
        }
        let mut later = reviews[index + 1..].iter();
        if later.any(|later| same(review, later) && takes_back(later)) {
            return Worth::Never(Against::Replaced);
        }
        match review.can_write.known() {
            Ok(true) => Worth::Counts("nothing took it back".to_owned()),
            Ok(false) => Worth::Never(Against::MayNotWrite),
            Err(unknown) => Worth::Unknown(unknown),
        }
    };
    reviews
        .iter()
        .enumerate()
        .map(|(index, review)| Ruling {
            review: index,
            reviewer: review.reviewer.clone(),
            worth: worth(index, review),
        })
        .collect()
}

fn name(account: Option<&Account>) -> String {
    account.map_or_else(
        || "a deleted account".to_owned(),
        |account| format!("@{}", account.login),
    )
}

impl ReviewSettled {
    fn discussed(
        &self,
        discussion: &Discussion,
        facts: &Snapshot,
        open: &mut Vec<String>,
        hidden: &mut Vec<Unknown>,
    ) {
        match discussion.requesting_changes.known() {
            Ok(who) => open.extend(
                who.iter()
                    .map(|account| format!("@{} asks for changes", account.login)),
            ),
            Err(unknown) => hidden.push(unknown),
        }
        if !self.threads {
            return;
        }
        match discussion.held.known() {
            Ok(Some(true)) => open.push("the platform counts open threads".to_owned()),
            Ok(Some(false) | None) => {}
            Err(unknown) => hidden.push(unknown),
        }
        match discussion.threads.known() {
            Ok(threads) => {
                for thread in threads {
                    match self.is_settled(thread, facts) {
                        Ok(true) => {}
                        Ok(false) => open.push(in_words(thread)),
                        Err(unknown) => hidden.push(unknown),
                    }
                }
            }
            Err(unknown) => hidden.push(unknown),
        }
    }

    fn is_settled(&self, thread: &Thread, facts: &Snapshot) -> Result<bool, Unknown> {
        if !thread.resolved {
            return Ok(false);
        }
        if self.author_may_resolve {
            return Ok(true);
        }
        let opener = &facts.identity.known()?.author;
        let Some(opener) = opener else {
            return Err(Unknown::new(
                FactKey::ChangeIdentity.name(),
                Why::HiddenOrAbsent,
                "whoever opened the change has no account any more, so they cannot be told apart",
            ));
        };
        let is_opener =
            |who: &Option<Account>| who.as_ref().is_some_and(|who| who.is(&opener.login));
        // Somebody who cannot be named may have been the opener.
        let by_opener = thread
            .resolved_by
            .known()
            .map(|who| who.is_none() || is_opener(who));
        let own = thread.author.known().map(is_opener);
        match (by_opener, own) {
            (Ok(false), _) | (_, Ok(true)) => Ok(true),
            (Ok(true), Ok(false)) => Ok(false),
            (Err(unknown), _) | (_, Err(unknown)) => Err(unknown),
        }
    }
}

fn in_words(thread: &Thread) -> String {
    let by = match thread.author.known() {
        Ok(author) => format!(" by {}", name(author.as_ref())),
        Err(_) => String::new(),
    };
    let at = thread
        .path
        .as_ref()
        .map(|path| format!(" at `{path}`"))
        .unwrap_or_default();
    let how = if thread.resolved {
        "was resolved by the author of the change"
    } else {
        "is open"
    };
    format!("a thread{by}{at} {how}")
}

#[cfg(test)]
mod tests;
