//! For whom the tokens act, as GitHub itself says. The change's token was told
//! apart in the first round; a token of its own for settings is asked once.

use serde_json::json;

use crate::facts::{Account, Fact, Unknown, Why};
use crate::platform::transport::GraphqlAnswer;
use crate::platform::{Readers, access};

use super::Session;

/// Name of the fact.
pub(super) const VIEWER: &str = "token.account";

/// How the names of apps and bots end.
const BOT: &str = "[bot]";

impl Session {
    pub(in crate::platform) async fn identity(&mut self) -> Readers {
        let settings = match &self.settings {
            None => None,
            Some(client) => {
                let asked = client
                    .graphql(
                        "CcgateViewer",
                        "query CcgateViewer { viewer { login } }",
                        json!({}),
                    )
                    .await;
                Some(match asked {
                    Ok(answer) => viewer(&answer),
                    Err(refusal) => Fact::Unknown(access::refused(VIEWER, "", &refusal)),
                })
            }
        };
        Readers {
            change: self.viewer.clone(),
            settings,
        }
    }
}

/// The account that asked.
pub(super) fn viewer(answer: &GraphqlAnswer) -> Fact<Account> {
    let login = answer
        .data
        .as_ref()
        .and_then(|data| data.get("viewer")?.get("login")?.as_str());
    match login {
        Some(login) if login.ends_with(BOT) => {
            Fact::seen(Account::bot(login), answer.source.clone())
        }
        Some(login) => Fact::seen(Account::human(login), answer.source.clone()),
        None => Fact::Unknown(Unknown::new(
            VIEWER,
            Why::HiddenOrAbsent,
            "the answer does not say for whom the token acts",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::facts::{AccountKind, Source};

    fn of(data: Value) -> Fact<Account> {
        viewer(&GraphqlAnswer {
            status: 200,
            data: Some(data),
            errors: Vec::new(),
            source: Source {
                endpoint: "GraphQL CcgateOpen".to_owned(),
                digest: String::new(),
            },
            endpoint: "GraphQL CcgateOpen".to_owned(),
        })
    }

    #[test]
    fn an_app_is_told_from_a_person_and_silence_from_both() {
        let kind = |login: &str| {
            let account = of(json!({"viewer": {"login": login}}));
            account.known().ok().map(|account| account.kind.clone())
        };
        assert_eq!(kind("github-actions[bot]"), Some(AccountKind::Bot));
        assert_eq!(kind("ana"), Some(AccountKind::Human));
        assert!(!of(json!({"viewer": null})).is_known());
        assert!(!of(json!({})).is_known());
    }
}
