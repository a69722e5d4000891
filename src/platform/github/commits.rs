//! Commits of a change and everyone who had a hand in them. An address that
//! belongs to nobody is a fact (`None`), and it is not a person.

use serde_json::Value;

use crate::facts::{Account, AccountKind, Commit, Fact, FactKey, Person, Source, Unknown, Why};

use super::wire;

/// The platform's own address for commits that it makes in its web pages.
const WEB_ADDRESS: &str = "noreply@github.com";
/// Domain of the addresses that carry a login.
const NO_REPLY: &str = "@users.noreply.github.com";

/// One commit after the other, oldest first, as the platform orders them.
pub(super) fn commits(nodes: &[Value], source: &Source) -> Result<Vec<Commit>, String> {
    nodes
        .iter()
        .map(|node| {
            let wire: wire::PullCommit = serde::Deserialize::deserialize(node)
                .map_err(|error: serde_json::Error| error.to_string())?;
            let commit = wire.commit.ok_or("an entry has no commit")?;
            one(&commit, source)
        })
        .collect()
}

fn one(commit: &wire::Commit, source: &Source) -> Result<Commit, String> {
    let sha = commit.oid.clone().ok_or("a commit has no id")?;
    let message = commit
        .message
        .clone()
        .ok_or_else(|| format!("commit {sha} has no message"))?;
    let parents = commit
        .parents
        .as_ref()
        .filter(|list| complete(list))
        .ok_or_else(|| format!("commit {sha} does not name all its parents"))?;
    let author = commit
        .author
        .as_ref()
        .map(|actor| somebody(person(actor, source)));
    let committer = commit.committer.as_ref().map(|actor| person(actor, source));
    let co_authors = co_authors(&message, commit.authors.as_ref(), source);
    Ok(Commit {
        parents: parents
            .present()
            .filter_map(|parent| parent.oid.clone())
            .collect(),
        author: author.unwrap_or_else(unnamed),
        committer: committer.unwrap_or_else(unnamed),
        co_authors,
        sha,
        message,
    })
}

fn complete<T>(list: &wire::Nodes<T>) -> bool {
    let count = list.present().count();
    list.total_count == u64::try_from(count).ok()
}

fn unnamed() -> Person {
    Person {
        name: String::new(),
        email: String::new(),
        account: Fact::Unknown(Unknown::new(
            FactKey::ChangeCommits.name(),
            Why::Failed,
            "the answer does not say who it was",
        )),
    }
}

/// Somebody who wrote: the platform itself never does. Anybody may put its
/// address there, to be no one in particular.
fn somebody(mut person: Person) -> Person {
    person.account = person
        .account
        .map(|account| account.filter(|account| account.kind != AccountKind::Platform));
    person
}

fn person(actor: &wire::GitActor, source: &Source) -> Person {
    let name = actor.name.clone().unwrap_or_default();
    let email = actor.email.clone().unwrap_or_default();
    Person {
        account: Fact::seen(account(actor, &email), source.clone()),
        name,
        email,
    }
}

/// What the platform made of the address. Bots cannot be named in this place of
/// the schema, so a bot's own no-reply address stands for it.
fn account(actor: &wire::GitActor, email: &str) -> Option<Account> {
    let linked = actor.user.as_ref().and_then(|user| {
        let login = user.login.clone()?;
        if user.kind.is_none() {
            return Some(Account::human(login).numbered(user.id));
        }
        user.account()
    });
    let platform = email.eq_ignore_ascii_case(WEB_ADDRESS)
        || linked
            .as_ref()
            .is_some_and(|account| account.is("web-flow"));
    if platform {
        return Some(Account {
            login: "web-flow".to_owned(),
            kind: AccountKind::Platform,
            id: None,
        });
    }
    linked.or_else(|| {
        login_in(email)
            .filter(|(login, _)| login.ends_with("[bot]"))
            .map(|(login, id)| Account::bot(login).numbered(id))
    })
}

/// Login and number inside `<id>+<login>@users.noreply.github.com`. The login is as it was
/// when the commit was made; the number outlives a rename.
fn login_in(email: &str) -> Option<(String, Option<u64>)> {
    let lower = email.to_ascii_lowercase();
    let local = lower.strip_suffix(NO_REPLY)?;
    let (id, _) = local.split_once('+')?;
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    let login = email.get(id.len() + 1..local.len())?;
    (digits && !login.is_empty()).then(|| (login.to_owned(), id.parse().ok()))
}

/// Everyone in a `Co-authored-by` line, wherever it stands in the message, and
/// everyone whom the platform itself counts as an author besides the first.
fn co_authors(
    message: &str,
    authors: Option<&wire::Nodes<wire::GitActor>>,
    source: &Source,
) -> Vec<Person> {
    let all_named = authors.is_some_and(complete);
    let mut people: Vec<Person> = message
        .lines()
        .filter_map(trailer)
        .map(|(name, email)| {
            let known = authors.and_then(|list| {
                list.present().find(|actor| {
                    actor
                        .email
                        .as_deref()
                        .is_some_and(|other| other.eq_ignore_ascii_case(&email))
                })
            });
            let account = match known {
                Some(actor) => account(actor, &email),
                None => None,
            };
            let account = account.or_else(|| {
                login_in(&email).map(|(login, id)| {
                    let account = if login.ends_with("[bot]") {
                        Account::bot(login)
                    } else {
                        Account::human(login)
                    };
                    account.numbered(id)
                })
            });
            let account = if account.is_none() && known.is_none() && !all_named {
                Fact::Unknown(Unknown::new(
                    FactKey::ChangeCommits.name(),
                    Why::Failed,
                    "the platform names more authors of a commit than it lists",
                ))
            } else {
                Fact::seen(account, source.clone())
            };
            Person {
                name,
                email,
                account,
            }
        })
        .collect();
    let listed = authors
        .map(|list| list.present().skip(1))
        .into_iter()
        .flatten();
    for actor in listed {
        let email = actor.email.as_deref().unwrap_or_default();
        if !people
            .iter()
            .any(|known| known.email.eq_ignore_ascii_case(email))
        {
            people.push(person(actor, source));
        }
    }
    people.into_iter().map(somebody).collect()
}

/// Name and address of a `Co-authored-by: Name <address>` line. A line without
/// a well-formed address still names somebody: nobody we can tell.
fn trailer(line: &str) -> Option<(String, String)> {
    const KEY: &str = "co-authored-by:";
    let line = line.trim();
    let head = line.get(..KEY.len())?;
    if !head.eq_ignore_ascii_case(KEY) {
        return None;
    }
    let value = line.get(KEY.len()..)?.trim();
    let (name, address) = value.split_once('<').unwrap_or((value, ""));
    let address = address.split('>').next().unwrap_or_default();
    Some((name.trim().to_owned(), address.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source() -> Source {
        Source {
            endpoint: "POST /graphql#Test".to_owned(),
            digest: String::new(),
        }
    }

    fn commit(change: impl FnOnce(&mut Value)) -> Commit {
        let mut node = json!({"commit": {
            "oid": "aa", "message": "subject",
            "author": {"name": "Ana", "email": "ana@acme.test", "user": {"__typename": "User", "login": "ana"}},
            "committer": {"name": "GitHub", "email": "noreply@github.com", "user": null},
            "authors": {"totalCount": 1, "nodes": [{"name": "Ana", "email": "ana@acme.test", "user": {"__typename": "User", "login": "ana"}}]},
            "parents": {"totalCount": 1, "nodes": [{"oid": "bb"}]}}});
        change(&mut node["commit"]);
        commits(&[node], &source()).unwrap().remove(0)
    }

    #[test]
    fn the_web_committer_is_the_platform_and_nobody_else() {
        let commit = commit(|_| {});
        let account = commit.committer.account.known().unwrap().clone().unwrap();
        assert_eq!(account.kind, AccountKind::Platform);
        assert_eq!(commit.parents, ["bb"]);
    }

    #[test]
    fn f20_whoever_writes_under_the_platforms_address_is_known_to_be_nobody() {
        for email in ["noreply@github.com", "NoReply@GitHub.com"] {
            let web = json!({"name": "GitHub", "email": email, "user": null});
            let linked = json!({"name": "x", "email": "x@acme.test", "user": {"__typename": "User", "login": "web-flow"}});
            for author in [web, linked] {
                let commit = commit(|node| {
                    node["author"] = author.clone();
                    node["message"] = json!(format!("s\n\nCo-authored-by: GitHub <{email}>"));
                });
                assert_eq!(commit.author.account.known(), Ok(&None));
                assert_eq!(commit.co_authors[0].account.known(), Ok(&None));
            }
        }
    }

    #[test]
    fn f20_an_author_whose_address_belongs_to_no_account_is_known_to_be_nobody() {
        let commit = commit(|node| {
            node["author"] = json!({"name": "x", "email": "x@nowhere.test", "user": null});
        });
        assert_eq!(commit.author.account.known(), Ok(&None));
    }

    #[test]
    fn a_human_no_reply_address_that_the_platform_does_not_link_stays_nobody() {
        let commit = commit(|node| {
            node["author"] =
                json!({"name": "x", "email": "1+bob@users.noreply.github.com", "user": null});
        });
        assert_eq!(commit.author.account.known(), Ok(&None));
    }

    #[test]
    fn a_bots_own_address_names_the_bot() {
        let commit = commit(|node| {
            node["author"] = json!({"name": "d", "email": "49699333+dependabot[bot]@users.noreply.github.com", "user": null});
        });
        assert_eq!(
            commit.author.account.known(),
            Ok(&Some(
                Account::bot("dependabot[bot]").numbered(Some(49_699_333))
            ))
        );
    }

    #[test]
    fn a_co_author_line_counts_anywhere_in_the_message_in_any_case() {
        let commit = commit(|node| {
            node["message"] = json!("subject\n\nCO-AUTHORED-BY: Bob <BOB@acme.test>\n\nmore text");
            node["authors"] = json!({"totalCount": 2, "nodes": [
                {"name": "Ana", "email": "ana@acme.test", "user": {"__typename": "User", "login": "ana"}},
                {"name": "Bob", "email": "bob@acme.test", "user": {"__typename": "User", "login": "bob", "databaseId": 3}}]});
        });
        assert_eq!(commit.co_authors.len(), 1);
        assert_eq!(
            commit.co_authors[0].account.known(),
            Ok(&Some(Account::human("bob").numbered(Some(3))))
        );
    }

    #[test]
    fn a_co_author_nobody_knows_is_nobody_and_a_no_reply_address_names_its_login() {
        let commit = commit(|node| {
            node["message"] = json!(
                "s\n\nCo-authored-by: X <x@nowhere.test>\nCo-authored-by: Eve <7+eve@users.noreply.github.com>\nCo-authored-by: mallory"
            );
        });
        let accounts: Vec<_> = commit
            .co_authors
            .iter()
            .map(|person| person.account.known().unwrap().clone())
            .collect();
        // The number in the address is hers whatever she is called by now.
        let eve = Account::human("eve").numbered(Some(7));
        assert_eq!(accounts, [None, Some(eve), None]);
    }

    #[test]
    fn an_author_list_that_is_cut_off_makes_unresolved_co_authors_unknown() {
        let commit = commit(|node| {
            node["message"] = json!("s\n\nCo-authored-by: X <x@nowhere.test>");
            node["authors"]["totalCount"] = json!(12);
        });
        assert!(!commit.co_authors[0].account.is_known());
    }

    #[test]
    fn a_commit_without_its_message_or_parents_is_an_error() {
        for key in ["message", "parents", "oid"] {
            let mut node = json!({"commit": {"oid": "aa", "message": "s", "parents": {"totalCount": 0, "nodes": []}}});
            node["commit"][key] = Value::Null;
            assert!(commits(&[node], &source()).is_err(), "{key}");
        }
    }
}
