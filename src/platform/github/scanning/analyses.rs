//! What code scanning holds of the change under judgement, or of a commit on a branch:
//! its analyses of that ref, and the alerts there. Which of them count is not known here.

use crate::facts::{
    Alert, ChangeAnalyses, Fact, FactKey, Looked, Needs, Snapshot, Source, Unknown, Why,
};
use crate::platform::access;
use crate::platform::context::Wanted;
use crate::platform::join::when;
use crate::platform::transport::{Answer, Listing, NoAnswer, PER_PAGE};

use super::super::Session;
use super::super::client::Client;
use super::super::settings::reading::{self, Read};
use super::code::{Analysis, CodeAlert};
use super::refusal::{nothing_yet, off};

const KEY: FactKey = FactKey::ScanChangeAnalyses;

/// What was looked at.
enum Place {
    /// A pull request, by its number.
    Change(u64),
    /// A branch.
    Branch(String),
}

impl Place {
    fn of(session: &Session, snapshot: &Snapshot) -> Option<Self> {
        let subject = &snapshot.subject;
        if subject.head.is_empty() {
            return None;
        }
        match session.wanted() {
            Wanted::Change { .. } => subject.change.map(Self::Change),
            // Also where the commit came through a change: what is judged stands on the branch.
            Wanted::Commit { .. } => Some(subject.target.clone())
                .filter(|branch| !branch.is_empty())
                .map(Self::Branch),
            Wanted::Group(_) | Wanted::Repository { .. } => None,
        }
    }

    /// Its name in the repository.
    fn reference(&self) -> String {
        match self {
            Self::Change(number) => format!("refs/pull/{number}/merge"),
            Self::Branch(name) => format!("refs/heads/{name}"),
        }
    }
}

/// Asks for everything at once.
pub(in super::super) async fn ask(
    session: &Session,
    snapshot: &Snapshot,
    needs: &Needs,
) -> Fact<ChangeAnalyses> {
    let Some(place) = Place::of(session, snapshot) else {
        let detail = "no commit is known whose analyses could be asked for";
        return Fact::Unknown(Unknown::new(KEY.name(), Why::HiddenOrAbsent, detail));
    };
    let client = session.settings.as_ref().unwrap_or(&session.change);
    let reference = place.reference();
    let path = |tail: &str, reference: &str| {
        let (base, reference) = (session.repository_path(), access::encode(reference));
        format!("{base}/code-scanning/{tail}ref={reference}")
    };
    let (looked, open, dismissed) = (
        path("analyses?", &reference),
        path("alerts?state=open&", &reference),
        path("alerts?state=dismissed&", &reference),
    );
    let target = Place::Branch(snapshot.subject.target.clone()).reference();
    let target = path("alerts?state=open&", &target);
    let is_change = matches!(place, Place::Change(_));
    let (analyses, open, dismissed, on_target) = tokio::join!(
        analyses(client, &place, &looked),
        client.get_all(&open, None),
        when(is_change, || client.get_all(&dismissed, None)),
        when(is_change && needs.target_alerts(), || client
            .get_all(&target, None)),
    );
    let answers = Answers {
        analyses,
        open,
        dismissed,
        on_target,
    };
    answers.read(&Asked {
        reference: &reference,
        head: &snapshot.subject.head,
        is_change,
        test_merge: session.test_merge.as_deref().filter(|_| is_change),
    })
}

/// All analyses of a change, or the newest hundred of a branch: a branch has thousands,
/// and some are of tools that were given up long ago.
async fn analyses(client: &Client, place: &Place, path: &str) -> Analyses {
    match place {
        Place::Change(_) => Analyses::All(client.get_all(path, None).await),
        Place::Branch(_) => {
            let path = format!("{path}&per_page={PER_PAGE}");
            Analyses::Newest(client.get(&path).await)
        }
    }
}

enum Analyses {
    All(Result<Listing, NoAnswer>),
    Newest(Result<Answer, NoAnswer>),
}

struct Answers {
    analyses: Analyses,
    open: Result<Listing, NoAnswer>,
    /// `None`: not asked for.
    dismissed: Option<Result<Listing, NoAnswer>>,
    /// Of the target of a change. `None`: not asked for.
    on_target: Option<Result<Listing, NoAnswer>>,
}

/// What was asked about.
struct Asked<'a> {
    reference: &'a str,
    head: &'a str,
    is_change: bool,
    test_merge: Option<&'a str>,
}

impl Answers {
    fn read(&self, asked: &Asked<'_>) -> Fact<ChangeAnalyses> {
        if let Some(source) = self.refusals().find_map(off) {
            return Fact::seen(ChangeAnalyses::Off, source);
        }
        if let Some(source) = self.refusals().find_map(nothing_yet) {
            return Fact::seen(ChangeAnalyses::NothingYet, source);
        }
        match self.looked(asked) {
            Ok((looked, sources)) if looked.analyses.is_empty() => {
                Fact::seen_in(ChangeAnalyses::NothingYet, sources)
            }
            Ok((looked, sources)) => Fact::seen_in(ChangeAnalyses::Looked(looked), sources),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }

    fn refusals(&self) -> impl Iterator<Item = &NoAnswer> {
        let dismissed = self.dismissed.as_ref();
        [
            self.analyses.refusal(),
            self.open.as_ref().err(),
            dismissed.and_then(|dismissed| dismissed.as_ref().err()),
        ]
        .into_iter()
        .flatten()
    }

    /// All of it; one list that is missing leaves nothing to go by.
    fn looked(&self, asked: &Asked<'_>) -> Result<(Looked, Vec<Source>), Unknown> {
        let analyses = self.analyses.read(asked.head)?;
        let open = reading::list::<CodeAlert>(KEY, &self.open)?;
        let dismissed = self.dismissed.as_ref();
        let dismissed = dismissed
            .map(|dismissed| reading::list::<CodeAlert>(KEY, dismissed))
            .transpose()?;
        let mut looked = Looked {
            test_merge: asked.test_merge.map(str::to_owned),
            analyses: each(&analyses, |analysis: &Analysis| {
                let here = analysis.reference.as_deref() == Some(asked.reference);
                analysis.of_change().filter(|_| here)
            })
            .ok_or_else(|| {
                let detail = "an analysis is of another ref, or leaves out its tool, its commit, its time or how it ended";
                analyses.malformed(KEY, detail)
            })?,
            open: alerts(&open, CodeAlert::alert)?,
            dismissed: match &dismissed {
                Some(dismissed) => alerts(dismissed, CodeAlert::dismissed)?,
                None => Vec::new(),
            },
            on_target: self.on_target(asked.is_change),
        };
        looked
            .open
            .sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
        let mut sources = analyses.sources;
        sources.extend(open.sources);
        sources.extend(dismissed.into_iter().flat_map(|read| read.sources));
        Ok((looked, sources))
    }
}

impl Answers {
    /// What is open on the target. Unknown by itself: it is asked for only where new is to be
    /// told from old.
    fn on_target(&self, is_change: bool) -> Fact<Option<Vec<Alert>>> {
        let Some(answer) = &self.on_target else {
            if !is_change {
                return Fact::seen_in(None, Vec::new());
            }
            let detail = "no control wanted to know what is open on the target branch";
            return Fact::Unknown(Unknown::new(KEY.name(), Why::NotCollected, detail));
        };
        let read = reading::list::<CodeAlert>(KEY, answer);
        let open = read.and_then(|read| Ok((alerts(&read, CodeAlert::alert)?, read.sources)));
        match open {
            Ok((open, sources)) => Fact::seen_in(Some(open), sources),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }
}

impl Analyses {
    fn refusal(&self) -> Option<&NoAnswer> {
        match self {
            Self::All(list) => list.as_ref().err(),
            Self::Newest(answer) => answer.as_ref().err(),
        }
    }

    fn read(&self, head: &str) -> Result<Read<Vec<Analysis>>, Unknown> {
        match self {
            Self::All(list) => reading::list(KEY, list),
            Self::Newest(answer) => {
                let read = reading::one::<Vec<Analysis>>(KEY, answer)?;
                // Where it does not reach beyond the commit, more of it may stand behind.
                let all_of_head = read.value.iter().all(|analysis| analysis.is_of(head));
                if read.value.len() >= PER_PAGE && all_of_head {
                    let detail =
                        format!("the commit has {PER_PAGE} analyses or more, too many to read");
                    return Err(read.malformed(KEY, &detail));
                }
                Ok(read)
            }
        }
    }
}

fn alerts<T>(
    read: &Read<Vec<CodeAlert>>,
    alert: impl Fn(&CodeAlert) -> Option<T>,
) -> Result<Vec<T>, Unknown> {
    each(read, alert).ok_or_else(|| read.malformed(KEY, "an alert has no number or no rule"))
}

/// All items, or nothing: one left out might be the one that counts.
fn each<T, U>(read: &Read<Vec<T>>, translate: impl Fn(&T) -> Option<U>) -> Option<Vec<U>> {
    read.value.iter().map(translate).collect()
}

#[cfg(test)]
#[path = "analyses_tests.rs"]
mod tests;
