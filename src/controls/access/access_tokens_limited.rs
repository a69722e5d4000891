//! ACC-05: long-lived tokens end, can do little, and are used. Tokens of people
//! that happen to reach the project belong to people and are not seen here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::age::{days_since, making_not_told, whole_life};
use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{AccessToken, FactKey, Platform, Snapshot, Unknown, Why};

/// Scopes with which nothing can be changed.
const READING: [&str; 7] = [
    "read_api",
    "read_observability",
    "read_package_registry",
    "read_registry",
    "read_repository",
    "read_user",
    "read_virtual_registry",
];

/// Parameters of ACC-05.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessTokensLimited {
    /// Longest time that a token may hold, in days from 0, from when it was made. What is
    /// left of it can prove it too long where the making is not told, but never short.
    max_days: u32,
    /// Longest time that a token may lie unused, in days.
    unused_days: u32,
    /// Scopes that a token may have. A kind of token without scopes, e.g.
    /// `trigger token`, is named by its kind.
    scopes: Vec<String>,
}

impl Default for AccessTokensLimited {
    fn default() -> Self {
        Self {
            max_days: 366,
            unused_days: 90,
            scopes: READING.iter().map(|&scope| scope.to_owned()).collect(),
        }
    }
}

const SAYS: Says<'static> = Says {
    key: FactKey::AccessTokens,
    good: "every access token ends, can do no more than allowed and is used",
    bad: "access tokens reach too far or for too long",
};

impl Control for AccessTokensLimited {
    const META: Meta = Meta {
        code: "ACC-05",
        id: "access-tokens-limited",
        title: "access tokens of the project end, can do little, and are in use",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.17", "A.8.2", "A.8.5"]),
            (Framework::PciDss, &["7.2.2", "8.3.1"]),
            (Framework::Nist80053, &["AC-6", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Gitlab],
        needs: &[FactKey::AccessTokens],
        rationale: "A token is a password without a second factor. What leaks from a log or a \
                    laptop works until it ends, with all that it may do.",
        cheat: "Renewing a token for ever, or taking a trigger token, which lists no scope because \
                it starts any pipeline. A token's whole time counts, from the day it was made, and \
                a token without scopes has to be allowed by its kind.",
        remedy_github: "this control has no meaning on GitHub, where a repository has no access \
                        tokens of its own",
        remedy_gitlab: "under Settings, Access tokens (and Repository, Deploy tokens; CI/CD, \
                        Pipeline trigger tokens) revoke what is not used, and replace the rest by \
                        tokens that end within a year and only read; allow others in the policy \
                        under `scopes`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let tokens = &facts.settings.access_tokens;
        none_wrong(tokens.known()?, &SAYS, tokens.sources(), |token| {
            self.wrong(token, facts)
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let mut less = Vec::new();
        if self.max_days > base.max_days {
            less.push(format!("max_days {} -> {}", base.max_days, self.max_days));
        }
        if self.unused_days > base.unused_days {
            less.push(format!(
                "unused_days {} -> {}",
                base.unused_days, self.unused_days
            ));
        }
        less.extend(more(&self.scopes, &base.scopes).map(|scopes| format!("allows {scopes}")));
        (!less.is_empty()).then(|| less.join(", "))
    }
}

impl AccessTokensLimited {
    /// What is wrong with a token, the worst first.
    fn wrong(&self, token: &AccessToken, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let wrong = |words: String| Ok(Some(format!("`{}` ({}) {words}", token.name, token.kind)));
        let wide = self.beyond(token);
        if !wide.is_empty() {
            return wrong(format!("may do more than allowed: {}", some(&wide)));
        }
        let Some(expires_at) = token.expires_at else {
            return wrong("never ends".to_owned());
        };
        let whole = whole_life(token.created_at, facts.observed_at, expires_at);
        if whole > i64::from(self.max_days) {
            return wrong(format!("holds for {whole} days"));
        }
        match (token.last_used, token.created_at) {
            (Some(last_used), made) => {
                let days = days_since(last_used, facts.latest_time());
                if days > i64::from(self.unused_days) {
                    return wrong(format!("was last used {days} days ago"));
                }
                made.map(|_| None)
                    .ok_or_else(|| making_not_told(FactKey::AccessTokens, token))
            }
            // What is younger than that cannot have lain unused for longer.
            (None, Some(created_at))
                if days_since(created_at, facts.latest_time()) <= i64::from(self.unused_days) =>
            {
                Ok(None)
            }
            // "Never" and "not told" look alike.
            (None, Some(_) | None) => Err(Unknown::new(
                FactKey::AccessTokens.name(),
                Why::NotSupported,
                format!(
                    "the platform does not say when the {} `{}` was last used, if ever",
                    token.kind, token.name
                ),
            )),
        }
    }

    /// What the token may do and the policy does not allow.
    fn beyond(&self, token: &AccessToken) -> Vec<String> {
        let kind = [token.kind.clone()];
        let scopes = if token.scopes.is_empty() {
            kind.as_slice()
        } else {
            token.scopes.as_slice()
        };
        scopes
            .iter()
            .filter(|scope| !names(&self.scopes, scope))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};
    use crate::facts::Fact;

    /// A token that reads, ends in a month and was used yesterday.
    fn token() -> AccessToken {
        AccessToken {
            kind: "project access token".to_owned(),
            name: "reports".to_owned(),
            owner: None,
            scopes: vec!["read_api".to_owned()],
            role: None,
            created_at: Some(at("2025-07-01T00:00:00Z")),
            expires_at: Some(at("2026-07-01T00:00:00Z")),
            last_used: Some(at("2026-05-31T12:00:00Z")),
        }
    }

    fn facts(tokens: Fact<Vec<AccessToken>>) -> Snapshot {
        settings(|settings| settings.access_tokens = tokens)
    }

    fn verdict(token: AccessToken) -> String {
        verdict_of(&AccessTokensLimited::default(), &facts(seen(vec![token])))
    }

    fn used(last_used: Option<&str>, created_at: Option<&str>) -> AccessToken {
        AccessToken {
            last_used: last_used.map(at),
            created_at: created_at.map(at),
            ..token()
        }
    }

    fn may(scopes: &[&str]) -> AccessToken {
        AccessToken {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            ..token()
        }
    }

    fn ends(expires_at: Option<&str>) -> AccessToken {
        AccessToken {
            expires_at: expires_at.map(at),
            ..token()
        }
    }

    #[test]
    fn a_token_that_ends_reads_and_is_used_passes_and_so_does_none() {
        assert_eq!(verdict(token()), "pass");
        let none = facts(seen(Vec::new()));
        assert_eq!(verdict_of(&AccessTokensLimited::default(), &none), "pass");
    }

    #[test]
    fn a_token_that_never_ends_or_ends_too_late_fails() {
        assert_eq!(verdict(ends(None)), "fail");
        assert_eq!(verdict(ends(Some("2026-07-02T00:00:00Z"))), "pass");
        assert_eq!(verdict(ends(Some("2026-07-03T00:00:00Z"))), "fail");
        let unmade = |expires_at: &str| {
            verdict(AccessToken {
                created_at: None,
                ..ends(Some(expires_at))
            })
        };
        assert_eq!(unmade("2027-06-02T12:00:00Z"), "unknown");
        assert_eq!(unmade("2027-06-03T12:00:00Z"), "fail");
    }

    /// The trick: a token of ten years, in its last month.
    #[test]
    fn a_long_life_that_is_nearly_over_fails() {
        let old = AccessToken {
            created_at: Some(at("2016-07-01T00:00:00Z")),
            ..token()
        };
        assert_eq!(verdict(old), "fail");
    }

    #[test]
    fn one_scope_that_writes_or_is_not_known_fails() {
        assert_eq!(verdict(may(&["read_api", "api"])), "fail");
        assert_eq!(verdict(may(&["write_repository"])), "fail");
        assert_eq!(verdict(may(&["read_everything_new"])), "fail");
        assert_eq!(verdict(may(&["read_repository", "read_registry"])), "pass");
    }

    #[test]
    fn a_token_without_scopes_has_to_be_allowed_by_its_kind() {
        let trigger = AccessToken {
            kind: "trigger token".to_owned(),
            ..may(&[])
        };
        assert_eq!(verdict(trigger.clone()), "fail");
        let control = AccessTokensLimited {
            scopes: vec!["trigger token".to_owned()],
            ..AccessTokensLimited::default()
        };
        assert_eq!(verdict_of(&control, &facts(seen(vec![trigger]))), "pass");
    }

    #[test]
    fn a_token_that_lies_unused_fails_from_the_day_after_the_last() {
        let created = Some("2025-07-01T00:00:00Z");
        assert_eq!(verdict(used(Some("2026-03-03T12:00:00Z"), created)), "pass");
        assert_eq!(verdict(used(Some("2026-03-02T12:00:00Z"), created)), "fail");
        assert_eq!(verdict(used(Some("2026-03-02T12:00:00Z"), None)), "fail");
    }

    #[test]
    fn a_use_that_nobody_tells_of_is_unknown_but_for_a_young_token() {
        assert_eq!(verdict(used(None, Some("2026-05-01T00:00:00Z"))), "pass");
        assert_eq!(verdict(used(None, Some("2025-07-01T00:00:00Z"))), "unknown");
        assert_eq!(verdict(used(None, None)), "unknown");
    }

    #[test]
    fn what_is_proven_wrong_fails_whatever_is_not_told() {
        let untold = AccessToken {
            expires_at: None,
            ..used(None, None)
        };
        assert_eq!(verdict(untold), "fail");
        let both = facts(seen(vec![used(None, None), may(&["api"])]));
        assert_eq!(verdict_of(&AccessTokensLimited::default(), &both), "fail");
        let control = AccessTokensLimited::default();
        assert_eq!(verdict_of(&control, &facts(hidden())), "unknown");
    }

    #[test]
    fn longer_times_and_more_scopes_are_weaker() {
        let base = AccessTokensLimited::default();
        let weaker = |change: fn(&mut AccessTokensLimited)| {
            let mut other = AccessTokensLimited::default();
            change(&mut other);
            (
                other.weaker_than(&base).is_some(),
                base.weaker_than(&other).is_none(),
            )
        };
        assert_eq!(weaker(|other| other.max_days = 400), (true, true));
        assert_eq!(weaker(|other| other.unused_days = 91), (true, true));
        assert_eq!(
            weaker(|other| other.scopes.push("api".to_owned())),
            (true, true)
        );
    }
}
