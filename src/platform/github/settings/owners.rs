//! The file of code owners at the tip of the target branch, and whether those whom
//! it names can push. How the file is read stands in the facts; what follows from
//! it is for controls.

use serde::Deserialize;
use sha2::Digest as _;

use crate::facts::{
    CodeOwners, Fact, FactKey, OwnerStatus, OwnersDialect, OwnersFile, OwnersRules, Unknown, Why,
};
use crate::platform::join::when;
use crate::platform::transport::{GraphqlAnswer, Listing, NoAnswer};
use crate::platform::{Thrift, access};

use super::super::Session;
use super::super::graph::{self, Place};
use super::super::permissions::{ADMINISTRATION, CONTENTS};
use super::document::{PLACES, Part};
use super::shared::Shared;

/// Mode of a symbolic link in a tree.
const SYMBOLIC_LINK: u32 = 0o12_0000;
const KEY: FactKey = FactKey::RepositoryCodeOwners;
const COLLABORATORS: &str = "Metadata: read, of somebody who may push";

/// Who can reach the repository. A list is `None` where asking was pointless:
/// nobody of its kind is named, or it is hidden from a workflow token.
struct People<'a> {
    collaborators: Option<&'a Result<Listing, NoAnswer>>,
    teams: Option<&'a Result<Listing, NoAnswer>>,
}

/// Asks for the file and those whom it names. Who they are is not known before the
/// file is there: the lists are asked with it, or after it and only if needed.
pub(super) async fn ask(session: &Session, shared: &Shared<'_>) -> Fact<CodeOwners> {
    let document = shared.document.answer(Part::CodeOwners);
    let sees_teams = !shared.blind();
    let (answer, people) = match session.setup.thrift {
        Thrift::Rounds => {
            let (answer, collaborators, teams) = tokio::join!(
                document,
                shared.collaborators(0),
                when(sees_teams, || shared.teams(0)),
            );
            (
                answer,
                People {
                    collaborators: Some(collaborators),
                    teams,
                },
            )
        }
        Thrift::Requests => {
            let answer = document.await;
            let named = answer.as_ref().map_or_else(|_| Vec::new(), |it| named(it));
            let is_team = |name: &String| name.starts_with('@') && name.contains('/');
            let is_person = |name: &String| name.starts_with('@') && !name.contains('/');
            let (collaborators, teams) = tokio::join!(
                when(named.iter().any(is_person), || shared.collaborators(1)),
                when(sees_teams && named.iter().any(is_team), || shared.teams(1)),
            );
            (
                answer,
                People {
                    collaborators,
                    teams,
                },
            )
        }
    };
    match answer {
        Ok(answer) => code_owners(answer, &people, &session.owner),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    mode: Option<u32>,
    object: Option<Blob>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Blob {
    #[serde(rename = "__typename")]
    kind: Option<String>,
    byte_size: Option<u64>,
    text: Option<String>,
    is_truncated: Option<bool>,
    is_binary: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlatformError {
    line: Option<u64>,
    kind: Option<String>,
}

/// Somebody in a list: an account by login, or a team by slug.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    login: Option<String>,
    slug: Option<String>,
    privacy: Option<String>,
    permissions: Option<Permissions>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    push: Option<bool>,
}

/// The file and its owners. `organization` is the owner of the repository.
fn code_owners(
    answer: &GraphqlAnswer,
    people: &People<'_>,
    organization: &str,
) -> Fact<CodeOwners> {
    let file = match file(answer) {
        Ok(file) => file,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let owners = match &file {
        None => Vec::new(),
        Some(file) => names(file)
            .iter()
            .map(|name| status(name, people, organization))
            .collect(),
    };
    Fact::seen(CodeOwners { file, owners }, answer.source.clone())
}

/// Everybody whom the file in the answer names.
fn named(answer: &GraphqlAnswer) -> Vec<String> {
    match file(answer) {
        Ok(Some(file)) => names(&file),
        Ok(None) | Err(_) => Vec::new(),
    }
}

fn names(file: &OwnersFile) -> Vec<String> {
    let rules = OwnersRules::parse(&file.text, file.dialect);
    let names = rules.owner_names();
    names.into_iter().map(str::to_owned).collect()
}

/// The first of the places where there is a file; `None`: there is none anywhere.
fn file(answer: &GraphqlAnswer) -> Result<Option<OwnersFile>, Unknown> {
    let target = ["repository", "ref", "target"];
    let fact = KEY.name();
    let hidden = |what: &str| graph::empty(answer, fact, CONTENTS, what);
    let tip = match graph::place(answer, &target, fact, CONTENTS) {
        Place::There(tip) => tip,
        Place::Empty => return Err(hidden("tip of the branch")),
        Place::Refused(unknown) => return Err(unknown),
    };
    for (alias, path) in PLACES {
        let place = [target[0], target[1], target[2], alias];
        if let Some(unknown) = graph::errors_below(answer, &place, fact, CONTENTS) {
            return Err(unknown);
        }
        // Null where there is no such path. It has to be null, not left out.
        let entry = match tip.get(alias) {
            None => return Err(hidden("file of code owners")),
            Some(value) if value.is_null() => continue,
            Some(value) => graph::read::<Entry>(value, answer, fact)?,
        };
        let blob = match entry.object {
            Some(blob) => blob,
            None => return Err(hidden("content of the file of code owners")),
        };
        let unusable = |detail: &str| {
            access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                &format!("`{path}` {detail}"),
            )
        };
        match blob.kind.as_deref() {
            Some("Blob") => {}
            Some("Tree") => continue,
            Some(_) | None => return Err(unusable("is no file")),
        }
        if entry.mode == Some(SYMBOLIC_LINK) {
            return Err(unusable(
                "is a symbolic link, and where it leads was not read",
            ));
        }
        if blob.is_binary == Some(true) {
            return Err(unusable("is a binary file"));
        }
        let whole = blob.is_truncated == Some(false);
        let (true, Some(text), Some(size)) = (whole, blob.text, blob.byte_size) else {
            return Err(unusable("was not sent as a whole"));
        };
        return Ok(Some(OwnersFile {
            path: path.to_owned(),
            digest: format!("sha256:{}", hex::encode(sha2::Sha256::digest(&text))),
            size,
            text,
            dialect: OwnersDialect::Github,
            platform_errors: platform_errors(answer),
        }));
    }
    Ok(None)
}

fn platform_errors(answer: &GraphqlAnswer) -> Fact<Vec<String>> {
    let path = ["repository", "codeowners", "errors"];
    let fact = KEY.name();
    let hidden = || graph::empty(answer, fact, CONTENTS, "errors of the file of code owners");
    let value = match graph::place(answer, &path, fact, CONTENTS) {
        Place::There(value) => value,
        Place::Empty => return Fact::Unknown(hidden()),
        Place::Refused(unknown) => return Fact::Unknown(unknown),
    };
    if let Some(unknown) = graph::errors_below(answer, &path, fact, CONTENTS) {
        return Fact::Unknown(unknown);
    }
    let errors: Vec<PlatformError> = match graph::read(&value, answer, fact) {
        Ok(errors) => errors,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let words: Option<Vec<String>> = errors
        .into_iter()
        .map(|error| Some(format!("line {}: {}", error.line?, error.kind?)))
        .collect();
    match words {
        Some(words) => Fact::seen(words, answer.source.clone()),
        None => Fact::Unknown(hidden()),
    }
}

/// What the lists say about one owner.
fn status(name: &str, people: &People<'_>, organization: &str) -> OwnerStatus {
    let (exists, can_write) = match name.strip_prefix('@') {
        None => {
            let unknown = Unknown::new(
                KEY.name(),
                Why::NotSupported,
                format!("no interface tells to whom the address `{name}` belongs"),
            );
            (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown))
        }
        Some(account) => match account.split_once('/') {
            None => match people.collaborators {
                None => {
                    let unknown = Unknown::not_collected(KEY.name());
                    (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown))
                }
                Some(list) => look_up(list, COLLABORATORS, |listed| {
                    is(listed.login.as_deref(), account)
                }),
            },
            Some((home, slug)) => match people.teams {
                None => {
                    let unknown = Unknown::new(
                        KEY.name(),
                        Why::NotPermitted,
                        "a workflow token cannot see the teams of the repository, so they were not asked for",
                    )
                    .needs(ADMINISTRATION);
                    (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown))
                }
                Some(teams) => look_up(teams, ADMINISTRATION, |listed| {
                    is(Some(organization), home) && is(listed.slug.as_deref(), slug)
                }),
            },
        },
    };
    OwnerStatus {
        name: name.to_owned(),
        exists,
        can_write,
    }
}

fn is(have: Option<&str>, want: &str) -> bool {
    have.is_some_and(|have| have.eq_ignore_ascii_case(want))
}

/// Whether somebody exists and can push. Who is not in a whole list cannot push,
/// but may exist elsewhere on the platform.
fn look_up(
    list: &Result<Listing, NoAnswer>,
    needs: &str,
    is_wanted: impl Fn(&Listed) -> bool,
) -> (Fact<bool>, Fact<bool>) {
    let both = |unknown: Unknown| (Fact::Unknown(unknown.clone()), Fact::Unknown(unknown));
    let listing = match list {
        Ok(listing) => listing,
        Err(refusal) => return both(access::refused(KEY.name(), needs, refusal)),
    };
    let seen = |value: bool| Fact::seen_in(value, listing.sources.clone());
    let odd = |detail: &str| access::malformed(KEY.name(), &listing.endpoint, 200, detail);
    let mut nameless = false;
    for item in &listing.items {
        let Ok(listed) = Listed::deserialize(item) else {
            nameless = true;
            continue;
        };
        if is_wanted(&listed) {
            // A secret team owns nothing, whatever it may do.
            let secret = listed.privacy.as_deref() == Some("secret");
            let push = listed.permissions.and_then(|permissions| permissions.push);
            let can_write = match push {
                _ if secret => seen(false),
                Some(push) => seen(push),
                None => Fact::Unknown(odd("the answer leaves out who may push")),
            };
            return (seen(true), can_write);
        }
        nameless |= listed.login.is_none() && listed.slug.is_none();
    }
    if nameless {
        return both(odd("the answer leaves out the name of somebody"));
    }
    let elsewhere = Unknown::new(
        KEY.name(),
        Why::HiddenOrAbsent,
        "it is not among those who can reach the repository, and it was not asked whether it exists elsewhere",
    );
    (Fact::Unknown(elsewhere), seen(false))
}

#[cfg(test)]
#[path = "owners_tests.rs"]
mod tests;
