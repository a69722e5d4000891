//! Keys that the platform publishes for the account which wrote a comment, where the policy lets them
//! count. What was not seen of a key speaks against it.

use jiff::Timestamp;

use crate::facts::{Account, Comment, PUBLISHED_KEYS, PublishedKey, Snapshot, Unknown};
use crate::policy::{OverrideRules, Policy};
use crate::sshsig::{self, SignerKey};

use super::super::command::Command;
use super::super::independence::may_override;
use super::super::overrides::commands;
use super::block::parted;

/// Most accounts whose keys are asked for: anybody may comment on a public change.
const MOST_ASKED: usize = 20;

/// A key that counted because the platform publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The key, `ssh-ed25519 AAAA…`, for whoever verifies later.
    pub line: String,
    /// Since when the platform publishes it.
    pub since: Timestamp,
}

/// Whose published keys have to be asked for: of everybody who signed an override command with a key
/// that the policy does not list. Those who may override come first, then who only asked.
pub fn published_keys_wanted(policy: &Policy, facts: &Snapshot) -> Vec<Account> {
    let rules = &policy.overrides;
    let (mut entitled, mut others): (Vec<Account>, Vec<Account>) = (Vec::new(), Vec::new());
    for (comment, command) in commands(facts) {
        let asks = match command {
            Command::Override(_) => true,
            Command::Approve { .. } => false,
            Command::Revoke { .. } | Command::Review { .. } => continue,
        };
        let Some(author) = signed_with_a_new_key(rules, comment) else {
            continue;
        };
        let may = may_override(rules, facts, author).is_ok();
        let known = entitled
            .iter()
            .chain(&others)
            .any(|one| one.id == author.id);
        match (known, may, asks) {
            (true, _, _) | (false, false, false) => {}
            (false, true, _) => entitled.push(author.clone()),
            (false, false, true) => others.push(author.clone()),
        }
    }
    entitled.append(&mut others);
    entitled.truncate(MOST_ASKED);
    entitled
}

/// The author of a comment that holds a signature which only a published key could have made.
fn signed_with_a_new_key<'c>(rules: &OverrideRules, comment: &'c Comment) -> Option<&'c Account> {
    let author = comment.author.as_ref()?;
    let (_, block) = parted(&comment.body).ok()?;
    let key = sshsig::signer(block?.whole_armour().as_bytes())?;
    let listed = rules.signers.iter().any(|one| one.key == key);
    (rules.published_keys
        && author.is_human()
        && author.id.is_some()
        && !listed
        && !has_keys_in(rules, author))
    .then_some(author)
}

/// Whether the policy lists keys for the person: then those alone count.
fn has_keys_in(rules: &OverrideRules, author: &Account) -> bool {
    rules.signers.iter().any(|one| author.is(&one.person))
}

/// Somebody for whom the policy lists keys and whom this author may be under another name. Policies
/// name people by login. Whoever is named in `allowed_by` is nobody else; of who is there by a
/// team, the person has to be seen beside them.
fn could_be_renamed<'r>(
    rules: &'r OverrideRules,
    facts: &Snapshot,
    author: &Account,
) -> Option<&'r str> {
    if rules.allowed_by.iter().any(|entry| author.is(entry)) {
        return None;
    }
    let members = facts.override_people.known().ok();
    let members = members.map_or(&[][..], |people| people.members.as_slice());
    let seen = |person: &str| {
        let login = person.trim_start_matches('@');
        let named = |entry: &String| entry.trim_start_matches('@').eq_ignore_ascii_case(login);
        rules.allowed_by.iter().any(named)
            || members.iter().any(|(_, logins)| {
                let logins = logins.known();
                logins.is_ok_and(|logins| logins.iter().any(named))
            })
    };
    let listed = rules.signers.iter().map(|one| one.person.as_str());
    listed.into_iter().find(|person| !seen(person))
}

/// Whether that key counts for the author of something that was signed and written by then.
///
/// # Errors
/// The policy or the platform does not say so, or was not seen to.
pub(super) fn published(
    rules: &OverrideRules,
    facts: &Snapshot,
    author: &Account,
    key: &SignerKey,
    by: Timestamp,
) -> Result<Published, String> {
    let name = &author.login;
    let fingerprint = key.fingerprint();
    if has_keys_in(rules, author) {
        return Err(format!(
            "the key that signed it, {fingerprint}, is not among those that `overrides.signers` \
             lists for @{name}, and for whom it lists keys no other counts"
        ));
    }
    if let Some(person) = could_be_renamed(rules, facts, author) {
        return Err(format!(
            "the key that signed it, {fingerprint}, is not among `overrides.signers`; keys that the \
             platform publishes do not count for @{name}, who may override by a team only, since \
             {person}, for whom the policy lists keys, is seen nowhere in `overrides.allowed_by`, and \
             may be called otherwise now: name the person there, or take them from `signers`"
        ));
    }
    let unseen = |why: String| {
        format!(
            "the key that signed it, {fingerprint}, is not among `overrides.signers`, and it cannot \
             be told whether the platform publishes it for @{name}: {why}"
        )
    };
    let all = facts
        .published_keys
        .known()
        .map_err(|unknown| unseen(unknown.to_string()))?;
    if author.id.is_none() {
        return Err(unseen(
            "the platform did not tell the account's number".to_owned(),
        ));
    }
    let mut own = all.iter().filter(|one| one.account.id == author.id);
    let (Some(own), None) = (own.next(), own.next()) else {
        return Err(unseen(format!(
            "`{PUBLISHED_KEYS}` does not hold its keys once; at most {MOST_ASKED} accounts are asked \
             for on a change, and only those that signed"
        )));
    };
    let keys = own
        .keys
        .known()
        .map_err(|unknown| unseen(unknown.to_string()))?;
    let is_it = |one: &&PublishedKey| SignerKey::parse(&one.line).as_ref() == Some(key);
    let others = all.iter().filter(|one| one.account.id != author.id);
    for other in others {
        // What was not seen of another account says nothing about this one's key.
        let theirs = other.keys.known();
        if theirs.is_ok_and(|keys| keys.iter().any(|one| is_it(&one))) {
            return Err(format!(
                "the key that signed it, {fingerprint}, is published for @{} too, so that it does \
                 not tell who signed",
                other.account.login
            ));
        }
    }
    // Where it stands there more than once, each has to be in order.
    let mut since = None;
    for one in keys.iter().filter(is_it) {
        let created = in_order(one, by, facts.latest_time()).map_err(|why| {
            format!("the key that signed it, {fingerprint}, does not count: {why}")
        })?;
        since = since.max(Some(created));
    }
    match since {
        Some(since) => Ok(Published {
            line: key.line(),
            since,
        }),
        None => Err(format!(
            "the key that signed it, {fingerprint}, is neither among `overrides.signers` of the \
             policy nor among the signing keys that the platform publishes for @{name}"
        )),
    }
}

/// Since when it is published, if it counts for what was signed by then.
fn in_order(one: &PublishedKey, by: Timestamp, now: Timestamp) -> Result<Timestamp, String> {
    match one.signs.known() {
        Ok(true) => {}
        Ok(false) => return Err("it is published for logging in and not for signing".to_owned()),
        Err(unknown) => return Err(unknown.to_string()),
    }
    let words = |unknown: Unknown| unknown.to_string();
    let created = *one.created_at.known().map_err(words)?;
    // Within one second nobody can say which came first.
    if created >= by {
        return Err(format!(
            "it was published at {created}, and what is signed with it is of {by}: a key has to be \
             there before"
        ));
    }
    match one.expires_at.known().map_err(words)? {
        Some(end) if now >= *end => Err(format!("it expired at {end}")),
        Some(_) | None => Ok(created),
    }
}

#[cfg(test)]
mod tests;
