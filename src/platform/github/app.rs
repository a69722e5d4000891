//! From an App's key to a token for one owner's repositories: the App proves
//! itself with a short-lived signed claim, finds its installation, and asks for
//! a token that reaches no further than needed. Knows no facts.
//!
//! <https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app>

use std::fmt;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::Setup;
use super::super::access;
use super::super::transport::{NoAnswer, Token, Transport};
use super::client::Client;

/// How long the claim holds; the platform takes at most ten minutes.
const LIFETIME: SignedDuration = SignedDuration::from_mins(9);
/// How far the claim is dated back, since clocks differ.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Everything that is ever read with an App's token. Of what the installation
/// grants, only these are asked for, and each for reading only.
const READ: [&str; 21] = [
    "actions",
    "administration",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "environments",
    "issues",
    "members",
    "metadata",
    "organization_administration",
    "organization_hooks",
    "organization_personal_access_tokens",
    "organization_secrets",
    "pull_requests",
    "repository_hooks",
    "secret_scanning_alerts",
    "secrets",
    "security_events",
    "statuses",
    "vulnerability_alerts",
];

/// The one right that stays as it was granted: the platform hides bypass lists
/// from whoever may not write rulesets.
const AS_GRANTED: &str = "administration";

/// An App's id and private key. It has no readable `Debug`.
pub struct AppKey {
    id: String,
    key: RsaKeyPair,
}

impl AppKey {
    /// Reads the key in the form in which the platform hands it out (PEM, PKCS #1) or
    /// in PKCS #8.
    ///
    /// # Errors
    /// What is wrong with id or key, never quoting the key.
    pub fn new(id: &str, pem: &str) -> anyhow::Result<Self> {
        ensure!(
            !id.is_empty()
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'),
            "the App's id is a number or a client id, e.g. `123456`"
        );
        // Variables of CI systems often carry the line breaks as `\n`.
        let pem = pem.replace("\\n", "\n");
        let key = if let Ok(der) = PrivatePkcs1KeyDer::from_pem_slice(pem.as_bytes()) {
            RsaKeyPair::from_der(der.secret_pkcs1_der()).ok()
        } else if let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()) {
            RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()
        } else {
            None
        };
        Ok(Self {
            id: id.to_owned(),
            // The reason is not passed on: it could quote the key.
            key: key.context(
                "the App's private key is no RSA key in PEM form; use the file that GitHub gave out",
            )?,
        })
    }

    /// The signed claim (JWT, RS256).
    fn claim(&self, now: Timestamp) -> anyhow::Result<String> {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = encode(&json!({"alg": "RS256", "typ": "JWT"}));
        let body = encode(&json!({
            "iat": now.saturating_sub(SKEW).unwrap_or(now).as_second(),
            "exp": now.saturating_add(LIFETIME).unwrap_or(now).as_second(),
            "iss": self.id,
        }));
        let message = format!("{head}.{body}");
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .ok()
            .context("the App's key cannot sign")?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppKey({}, …)", self.id)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Installation {
    id: Option<u64>,
    permissions: Option<Map<String, Value>>,
    suspended_at: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Minted {
    token: Option<String>,
}

/// A token of the App for these repositories of one owner (`owner/name`), for
/// reading. Two requests.
///
/// # Errors
/// Which step failed and what the platform said.
pub async fn app_token(
    setup: &Setup,
    key: &AppKey,
    repositories: &[String],
) -> anyhow::Result<Token> {
    let first = repositories
        .first()
        .and_then(|repository| repository.split_once('/'))
        .context("an App's token is for a repository, and none is named")?;
    let transport = Transport::new(
        setup.ca_bundle.as_deref(),
        setup.limits,
        &setup.program,
        &setup.place.api,
    )?;
    let claim = Token::new(key.claim(setup.now)?);
    let client = Client::new(&setup.place, &claim, &transport)?;
    let path = format!(
        "/repos/{}/{}/installation",
        access::encode(first.0),
        access::encode(first.1)
    );
    let answer = client.get(&path).await.map_err(|no| {
        said(
            &no,
            "the App is not installed here, or its id or key is wrong",
        )
    })?;
    let installation: Installation = answer.json().map_err(anyhow::Error::msg)?;
    ensure!(
        installation.suspended_at.is_none(),
        "the App's installation is suspended"
    );
    let id = installation
        .id
        .context("the platform did not name the App's installation")?;
    let names: Vec<&str> = repositories
        .iter()
        .filter_map(|repository| repository.split_once('/'))
        .map(|(_, name)| name)
        .collect();
    let body = json!({
        "repositories": names,
        "permissions": narrowed(&installation.permissions.unwrap_or_default()),
    });
    let answer = client
        .post(&format!("/app/installations/{id}/access_tokens"), &body)
        .await
        .map_err(|no| said(&no, "the App's token was refused"))?;
    let minted: Minted = answer.json().map_err(anyhow::Error::msg)?;
    let token = minted
        .token
        .context("the platform answered without the App's token")?;
    Ok(Token::new(token))
}

/// What is asked for: never more than was granted, never a write that is not needed.
fn narrowed(granted: &Map<String, Value>) -> Map<String, Value> {
    granted
        .iter()
        .filter(|(name, _)| READ.contains(&name.as_str()))
        .map(|(name, level)| {
            let level = if name == AS_GRANTED {
                level.clone()
            } else {
                Value::from("read")
            };
            (name.clone(), level)
        })
        .collect()
}

fn said(no_answer: &NoAnswer, what: &str) -> anyhow::Error {
    match no_answer {
        NoAnswer::Status(answer) => anyhow::anyhow!(
            "{what}: {} answered {}{}",
            answer.endpoint,
            answer.status,
            match answer.message() {
                message if message.is_empty() => String::new(),
                message => format!(" `{message}`"),
            }
        ),
        NoAnswer::Transport(error) => anyhow::anyhow!("{what}: {error}"),
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
