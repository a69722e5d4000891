//! One comment on a change, or one issue of a repository, that a command run by hand or by a
//! workflow makes once and then changes in place. No check does it.

use anyhow::{anyhow, bail};

use crate::facts::Platform;

use super::context::Wanted;
use super::posting::said;
use super::transport::{NoAnswer, Transport};
use super::{Setup, github, gitlab};

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The first line: it says what it is and of which place, and is looked for.
    pub marker: String,
    /// Title of the issue, whenever it is written; a comment has none.
    pub title: String,
    /// The whole text, which begins with the marker.
    pub text: String,
    /// Whether it is made where there is none yet.
    pub make: bool,
    /// Whether an issue that somebody closed is opened again.
    pub reopen: bool,
}

/// What became of it, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// There was none.
    Made(String),
    /// There was one that said something else.
    Changed(String),
    /// There was one that says the same; nothing was written.
    Same(String),
    /// There was none, and there is nothing to say; nothing was written.
    Nothing,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// As a comment on the change of that number.
    Change(u64),
    /// As an issue of the repository.
    Issue,
}

/// One comment or issue of the token's own account.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Its number; what is older has a smaller one.
    pub(super) id: u64,
    /// What it says.
    pub(super) text: String,
    /// Where it stands, for people.
    pub(super) place: String,
    /// Whether it is an issue that was closed.
    pub(super) closed: bool,
}

/// Makes it, or changes the oldest one of the token's own account that has the marker. Lists
/// are read to their end, and what is written is sent once: a second try could post it twice.
///
/// # Errors
/// Something could not be read, so nothing was written; or the platform did not take it, or
/// did not say so.
pub async fn keep_notice(setup: Setup, notice: &Notice) -> anyhow::Result<Noted> {
    let spot = match setup.place.wanted {
        Wanted::Change { number, .. } => Spot::Change(number),
        Wanted::Repository { .. } => Spot::Issue,
        Wanted::Group(_) | Wanted::Commit { .. } => {
            bail!("a notice stands on a change or in an issue: `--change N` or `--issue`")
        }
    };
    let transport = |attempts: u32| {
        let mut limits = setup.limits;
        limits.attempts = attempts;
        Transport::new(
            setup.ca_bundle.as_deref(),
            limits,
            &setup.program,
            &setup.place.api,
        )
    };
    let (reading, writing) = (transport(setup.limits.attempts)?, transport(1)?);
    let all = match setup.place.platform {
        Platform::Github => github::own_notices(&setup, &reading, spot).await?,
        Platform::Gitlab => gitlab::own_notices(&setup, &reading, spot).await?,
    };
    let oldest = all
        .into_iter()
        .filter(|own| own.text.lines().next() == Some(notice.marker.as_str()))
        .min_by_key(|own| own.id);
    if oldest.is_none() && !notice.make {
        return Ok(Noted::Nothing);
    }
    if let Some(own) = &oldest
        && plain(&own.text) == plain(&notice.text)
        && !(own.closed && notice.reopen)
    {
        return Ok(Noted::Same(own.place.clone()));
    }
    let place = match setup.place.platform {
        Platform::Github => {
            github::write_notice(&setup, &writing, spot, notice, oldest.as_ref()).await?
        }
        Platform::Gitlab => {
            gitlab::write_notice(&setup, &writing, spot, notice, oldest.as_ref()).await?
        }
    };
    Ok(match oldest {
        Some(_) => Noted::Changed(place),
        None => Noted::Made(place),
    })
}

/// The text as it means the same: platforms may send other line ends than they got.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Why nothing was written: something has to be read before.
pub(super) fn unread(what: &str, no_answer: &NoAnswer, needs: &str) -> anyhow::Error {
    match no_answer {
        NoAnswer::Status(answer) => anyhow!(
            "nothing was posted: {what} cannot be read: {} answered {}{}{}",
            answer.endpoint,
            answer.status,
            said(answer),
            hint(answer.status, needs)
        ),
        NoAnswer::Transport(error) => {
            anyhow!("nothing was posted: {what} cannot be read: {error}")
        }
    }
}

/// Why it is not known to be written. An answer that the server is in trouble may come after
/// it did what it was asked.
pub(super) fn unwritten(no_answer: &NoAnswer, needs: &str) -> anyhow::Error {
    match no_answer {
        NoAnswer::Status(answer) if answer.status < 500 => anyhow!(
            "nothing was posted: {} answered {}{}{}",
            answer.endpoint,
            answer.status,
            said(answer),
            hint(answer.status, needs)
        ),
        NoAnswer::Status(answer) => unsure(&format!(
            "{} answered {}{}",
            answer.endpoint,
            answer.status,
            said(answer)
        )),
        NoAnswer::Transport(error) => unsure(&error.to_string()),
    }
}

/// It may have been posted, and nobody said so.
pub(super) fn unsure(why: &str) -> anyhow::Error {
    anyhow!(
        "it is not known whether it was posted: {why}; it was not sent again. Run the command \
         again later: it finds what was posted"
    )
}

fn hint(status: u16, needs: &str) -> String {
    match status {
        401 | 403 | 404 => format!("; the token needs {needs}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
