//! Looks at a branch's line and its log, and asks for the index of every commit that
//! no merge request explains, again while the platform may be behind.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::facts::{
    Ancestry, Arrival, Arrivals, Fact, Move, MoveKind, PreviousTip, ToldBy, Unknown, Way, Why,
};
use crate::platform::first_parents::{self, Link};
use crate::platform::{access, join};

use super::super::open::{INDEX_TRIES, pause};
use super::super::people::account;
use super::super::wire::{Comparison, Event, MergeRequest, Read, list, object, time};
use super::super::{Session, left_out, permissions};
use super::ways::Line;
use super::{FACT, unknown};

/// Commits of one move that are looked at.
const MOST_COMMITS: usize = 300;

/// Commits whose index is asked one by one; what is left stays unknown.
const MOST_ASKED: usize = 50;

/// `after` means days, and nobody says of which time zone.
const TWO_DAYS: SignedDuration = SignedDuration::from_hours(48);

/// Pushes that one look at the log shows.
const LOG_PAGE: usize = 100;

/// Which move is asked about.
pub(super) struct Question<'a> {
    pub(super) session: &'a Session,
    pub(super) branch: &'a str,
    pub(super) after: &'a str,
}

impl Question<'_> {
    pub(super) async fn arrivals(
        &self,
        before: Option<&PreviousTip>,
    ) -> Result<Fact<Arrivals>, Unknown> {
        if self.after.is_empty() || self.branch.is_empty() {
            return Err(unknown(
                Why::Failed,
                "the branch or its tip is not known, so what came onto it cannot be asked",
            ));
        }
        let default = self
            .session
            .opened
            .project
            .as_ref()
            .ok()
            .and_then(|(project, _)| project.default_branch.clone());
        let given = before.map(|before| self.base(before, default.as_deref()));
        let (events, merged, compared) = tokio::join!(self.log(), self.merged_last(), async {
            match &given {
                Some(Ok(base)) => Some(self.compare(base).await),
                Some(Err(_)) | None => None,
            }
        },);
        let moves = events.as_ref().map_or_else(
            |why| Fact::Unknown(why.clone()),
            |(log, sources)| match first_parents::moves(log, self.after, before) {
                Ok(moves) => Fact::seen_in(moves, sources.clone()),
                Err(detail) => Fact::Unknown(unknown(Why::Failed, detail)),
            },
        );
        let all_moves = match (&events, &moves) {
            (Ok((log, sources)), Fact::Known { value, .. }) => {
                let told = self.session.told_moves.as_ref();
                match first_parents::with_unseen(value, log, self.after, told) {
                    Ok(all) => Fact::seen_in(all, sources.clone()),
                    Err(detail) => Fact::Unknown(unknown(Why::Failed, detail)),
                }
            }
            (Ok(_), Fact::Unknown(why)) | (Err(why), _) => Fact::Unknown(why.clone()),
        };
        let tip = match before {
            Some(before) => before.clone(),
            None => PreviousTip {
                commit: moves.known()?.last().and_then(|entry| entry.before.clone()),
                told_by: ToldBy::Log,
            },
        };
        let compared = match compared {
            Some(compared) => compared,
            None => {
                let base = given.unwrap_or_else(|| self.base(&tip, default.as_deref()))?;
                self.compare(&base).await
            }
        };
        let (commits, continues, sources) = compared?;
        let (mut line, end) = first_parents::line(self.after, &commits);
        // A comparison that GitLab cut off would end the line early, so an end that is
        // not the old tip is believed only where there was none.
        let reaches = match (&tip.commit, &end) {
            (Some(before), Some(end)) => before == end,
            (Some(_), None) => false,
            (None, _) => true,
        };
        let mut count = if reaches {
            Fact::seen_in(line.len(), sources.clone())
        } else {
            Fact::Unknown(unknown(
                Why::NotSupported,
                "the old tip does not stand on the first-parent line of the new one, so it cannot \
                 be told whether the list of new commits is whole",
            ))
        };
        if line.len() > MOST_COMMITS {
            count = Fact::Unknown(unknown(
                Why::NotSupported,
                format!(
                    "{} commits came at once, of which the newest {MOST_COMMITS} are looked at",
                    line.len()
                ),
            ));
            line.truncate(MOST_COMMITS);
        }
        let ways = self.ways(&line, &commits, &merged?, &moves).await;
        let arrivals = Arrivals {
            after: self.after.to_owned(),
            ancestry: Fact::seen_in(
                match (&tip.commit, continues) {
                    (None, _) => Ancestry::New,
                    (Some(_), true) => Ancestry::Continues,
                    (Some(_), false) => Ancestry::Rewritten,
                },
                sources.clone(),
            ),
            commits: line
                .iter()
                .zip(ways)
                .filter_map(|(sha, way)| {
                    let link = commits.get(sha)?.clone();
                    Some(Arrival {
                        sha: sha.clone(),
                        parents: link.parents,
                        message: link.message,
                        way,
                    })
                })
                .collect(),
            count,
            reached: Fact::seen_in(commits.keys().cloned().collect(), sources.clone()),
            earlier_life: earlier_life(&events, &moves, tip.commit.is_none()),
            before: tip,
            moves: all_moves,
        };
        Ok(Fact::seen_in(arrivals, sources))
    }

    /// What the new tip is compared with.
    fn base(&self, before: &PreviousTip, default: Option<&str>) -> Result<String, Unknown> {
        match (&before.commit, default) {
            (Some(commit), _) => Ok(commit.clone()),
            (None, Some(default)) if default != self.branch => Ok(default.to_owned()),
            (None, _) => Err(unknown(
                Why::NotSupported,
                "the branch is new, and there is no other one to compare it with",
            )),
        }
    }

    /// The commits that the base does not reach, and whether the tip reaches the base.
    async fn compare(
        &self,
        base: &str,
    ) -> Result<(BTreeMap<String, Link>, bool, Vec<crate::facts::Source>), Unknown> {
        let path = |from: &str, to: &str| {
            self.session.path(&format!(
                "/repository/compare?from={}&to={}",
                access::encode(from),
                access::encode(to)
            ))
        };
        let (there, back) = (path(base, self.after), path(self.after, base));
        let (there, back) = tokio::join!(
            self.session.settings.get(&there),
            self.session.settings.get(&back)
        );
        let there: Read<Comparison> = object(FACT, permissions::CHANGE, &there);
        let back: Read<Comparison> = object(FACT, permissions::CHANGE, &back);
        let ((there, mut sources), (back, more)) = (there?, back?);
        let missing = |field| left_out(FACT, field, &more);
        let gone = back.commits.ok_or_else(|| missing("commits"))?;
        let mut commits = BTreeMap::new();
        for commit in there.commits.ok_or_else(|| missing("commits"))? {
            let (Some(sha), Some(parents)) = (commit.id, commit.parent_ids) else {
                return Err(missing("parent_ids"));
            };
            let message = commit.message.unwrap_or_default();
            commits.insert(sha, Link { parents, message });
        }
        sources.extend(more.iter().cloned());
        Ok((commits, gone.is_empty(), sources))
    }

    /// The pushes to the branch, newest first.
    async fn log(&self) -> Read<Vec<Move>> {
        let path = self.session.path("/events?action=pushed&per_page=100");
        let (events, sources): (Vec<Event>, _) = match &self.session.told_moves {
            None => object(
                FACT,
                permissions::CHANGE,
                &self.session.settings.get(&path).await,
            )?,
            // Pushes to every branch stand in it, so anybody could fill a page. `after` is a day, and
            // only what is younger than it: <https://docs.gitlab.com/api/events/>.
            Some(told) => {
                let day = (told.since - TWO_DAYS).strftime("%Y-%m-%d");
                let path = format!("{path}&after={day}");
                list(
                    FACT,
                    permissions::CHANGE,
                    &self.session.settings.get_all(&path, None).await,
                )?
            }
        };
        let moves = events
            .iter()
            .filter_map(|event| {
                let push = event.push_data.as_ref()?;
                let ours = push.reference.as_deref() == Some(self.branch)
                    && push.ref_type.as_deref().is_none_or(|kind| kind == "branch");
                ours.then(|| Move {
                    kind: match push.action.as_deref() {
                        Some("pushed") | None => MoveKind::Push,
                        Some("created") => MoveKind::Creation,
                        Some(other) => MoveKind::Other(other.to_owned()),
                    },
                    before: push.commit_from.clone(),
                    // A branch that was deleted has none: no tip is called like that.
                    after: push.commit_to.clone().unwrap_or_default(),
                    actor: event.author.as_ref().and_then(account),
                    at: time(event.created_at.as_deref()),
                })
            })
            .collect();
        Ok((moves, sources))
    }

    /// The merge requests into the branch that were touched last.
    async fn merged_last(&self) -> Read<Vec<MergeRequest>> {
        let path = self.session.path(&format!(
            "/merge_requests?state=merged&target_branch={}&order_by=updated_at&per_page=100",
            access::encode(self.branch)
        ));
        object(
            FACT,
            permissions::CHANGE,
            &self.session.change.get(&path).await,
        )
    }

    /// How each commit came. What the merge requests touched last do not explain is
    /// asked for by itself, a bounded number of times, since the index may be behind.
    async fn ways(
        &self,
        line: &[String],
        commits: &BTreeMap<String, Link>,
        merged: &(Vec<MergeRequest>, Vec<crate::facts::Source>),
        moves: &Fact<Vec<Move>>,
    ) -> Vec<Fact<Way>> {
        let mut index: BTreeMap<String, Read<Vec<MergeRequest>>> = BTreeMap::new();
        let mut tries = 0;
        loop {
            let seen = Line {
                branch: self.branch,
                shas: line,
                commits,
                merged,
                index: &index,
                moves,
            };
            let open: Vec<String> = line
                .iter()
                .enumerate()
                .filter(|(place, _)| !seen.is_brought(*place))
                .map(|(_, sha)| sha.clone())
                .take(MOST_ASKED)
                .collect();
            if open.is_empty() || tries >= INDEX_TRIES {
                return (0..line.len()).map(|place| seen.way(place)).collect();
            }
            if tries > 0 {
                self.session.transport.pause(pause(tries)).await;
            }
            self.session.transport.begin_wave();
            let answers = join::all(open.iter().map(|sha| self.index_of(sha))).await;
            index.extend(open.into_iter().zip(answers));
            tries += 1;
        }
    }

    async fn index_of(&self, sha: &str) -> Read<Vec<MergeRequest>> {
        let path = self.session.path(&format!(
            "/repository/commits/{}/merge_requests",
            access::encode(sha)
        ));
        let pages = self.session.change.get_all(&path, None).await;
        list(FACT, permissions::CHANGE, &pages)
    }
}

/// Whether the log knows a branch of that name from before it was made.
fn earlier_life(events: &Read<Vec<Move>>, moves: &Fact<Vec<Move>>, new: bool) -> Fact<bool> {
    if !new {
        return Fact::known_without_source(false);
    }
    match (events, moves) {
        (Ok((log, sources)), Fact::Known { value, .. }) => {
            match first_parents::earlier_life(log, value, LOG_PAGE) {
                Some(earlier) => Fact::seen_in(earlier, sources.clone()),
                None => Fact::Unknown(unknown(
                    Why::NotSupported,
                    "the log of pushes does not reach back further",
                )),
            }
        }
        (Err(why), _) | (_, Fact::Unknown(why)) => Fact::Unknown(why.clone()),
    }
}
