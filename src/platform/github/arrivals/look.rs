//! Looks at a branch's line and its log, compares tips where the page does not tell
//! how they stand to each other, and looks again while the platform may be behind.

use std::collections::BTreeMap;

use serde_json::json;

use crate::facts::{
    Ancestry, Arrival, Arrivals, Fact, FactKey, Move, PreviousTip, Source, ToldBy, Unknown, Why,
};
use crate::platform::access;
use crate::platform::first_parents::{self, Link};

use super::super::origin::PAUSES;
use super::super::{Session, association, permissions};
use super::read::{self, Compared};
use super::ways::{Line, Node};
use super::{questions, unknown};

/// Commits of one move that are looked at one by one.
const MOST_COMMITS: usize = 300;

/// Which move is asked about.
pub(super) struct Question<'a> {
    pub(super) session: &'a Session,
    pub(super) branch: &'a str,
    pub(super) after: &'a str,
    pub(super) before: Option<&'a PreviousTip>,
}

/// What one look brought.
struct Look {
    before: PreviousTip,
    ancestry: Fact<Ancestry>,
    /// The whole line, newest first.
    line: Vec<String>,
    /// How long it is altogether; unknown if it may go on.
    count: Fact<usize>,
    nodes: BTreeMap<String, Node>,
    /// From the old tip to the new one.
    moves: Fact<Vec<Move>>,
    /// The same, and what else was not looked at yet.
    all_moves: Fact<Vec<Move>>,
    reached: Fact<Vec<String>>,
    sources: Vec<Source>,
    earlier_life: Fact<bool>,
    /// Whether the log does not name the tip yet.
    log_is_behind: bool,
}

impl Question<'_> {
    /// Looks, and looks again while the platform's index or its log may be behind.
    pub(super) async fn arrivals(&self) -> Fact<Arrivals> {
        if self.after.is_empty() || self.branch.is_empty() {
            return Fact::Unknown(unknown(
                Why::Failed,
                "the branch or its tip is not known, so what came onto it cannot be asked",
            ));
        }
        let mut pauses = PAUSES.iter();
        loop {
            let look = match self.look().await {
                Ok(look) => look,
                Err(unknown) => return Fact::Unknown(unknown),
            };
            let (arrivals, late) = self.put_together(look);
            match pauses.next() {
                Some(pause) if late => {
                    self.session.transport.pause(*pause).await;
                    self.session.transport.begin_wave();
                }
                Some(_) | None => return arrivals,
            }
        }
    }

    async fn look(&self) -> Result<Look, Unknown> {
        let session = self.session;
        let log_path = association::log_path(&session.repository_path(), self.branch);
        let query = questions::newest();
        let variables = json!({"owner": session.owner, "name": session.name, "after": self.after});
        let (newest, log) = tokio::join!(
            session.change.graphql("CcgateArrivals", &query, variables),
            session.change.get(&log_path),
        );
        let newest = newest.map_err(|refusal| {
            access::refused(
                FactKey::BranchArrivals.name(),
                permissions::needs(FactKey::BranchArrivals),
                &refusal,
            )
        })?;
        let nodes = read::page(&newest)?;
        let log = self
            .back_to_what_is_told(read::log(&log, self.branch), &log_path)
            .await;
        let moves = read::moves(&log, self.after, self.before);
        let told = session.told_moves.as_ref();
        let all_moves = read::all_moves(&log, &moves, self.after, told);
        // Only of the tip the log has to know; of a commit below it, it need not.
        let log_is_behind = session.tip.as_deref() == Some(self.after)
            && log
                .known()
                .is_ok_and(|log| log.iter().all(|entry| entry.after != self.after));
        let before = match (self.before, &moves) {
            (Some(before), _) => before.clone(),
            (None, Fact::Known { value, .. }) => PreviousTip {
                commit: value.last().and_then(|entry| entry.before.clone()),
                told_by: ToldBy::Log,
            },
            (None, Fact::Unknown(why)) => return Err(why.clone()),
        };
        let new = before.commit.is_none();
        let earlier_life = read::earlier_life(&log, &moves, new);
        let mut look = Look {
            before,
            ancestry: Fact::Unknown(unknown(Why::Failed, "the two tips were not compared")),
            line: Vec::new(),
            count: Fact::Unknown(unknown(Why::Failed, "the two tips were not compared")),
            nodes,
            moves,
            all_moves,
            reached: Fact::Unknown(unknown(Why::Failed, "the two tips were not compared")),
            sources: vec![newest.source.clone()],
            earlier_life,
            log_is_behind,
        };
        let default = self.session.default_branch.as_deref() == Some(self.branch);
        if !look.settle_in_page(self.after, default) {
            self.compare(&mut look).await;
            self.ask_for_the_rest(&mut look).await;
        }
        Ok(look)
    }

    /// The log, page by page where one does not go back to what the ledger tells of. The parameter:
    /// <https://docs.github.com/rest/repos/repos#list-repository-activities>.
    async fn back_to_what_is_told(&self, log: Fact<Vec<Move>>, path: &str) -> Fact<Vec<Move>> {
        let Some(told) = &self.session.told_moves else {
            return log;
        };
        if !log.is_known() || read::goes_back(&log, told) {
            return log;
        }
        let period = read::time_period(self.session.setup.now, told.since);
        let path = match period {
            Some(period) => format!("{path}&time_period={period}"),
            None => path.to_owned(),
        };
        read::whole_log(
            &self.session.change.get_all_behind(&path, None).await,
            self.branch,
        )
    }

    /// Compares the tips where the page does not tell how they stand to each other.
    /// A branch that is new is compared with the default branch.
    async fn compare(&self, look: &mut Look) {
        let default = self.session.default_branch.as_deref();
        let base = match (&look.before.commit, default) {
            (Some(before), _) => before.clone(),
            (None, Some(default)) if default != self.branch => default.to_owned(),
            (None, _) => {
                // A first branch with more commits than the page shows.
                let heap = look
                    .nodes
                    .iter()
                    .map(|(sha, node)| (sha.clone(), node.link.clone()))
                    .collect();
                look.line = first_parents::line(self.after, &heap).0;
                look.ancestry = Fact::known_without_source(Ancestry::New);
                let why = unknown(
                    Why::NotSupported,
                    format!(
                        "the branch is new, and only its newest {} commits were looked at",
                        look.line.len()
                    ),
                );
                look.count = Fact::Unknown(why.clone());
                look.reached = Fact::Unknown(why);
                return;
            }
        };
        let compared = read::compare(self.session, &base, self.after).await;
        let Compared {
            ancestry,
            commits,
            whole,
            source,
        } = match compared {
            Ok(compared) => compared,
            Err(why) => {
                look.ancestry = Fact::Unknown(why.clone());
                look.count = Fact::Unknown(why.clone());
                look.reached = Fact::Unknown(why);
                return;
            }
        };
        look.sources.push(source.clone());
        look.ancestry = Fact::seen(
            if look.before.commit.is_none() {
                Ancestry::New
            } else {
                ancestry
            },
            source.clone(),
        );
        look.line = first_parents::line(self.after, &commits).0;
        let cut_off = || {
            unknown(
                Why::NotSupported,
                format!(
                    "the platform hands out only {} of the new commits",
                    commits.len()
                ),
            )
        };
        (look.count, look.reached) = if whole {
            (
                Fact::seen(look.line.len(), source.clone()),
                Fact::seen(commits.keys().cloned().collect(), source.clone()),
            )
        } else {
            (Fact::Unknown(cut_off()), Fact::Unknown(cut_off()))
        };
        for sha in &look.line {
            let link = commits.get(sha).cloned();
            if let (Some(link), false) = (link, look.nodes.contains_key(sha)) {
                let why = unknown(Why::NotCollected, "the commit was not asked about");
                look.nodes.insert(
                    sha.clone(),
                    Node {
                        link,
                        candidates: Err(why),
                        source: source.clone(),
                    },
                );
            }
        }
    }

    /// Asks for the pull requests of commits that did not stand in the first page.
    async fn ask_for_the_rest(&self, look: &mut Look) {
        if look.line.len() > MOST_COMMITS {
            let why = unknown(
                Why::NotSupported,
                format!(
                    "{} commits came at once, of which the newest {MOST_COMMITS} are looked at",
                    look.line.len()
                ),
            );
            look.line.truncate(MOST_COMMITS);
            look.count = Fact::Unknown(why);
        }
        let missing: Vec<String> = look
            .line
            .iter()
            .filter(|sha| {
                look.nodes
                    .get(*sha)
                    .is_none_or(|node| node.candidates.is_err())
            })
            .cloned()
            .collect();
        let answers = crate::platform::join::all(
            missing
                .chunks(questions::COMMITS_AT_ONCE)
                .map(|chunk| read::commits(self.session, chunk)),
        )
        .await;
        for (sha, node) in answers.into_iter().flatten() {
            look.nodes.insert(sha, node);
        }
    }

    fn put_together(&self, look: Look) -> (Fact<Arrivals>, bool) {
        let line = Line {
            branch: self.branch,
            shas: &look.line,
            nodes: &look.nodes,
            moves: &look.moves,
        };
        let mut late = look.log_is_behind;
        let mut commits = Vec::with_capacity(look.line.len());
        for (index, sha) in look.line.iter().enumerate() {
            let seen = line.way(index);
            late |= seen.late;
            let link = look.nodes.get(sha).map(|node| node.link.clone());
            let Link { parents, message } = link.unwrap_or(Link {
                parents: Vec::new(),
                message: String::new(),
            });
            commits.push(Arrival {
                sha: sha.clone(),
                parents,
                message,
                way: seen.way,
            });
        }
        let arrivals = Arrivals {
            before: look.before,
            after: self.after.to_owned(),
            ancestry: look.ancestry,
            commits,
            count: look.count,
            moves: look.all_moves,
            reached: look.reached,
            earlier_life: look.earlier_life,
        };
        (Fact::seen_in(arrivals, look.sources), late)
    }
}

impl Look {
    /// Whether the page alone tells everything: the old tip stands on the first-parent
    /// line of the new one, and so does every tip in between.
    fn settle_in_page(&mut self, after: &str, default: bool) -> bool {
        let source = self.sources.first().cloned();
        let heap: BTreeMap<String, Link> = self
            .nodes
            .iter()
            .filter(|(sha, _)| Some(*sha) != self.before.commit.as_ref())
            .map(|(sha, node)| (sha.clone(), node.link.clone()))
            .collect();
        let (line, end) = first_parents::line(after, &heap);
        let reaches = match (&self.before.commit, &end) {
            (Some(before), Some(end)) => before == end,
            // A first branch, whose line goes back to the very first commit.
            (None, None) => default,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let strayed = self
            .moves
            .known()
            .is_ok_and(|moves| moves.iter().any(|entry| !line.contains(&entry.after)));
        let (true, false, Some(source)) = (reaches, strayed, source) else {
            return false;
        };
        self.ancestry = Fact::seen(
            if self.before.commit.is_some() {
                Ancestry::Continues
            } else {
                Ancestry::New
            },
            source.clone(),
        );
        self.count = Fact::seen(line.len(), source.clone());
        self.reached = Fact::seen(line.clone(), source);
        self.line = line;
        true
    }
}
