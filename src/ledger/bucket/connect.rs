//! The client for a bucket: whom it trusts, through which proxy, how long it waits. It takes
//! nothing from the process's environment and asks no machine's metadata service for keys.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::client::{HttpClient, HttpConnector};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::redirect::Policy;

use super::place::{Access, BucketPlace, is_this_machine};

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a whole request.
const TIMEOUT: Duration = Duration::from_secs(60);
/// After the first try of a request.
const MOST_RETRIES: usize = 3;
const LAST_RETRY_AFTER: Duration = Duration::from_secs(60);

pub(super) fn connect(place: &BucketPlace) -> anyhow::Result<AmazonS3> {
    let client = client(place)?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(place.bucket())
        .with_region(place.region()?)
        // Also what a bucket with object lock demands of every upload.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_http_connector(Connector(client))
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: MOST_RETRIES,
            retry_timeout: LAST_RETRY_AFTER,
        });
    if let Some(endpoint) = place.endpoint() {
        builder = builder
            .with_endpoint(endpoint.as_str())
            .with_allow_http(endpoint.scheme() == "http");
    }
    builder = match place.access()? {
        Access::Keys {
            id,
            secret,
            session,
        } => {
            let builder = builder
                .with_access_key_id(id)
                .with_secret_access_key(secret);
            match session {
                Some(session) => builder.with_token(session),
                None => builder,
            }
        }
        Access::WebIdentity {
            role,
            token_file,
            session,
            service,
        } => {
            let file = token_file.to_str();
            let file = file.context("`AWS_WEB_IDENTITY_TOKEN_FILE` is no UTF-8")?;
            let builder = builder
                .with_config(AmazonS3ConfigKey::RoleArn, role)
                .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, file)
                .with_config(AmazonS3ConfigKey::RoleSessionName, session);
            match service {
                Some(service) => builder.with_config(
                    AmazonS3ConfigKey::StsEndpoint,
                    service.as_str().trim_end_matches('/'),
                ),
                None => builder,
            }
        }
    };
    builder
        .build()
        .map_err(|_| anyhow!("the client for {place} cannot be set up"))
}

fn client(place: &BucketPlace) -> anyhow::Result<reqwest::Client> {
    let here = place.endpoint().is_some_and(is_this_machine);
    // Without it the system's variables would be asked.
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .no_gzip()
        .user_agent(concat!("ccgate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false);
    let plain = place
        .endpoint()
        .is_some_and(|endpoint| endpoint.scheme() == "http");
    builder = match &place.tls {
        Some(tls) => builder.tls_backend_preconfigured(tls.clone()),
        None if plain => builder.tls_backend_preconfigured(nobody()?),
        None => {
            return Err(anyhow!(
                "{place} is reached by TLS, and nobody said whom to trust"
            ));
        }
    };
    builder = builder.https_only(!plain);
    if let Some(proxy) = place.proxy().filter(|_| !here) {
        let not_for = proxy.not_for.as_deref().unwrap_or_default();
        let proxy = reqwest::Proxy::https(proxy.address.as_str())
            .map_err(|_| anyhow!("`HTTPS_PROXY` is no address of a proxy"))?
            .no_proxy(reqwest::NoProxy::from_string(not_for));
        builder = builder.proxy(proxy);
    }
    builder
        .build()
        .map_err(|_| anyhow!("the HTTP client for {place} cannot be set up"))
}

/// Trust in nobody, for connections that are not encrypted.
fn nobody() -> anyhow::Result<rustls::ClientConfig> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("cannot set up TLS")?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

/// Hands out our client for everything, whatever options are asked for.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Run by the next test in another process as well, with the usual variables set.
    #[test]
    fn without_credentials_that_were_handed_in_nothing_is_asked() {
        let mut place =
            BucketPlace::parse("s3://acme-evidence/app?endpoint=http://127.0.0.1:9").unwrap();
        let error = format!("{:#}", connect(&place).unwrap_err());
        assert!(error.contains("AWS_ACCESS_KEY_ID"), "{error}");
        place
            .equip(&|name| {
                name.starts_with("AWS_")
                    .then(|| "handed-in".to_owned())
                    .filter(|_| name.contains("KEY"))
            })
            .unwrap();
        let made = connect(&place).unwrap();
        let runtime = super::super::super::waiting::Waiting::new().unwrap();
        let keys = runtime
            .run(made.credentials().get_credential())
            .unwrap()
            .unwrap();
        assert_eq!((keys.key_id.as_str(), &keys.token), ("handed-in", &None));
    }

    #[test]
    fn the_process_environment_is_not_looked_at() {
        let own = "ledger::bucket::connect::tests::without_credentials_that_were_handed_in_nothing_is_asked";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", own])
            .envs(
                [
                    "AWS_ACCESS_KEY_ID",
                    "AWS_SECRET_ACCESS_KEY",
                    "AWS_SESSION_TOKEN",
                    "AWS_REGION",
                ]
                .map(|name| (name, "of-the-process")),
            )
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && told.contains("1 passed"),
            "{told}"
        );
    }

    #[test]
    fn an_encrypted_connection_needs_somebody_to_trust() {
        let mut place = BucketPlace::parse("s3://acme-evidence/app?region=eu-north-1").unwrap();
        place
            .equip(&|name| name.contains("ACCESS_KEY").then(|| "k".to_owned()))
            .unwrap();
        let error = format!("{:#}", connect(&place).unwrap_err());
        assert!(error.contains("whom to trust"), "{error}");
        place.tls = Some(nobody().unwrap());
        assert!(connect(&place).is_ok());
    }
}
