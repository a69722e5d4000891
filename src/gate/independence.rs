//! Who may override, and whether they had a hand in the change. An identity
//! that cannot be told speaks against the override: independence must be shown.

use crate::facts::{Account, Comment, Fact, Identified, Likeness, Person, PushKind, Snapshot};
use crate::policy::OverrideRules;

use super::decide::OverrideState;

type Refusal = (OverrideState, String);

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err((OverrideState::Refused, why.into()))
}

/// Whether `allowed_by` names the person, or a team that they are in now.
pub(super) fn may_override(
    rules: &OverrideRules,
    facts: &Snapshot,
    person: &Account,
) -> Result<(), Refusal> {
    if rules.allowed_by.is_empty() {
        return refused("the policy allows nobody to override");
    }
    let mut unseen = None;
    for entry in &rules.allowed_by {
        if !entry.contains('/') {
            if person.is(entry) {
                return Ok(());
            }
            continue;
        }
        match members(facts, entry) {
            Ok(members) if members.iter().any(|login| person.is(login)) => return Ok(()),
            Ok(_) => {}
            Err(why) => {
                unseen.get_or_insert((entry, why));
            }
        }
    }
    match unseen {
        Some((team, why)) => refused(format!(
            "could not see whether @{} is in {team}: {why}",
            person.login
        )),
        None => refused(format!(
            "@{} is not among those who may override: {}",
            person.login,
            rules.allowed_by.join(", ")
        )),
    }
}

fn members<'f>(facts: &'f Snapshot, team: &str) -> Result<&'f [String], String> {
    let people = facts
        .override_people
        .known()
        .map_err(|unknown| unknown.to_string())?;
    let (_, members) = people
        .members
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(team))
        .ok_or_else(|| "its members were not looked up".to_owned())?;
    members
        .known()
        .map(Vec::as_slice)
        .map_err(|unknown| unknown.to_string())
}

/// Whether the person is known to be none of: opener, author, committer and
/// co-author of any commit, force-pusher, last pusher.
pub(super) fn independent(facts: &Snapshot, person: &Account) -> Result<(), Refusal> {
    let unseen = |what: &str, why: String| {
        refused(format!(
            "it cannot be shown that @{} had no hand in the change: {what}: {why}",
            person.login
        ))
    };
    let identity = match facts.identity.known() {
        Ok(identity) => identity,
        Err(unknown) => return unseen("who opened it is not known", unknown.to_string()),
    };
    if identity.head != facts.subject.head {
        return refused("the head of the change is no longer the one that is judged");
    }
    match &identity.author {
        Some(opener) => shown_apart(person, opener, "opened the change")?,
        None => {
            return unseen(
                "who opened it is not known",
                "the account is gone".to_owned(),
            );
        }
    }
    not_in_commits(facts, person)?;

    match facts.pushes.known() {
        Err(unknown) => return unseen("who pushed is not known", unknown.to_string()),
        Ok(pushes) => {
            for push in pushes {
                match &push.actor {
                    Fact::Known {
                        value: Some(actor), ..
                    } => shown_apart(person, actor, "pushed to the change")?,
                    // Ordinary pushes leave their commits, and the last one is
                    // looked at below; a force push may leave nothing else.
                    Fact::Known { value: None, .. } | Fact::Unknown(_)
                        if push.kind == PushKind::Push => {}
                    Fact::Known { value: None, .. } => {
                        return unseen(
                            "who force-pushed is not known",
                            "the account is gone".to_owned(),
                        );
                    }
                    Fact::Unknown(unknown) => {
                        return unseen("who force-pushed is not known", unknown.to_string());
                    }
                }
            }
        }
    }
    match facts
        .override_people
        .known()
        .and_then(|people| people.last_pusher.known())
    {
        Ok(pusher) => shown_apart(person, pusher, "pushed last"),
        Err(unknown) => unseen("who pushed last is not known", unknown.to_string()),
    }
}

fn not_in_commits(facts: &Snapshot, person: &Account) -> Result<(), Refusal> {
    let commits = match facts.commits.known() {
        Ok(commits) => commits,
        Err(unknown) => {
            return refused(format!(
                "it cannot be shown that @{} wrote none of the commits: {unknown}",
                person.login
            ));
        }
    };
    // A list that does not hold the head is not the list of this change.
    if !commits
        .iter()
        .any(|commit| commit.sha == facts.subject.head)
    {
        return refused("the commits that were seen do not include the head");
    }
    for commit in commits {
        not_this_person(&commit.author, "wrote", &commit.sha, person)?;
        not_this_person(&commit.committer, "committed", &commit.sha, person)?;
        for co_author in &commit.co_authors {
            not_this_person(co_author, "is a co-author of", &commit.sha, person)?;
        }
    }
    Ok(())
}

fn not_this_person(named: &Person, did: &str, sha: &str, person: &Account) -> Result<(), Refusal> {
    let short: String = sha.chars().take(7).collect();
    match &named.account {
        Fact::Known {
            value: Some(account),
            ..
        } => shown_apart(person, account, &format!("{did} commit {short}")),
        Fact::Known { value: None, .. } => refused(format!(
            "it cannot be shown that @{} had no hand in commit {short}: `{}` belongs to no account",
            person.login, named.name
        )),
        Fact::Unknown(unknown) => refused(format!(
            "it cannot be shown that @{} had no hand in commit {short}: {unknown}",
            person.login
        )),
    }
}

fn shown_apart(person: &Account, other: &Account, did: &str) -> Result<(), Refusal> {
    apart(person, other, did).or_else(refused)
}

/// Whether the person is shown to be somebody else than the one who did that.
///
/// # Errors
/// They are one, or one name stands for two accounts, so that it cannot be told.
pub(super) fn apart(person: &Account, other: &impl Identified, did: &str) -> Result<(), String> {
    match person.likeness(other) {
        Likeness::Other => Ok(()),
        Likeness::Same if person.is(other.login()) => Err(format!("@{} {did}", person.login)),
        Likeness::Same => Err(format!(
            "@{} {did}, as @{}: it is the same account under another name",
            person.login,
            other.login()
        )),
        Likeness::Namesake => Err(format!(
            "@{} has the name of the account that {did}, and another number: it cannot be told \
             who is who",
            person.login
        )),
    }
}

/// Who wrote a comment, if it is a person and nobody changed it since.
///
/// # Errors
/// A comment that was edited or may have been, or an author who is gone or no person.
pub(super) fn person_behind(comment: &Comment) -> Result<&Account, String> {
    match &comment.edited {
        Fact::Known { value: false, .. } => {}
        Fact::Known { value: true, .. } => {
            return Err("the comment was edited: write a new one".to_owned());
        }
        Fact::Unknown(unknown) => {
            return Err(format!(
                "it cannot be told whether the comment was edited: {unknown}"
            ));
        }
    }
    let Some(author) = &comment.author else {
        return Err("the account that wrote it is gone".to_owned());
    };
    person(author)?;
    Ok(author)
}

/// Why an account is not known to be a person's.
pub(super) fn person(author: &Account) -> Result<(), String> {
    if author.is_human() {
        return Ok(());
    }
    let login = &author.login;
    Err(if author.is_untold() {
        format!(
            "@{login} is not known to be a person, since the platform did not tell: run the check again, with a token of scope `read_api` that sees the account"
        )
    } else {
        format!("@{login} is not known to be a person")
    })
}
