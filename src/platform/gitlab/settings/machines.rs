//! Keys, tokens and hooks, of a project or of a group: GitLab gives both in the
//! same shape. No secret is in the shapes, so none can be kept.

use serde::Deserialize;
use url::Url;

use crate::facts::{AccessRole, AccessToken, DeployKey, Fact, Source, Unknown, Webhook, Why};

use super::super::left_out;
use super::super::wire::{Pages, Read, User, day, list, present};

/// The role behind a level. One that this version does not know counts as the strongest.
pub(super) fn role(level: u32) -> AccessRole {
    match level {
        0 => AccessRole::None,
        5 | 10 | 15 | 20 => AccessRole::Read,
        30 => AccessRole::Write,
        // Maintainers change protected branches, so they are administrators here.
        40 | 50 | 60 => AccessRole::Admin,
        other => AccessRole::Other(format!("level {other}")),
    }
}

#[derive(Deserialize)]
struct WireKey {
    title: Option<String>,
    can_push: Option<bool>,
    created_at: Option<String>,
    expires_at: Option<String>,
    last_used_at: Option<String>,
}

/// Deploy keys.
pub(super) fn keys(fact: &str, needs: &str, pages: &Pages) -> Fact<Vec<DeployKey>> {
    translated(list(fact, needs, pages), |keys: Vec<WireKey>, sources| {
        keys.into_iter()
            .map(|key| {
                Ok(DeployKey {
                    title: key.title.unwrap_or_default(),
                    can_write: key
                        .can_push
                        .ok_or_else(|| left_out(fact, "can_push", sources))?,
                    created_at: day(key.created_at.as_deref()),
                    last_used: day(key.last_used_at.as_deref()),
                    expires_at: day(key.expires_at.as_deref()),
                })
            })
            .collect()
    })
}

#[derive(Deserialize)]
struct WireToken {
    name: Option<String>,
    description: Option<String>,
    owner: Option<User>,
    scopes: Option<Vec<String>>,
    access_level: Option<u32>,
    created_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
    last_used_at: Option<String>,
    last_used: Option<String>,
    active: Option<bool>,
    revoked: Option<bool>,
    expired: Option<bool>,
}

/// What kind of token a list holds.
#[derive(Clone, Copy)]
pub(super) enum TokenKind {
    /// Of a project: its own account with a role.
    Project,
    /// Of a group.
    Group,
    /// For packages and clones.
    Deploy,
    /// Starts pipelines. Older servers let it never end, and say nothing of an end.
    Trigger,
}

impl TokenKind {
    fn word(self) -> &'static str {
        match self {
            Self::Project => "project access token",
            Self::Group => "group access token",
            Self::Deploy => "deploy token",
            Self::Trigger => "trigger token",
        }
    }
}

/// Tokens that still work, out of several lists. A list that cannot be read
/// makes the whole unknown.
pub(super) fn tokens(
    fact: &str,
    needs: &str,
    lists: &[(TokenKind, &Pages)],
) -> Fact<Vec<AccessToken>> {
    let mut all = Vec::new();
    let mut sources = Vec::new();
    for (kind, pages) in lists {
        let read: Read<Vec<WireToken>> = list(fact, needs, pages);
        let (rows, at) = match read {
            Ok(read) => read,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        for row in rows {
            match token(fact, *kind, row, &at) {
                Ok(Some(token)) => all.push(token),
                Ok(None) => {}
                Err(unknown) => return Fact::Unknown(unknown),
            }
        }
        sources.extend(at);
    }
    all.sort();
    Fact::seen_in(all, sources)
}

/// `None`: it does not work any more.
fn token(
    fact: &str,
    kind: TokenKind,
    row: WireToken,
    sources: &[Source],
) -> Result<Option<AccessToken>, Unknown> {
    if row.revoked == Some(true) || row.expired == Some(true) || row.active == Some(false) {
        return Ok(None);
    }
    let missing = |field| left_out(fact, field, sources);
    let ends = match (kind, row.expires_at) {
        (_, Some(ends)) => ends,
        (TokenKind::Trigger, None) => None,
        (TokenKind::Project | TokenKind::Group | TokenKind::Deploy, None) => {
            return Err(missing("expires_at"));
        }
    };
    let scopes = match (kind, row.scopes) {
        (_, Some(scopes)) => scopes,
        (TokenKind::Trigger, None) => vec!["start pipelines".to_owned()],
        (TokenKind::Project | TokenKind::Group | TokenKind::Deploy, None) => {
            return Err(missing("scopes"));
        }
    };
    let role = match (kind, row.access_level) {
        (_, Some(level)) => Some(role(level)),
        (TokenKind::Deploy | TokenKind::Trigger, None) => None,
        (TokenKind::Project | TokenKind::Group, None) => return Err(missing("access_level")),
    };
    Ok(Some(AccessToken {
        kind: kind.word().to_owned(),
        name: row.name.or(row.description).unwrap_or_default(),
        owner: row.owner.and_then(|owner| owner.username),
        scopes,
        role,
        created_at: day(row.created_at.as_deref()),
        // An end that cannot be read is no end.
        expires_at: day(ends.as_deref()),
        last_used: day(row.last_used_at.or(row.last_used).as_deref()),
    }))
}

#[derive(Deserialize)]
struct WireHook {
    url: Option<String>,
    enable_ssl_verification: Option<bool>,
    token_present: Option<bool>,
    signing_token_present: Option<bool>,
    alert_status: Option<String>,
}

/// Webhooks.
pub(super) fn hooks(fact: &str, needs: &str, pages: &Pages) -> Fact<Vec<Webhook>> {
    translated(list(fact, needs, pages), |hooks: Vec<WireHook>, sources| {
        hooks
            .into_iter()
            .map(|hook| webhook(fact, &hook, sources))
            .collect()
    })
}

fn webhook(fact: &str, hook: &WireHook, sources: &[Source]) -> Result<Webhook, Unknown> {
    let address = hook
        .url
        .as_deref()
        .ok_or_else(|| left_out(fact, "url", sources))?;
    let (target, host, https) = target(address);
    let secret = match (hook.token_present, hook.signing_token_present) {
        (Some(true), _) | (_, Some(true)) => Fact::seen_in(true, sources.to_vec()),
        (Some(false), _) => Fact::seen_in(false, sources.to_vec()),
        (None, Some(false) | None) => Fact::Unknown(Unknown::new(
            fact,
            Why::NotSupported,
            "this server does not say whether a webhook has a secret",
        )),
    };
    Ok(Webhook {
        target,
        host,
        https,
        verifies_tls: match hook.enable_ssl_verification {
            Some(verified) => Fact::seen_in(verified, sources.to_vec()),
            None => Fact::Unknown(left_out(fact, "enable_ssl_verification", sources)),
        },
        has_secret: secret,
        active: hook.alert_status.as_deref() != Some("disabled"),
    })
}

/// Scheme, host and port of an address, its host alone, and whether it is TLS.
/// The rest of an address may hold a secret. One that cannot be read, such as
/// one whose start GitLab masks, counts as not encrypted.
fn target(address: &str) -> (String, String, bool) {
    let Ok(url) = Url::parse(address) else {
        return (String::new(), String::new(), false);
    };
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let https = url.scheme() == "https" && !host.is_empty();
    (format!("{}://{host}{port}", url.scheme()), host, https)
}

fn translated<W, T>(
    read: Read<Vec<W>>,
    of: impl FnOnce(Vec<W>, &[Source]) -> Result<Vec<T>, Unknown>,
) -> Fact<Vec<T>> {
    match read {
        Ok((rows, sources)) => match of(rows, &sources) {
            Ok(all) => Fact::seen_in(all, sources),
            Err(unknown) => Fact::Unknown(unknown),
        },
        Err(unknown) => Fact::Unknown(unknown),
    }
}

#[cfg(test)]
mod tests;
