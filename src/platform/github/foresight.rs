//! Asks ahead what every repository of a run will ask, several repositories in one
//! question. What comes back is kept for the repository's own question. Whatever does
//! not come back, or not whole, the repository asks for itself: nothing is lost but
//! the saving.

use crate::facts::{Needs, Snapshot};
use crate::platform::PolicyWanted;
use crate::platform::transport::NoAnswer;

use super::fleet::Heard;
use super::form::{self, Asked};
use super::{Session, server, settings};

/// Repositories in one question. The platform gives up on a question after 10 s.
/// <https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>
const AT_ONCE: usize = 10;

/// Asks what each of them will be opened with.
pub(in crate::platform) async fn openings(sessions: &[&Session], policy: &PolicyWanted) {
    let asked = sessions
        .iter()
        .filter_map(|session| Some((*session, session.opening(policy)?)));
    ask(&asked.collect::<Vec<_>>()).await;
}

/// Asks about the settings of each of them, once they are open.
pub(in crate::platform) async fn settings(open: &[(&Session, &Snapshot, &Needs)]) {
    let asked = open.iter().filter_map(|(session, snapshot, needs)| {
        let asked = settings::asked(session, &snapshot.subject.target, needs)?;
        Some((*session, asked))
    });
    ask(&asked.collect::<Vec<_>>()).await;
}

async fn ask(all: &[(&Session, Asked)]) {
    let of_one_run = all.chunk_by(|(one, _), (other, _)| match (&one.fleet, &other.fleet) {
        (Some(one), Some(other)) => one.is(other),
        _ => false,
    });
    for some in of_one_run.flat_map(|run| run.chunks(AT_ONCE)) {
        if some.len() > 1 {
            ask_together(some).await;
        }
    }
}

/// Asks about all of them; where the platform gave up on the question, about half of
/// them at a time.
async fn ask_together(some: &[(&Session, Asked)]) {
    let asked: Vec<Asked> = some.iter().map(|(_, asked)| asked.clone()).collect();
    let Some((session, first)) = some.first() else {
        return;
    };
    let (Some(fleet), Some((query, values))) = (&session.fleet, form::together(&asked)) else {
        return;
    };
    session.transport.begin_wave();
    let operation = first.form.operation;
    let answer = match session.change.graphql(operation, &query, values).await {
        Ok(answer) => answer,
        Err(NoAnswer::Status(answer)) if matches!(answer.status, 502 | 504) => {
            for half in some
                .chunks(some.len().div_ceil(2))
                .filter(|half| half.len() > 1)
            {
                Box::pin(ask_together(half)).await;
            }
            return;
        }
        Err(_) => return,
    };
    fleet.change.hear(Heard {
        server: server::server(&session.transport, &session.setup.place.api),
        time: session.transport.platform_time(),
    });
    for (place, asked) in asked.iter().enumerate() {
        if let Some(own) = form::apart(&answer, place) {
            fleet.change.put(&asked.form.text(), &asked.values, own);
        }
    }
}
