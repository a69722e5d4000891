//! What the repositories of one owner share in a run over many of them: lists that
//! stand above them, answers to questions that were asked about several at once, and
//! what the server said that it does not offer. Every answer is kept for one token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::facts::{Fact, Server};
use crate::platform::transport::{Answer, GraphqlAnswer, Listing, NoAnswer};

/// The repositories of one owner in one run.
#[derive(Clone, Default)]
pub struct Fleet {
    /// What the token for changes was told.
    pub(super) change: Shelf,
    /// What the token for settings was told.
    pub(super) settings: Shelf,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fleet").finish_non_exhaustive()
    }
}

impl Fleet {
    /// Whether both are the same run.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.change.answers, &other.change.answers)
    }
}

type List = Arc<OnceCell<Result<Listing, NoAnswer>>>;

#[derive(Default)]
struct Answers {
    lists: BTreeMap<String, List>,
    /// By question, without the repository that it was asked about.
    not_offered: BTreeMap<String, Answer>,
    ready: BTreeMap<String, GraphqlAnswer>,
    heard: Option<Heard>,
}

/// What every answer tells beside what was asked.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) server: Fact<Server>,
    pub(super) time: Option<Timestamp>,
}

/// Answers that are kept for one token.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    answers: Arc<Mutex<Answers>>,
}

impl Shelf {
    fn open(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a list that every repository reads.
    pub(super) fn list(&self, path: &str) -> List {
        let mut answers = self.open();
        Arc::clone(answers.lists.entry(path.to_owned()).or_default())
    }

    /// What a server said that does not offer what is asked for.
    pub(super) fn not_offered(&self, path: &str) -> Option<Answer> {
        self.open().not_offered.get(kind(path)?).cloned()
    }

    /// Keeps a 501: by its definition the server is not capable of it for any
    /// resource. <https://www.rfc-editor.org/rfc/rfc9110#name-501-not-implemented>
    pub(super) fn keep_refusal(&self, path: &str, answer: &Answer) {
        if answer.status == 501
            && let Some(kind) = kind(path)
        {
            self.open()
                .not_offered
                .insert(kind.to_owned(), answer.clone());
        }
    }

    /// Keeps what an answer told beside what was asked.
    pub(super) fn hear(&self, heard: Heard) {
        self.open().heard = Some(heard);
    }

    /// What an answer told beside what was asked, if there was one.
    pub(super) fn heard(&self) -> Option<Heard> {
        self.open().heard.clone()
    }

    /// Keeps the answer to a question that will be asked.
    pub(super) fn put(&self, query: &str, values: &Value, answer: GraphqlAnswer) {
        self.open().ready.insert(question(query, values), answer);
    }

    /// The answer to just this question, once.
    pub(super) fn take(&self, query: &str, values: &Value) -> Option<GraphqlAnswer> {
        self.open().ready.remove(&question(query, values))
    }
}

fn question(query: &str, values: &Value) -> String {
    format!("{query}\n{values}")
}

/// What is behind the repository in a path, without parameters; `None` if the path
/// is about no repository.
fn kind(path: &str) -> Option<&str> {
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.strip_prefix("/repos/")?.splitn(3, '/');
    let (_, _) = (parts.next()?, parts.next()?);
    parts.next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::graph::testing::{answer, refused};
    use super::*;

    fn status(code: u16) -> Answer {
        match refused(code, "no") {
            Err(NoAnswer::Status(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_not_offered_is_so_for_each_repository_and_for_nothing_else() {
        let shelf = Shelf::default();
        shelf.keep_refusal("/repos/acme/a/actions/secrets?per_page=100", &status(501));
        assert!(shelf.not_offered("/repos/acme/b/actions/secrets").is_some());
        for other in [
            "/repos/acme/b/actions",
            "/repos/acme/b/actions/secrets/X",
            "/repos/acme/b",
            "/orgs/acme/actions/secrets",
        ] {
            assert!(shelf.not_offered(other).is_none(), "{other}");
        }
    }

    /// A refusal that may be about one repository is asked for again at the next one.
    #[test]
    fn other_refusals_are_not_kept() {
        let shelf = Shelf::default();
        for code in [403, 404, 500, 502, 503] {
            shelf.keep_refusal("/repos/acme/a/hooks", &status(code));
            assert!(shelf.not_offered("/repos/acme/b/hooks").is_none(), "{code}");
        }
    }

    #[test]
    fn an_answer_is_handed_out_for_its_own_question_once() {
        let shelf = Shelf::default();
        let values = json!({"name": "a"});
        shelf.put("query", &values, answer(&json!({"data": {"x": 1}})));
        assert!(shelf.take("query", &json!({"name": "b"})).is_none());
        assert!(shelf.take("query ", &values).is_none());
        assert!(shelf.take("query", &values).is_some());
        assert!(shelf.take("query", &values).is_none());
    }

    #[test]
    fn tokens_have_shelves_of_their_own() {
        let fleet = Fleet::default();
        fleet
            .change
            .keep_refusal("/repos/acme/a/hooks", &status(501));
        assert!(fleet.settings.not_offered("/repos/acme/a/hooks").is_none());
        assert!(fleet.is(&fleet.clone()) && !fleet.is(&Fleet::default()));
    }
}
