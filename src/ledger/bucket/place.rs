//! Addresses of ledgers in buckets, and what it takes to reach one. Reads no environment: what
//! the usual variables say is asked of whoever opens the ledger.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use rustls::ClientConfig;
use url::{Host, Url};

/// Where nobody names a region and the endpoint is not Amazon's.
const USUAL_REGION: &str = "us-east-1";

/// A bucket, the place in it, and how to reach it.
#[derive(Clone)]
pub struct BucketPlace {
    bucket: String,
    /// Without slashes at its ends; may be empty.
    prefix: String,
    region: Option<String>,
    endpoint: Option<Url>,
    access: Option<Access>,
    proxy: Option<Proxy>,
    /// Whom to trust on encrypted connections. Without it there are none: an `https` endpoint is refused.
    pub tls: Option<ClientConfig>,
}

/// As whom the bucket is asked. Nothing of it is readable.
#[derive(Clone)]
pub(super) enum Access {
    Keys {
        id: String,
        secret: String,
        session: Option<String>,
    },
    /// A token of the job is changed into keys by the security token service (OIDC).
    WebIdentity {
        role: String,
        token_file: PathBuf,
        session: String,
        service: Option<Url>,
    },
}

/// A proxy, whose address may hold a password.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) address: String,
    /// Hosts that are reached without it, as in `NO_PROXY`.
    pub(super) not_for: Option<String>,
}

impl BucketPlace {
    /// Reads `s3://BUCKET/PREFIX?region=…&endpoint=…`; all but the bucket may be left out.
    pub(in super::super) fn parse(address: &str) -> anyhow::Result<Self> {
        const FORM: &str = "write `s3://BUCKET/PREFIX?region=REGION&endpoint=https://HOST`";
        // Not repeated in a message: it could be a password.
        ensure!(
            !address.contains('@'),
            "the ledger's address holds a user or a password; leave it out and set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`"
        );
        let rest = address
            .strip_prefix("s3://")
            .with_context(|| format!("this is no address of a bucket; {FORM}"))?;
        ensure!(
            rest.bytes().all(|byte| byte.is_ascii_graphic()) && !rest.contains('#'),
            "the ledger's address holds a character that none may hold; {FORM}"
        );
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        ensure!(
            is_bucket(bucket),
            "the name of the bucket has 3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends; {FORM}"
        );
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        ensure!(
            prefix.is_empty() || prefix.len() <= 500 && prefix.split('/').all(is_part),
            "the place in the bucket may hold letters, digits, `.`, `_`, `-` and `/` only, and no part of it may be empty, `.` or `..`; {FORM}"
        );
        let mut place = Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            region: None,
            endpoint: None,
            access: None,
            proxy: None,
            tls: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "region" if place.region.is_none() => place.region = Some(region(&value)?),
                "endpoint" if place.endpoint.is_none() => {
                    place.endpoint = Some(endpoint(&value).context("`endpoint`")?);
                }
                // Not repeated either: somebody may have written a key here.
                _ => bail!(
                    "the ledger's address may say `region` and `endpoint`, each once, and nothing else; {FORM}"
                ),
            }
        }
        Ok(place)
    }

    /// Takes what the address leaves open from the variables that Amazon's own tools read:
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, keys
    /// (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`) or a role
    /// (`AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_SESSION_NAME`,
    /// `AWS_ENDPOINT_URL_STS`), and a proxy (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// Which of them cannot be used. No value is repeated.
    pub fn equip(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<()> {
        let first = |names: &[&'static str]| {
            names
                .iter()
                .find_map(|name| Some((*name, variable(name).filter(|value| !value.is_empty())?)))
        };
        if self.region.is_none()
            && let Some((name, value)) = first(&["AWS_REGION", "AWS_DEFAULT_REGION"])
        {
            self.region = Some(region(&value).with_context(|| format!("`{name}`"))?);
        }
        if self.endpoint.is_none()
            && let Some((name, value)) = first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
        {
            self.endpoint = Some(endpoint(&value).with_context(|| format!("`{name}`"))?);
        }
        let one = |name| first(&[name]).map(|(_, value)| value);
        let keys = (one("AWS_ACCESS_KEY_ID"), one("AWS_SECRET_ACCESS_KEY"));
        let role = (one("AWS_ROLE_ARN"), one("AWS_WEB_IDENTITY_TOKEN_FILE"));
        self.access = match (keys, role) {
            ((Some(id), Some(secret)), _) => Some(Access::Keys {
                id: plain("AWS_ACCESS_KEY_ID", id)?,
                secret: plain("AWS_SECRET_ACCESS_KEY", secret)?,
                session: one("AWS_SESSION_TOKEN")
                    .map(|token| plain("AWS_SESSION_TOKEN", token))
                    .transpose()?,
            }),
            ((Some(_), None), _) => bail!("`AWS_SECRET_ACCESS_KEY` is not set"),
            ((None, Some(_)), _) => bail!("`AWS_ACCESS_KEY_ID` is not set"),
            (_, (Some(role), Some(file))) => Some(Access::WebIdentity {
                role: plain("AWS_ROLE_ARN", role)?,
                token_file: file.into(),
                session: one("AWS_ROLE_SESSION_NAME").map_or_else(
                    || Ok("ccgate".to_owned()),
                    |name| plain("AWS_ROLE_SESSION_NAME", name),
                )?,
                service: one("AWS_ENDPOINT_URL_STS")
                    .map(|url| endpoint(&url).context("`AWS_ENDPOINT_URL_STS`"))
                    .transpose()?,
            }),
            _ => None,
        };
        self.proxy =
            first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).map(|(_, address)| {
                Proxy {
                    address,
                    not_for: first(&["NO_PROXY", "no_proxy"]).map(|(_, hosts)| hosts),
                }
            });
        Ok(())
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn endpoint(&self) -> Option<&Url> {
        self.endpoint.as_ref()
    }

    /// The region, which Amazon's own endpoint needs.
    pub(super) fn region(&self) -> anyhow::Result<&str> {
        match (&self.region, &self.endpoint) {
            (Some(region), _) => Ok(region),
            (None, Some(_)) => Ok(USUAL_REGION),
            (None, None) => bail!(
                "{self} lacks the region of its bucket; write `?region=REGION` behind it or set `AWS_REGION`"
            ),
        }
    }

    pub(super) fn access(&self) -> anyhow::Result<&Access> {
        self.access.as_ref().with_context(|| {
            format!(
                "there are no credentials for {self}; set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`"
            )
        })
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }
}

impl fmt::Display for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// Keys, tokens and a proxy's password are not shown.
impl fmt::Debug for BucketPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BucketPlace({self}, …)")
    }
}

fn is_bucket(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| plain(byte) || b"-.".contains(&byte))
        && [name.bytes().next(), name.bytes().next_back()]
            .into_iter()
            .all(|end| end.is_some_and(plain))
        && !name.contains("..")
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part != "."
        && part != ".."
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

fn region(name: &str) -> anyhow::Result<String> {
    ensure!(
        !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
        "a region may hold letters, digits and `-` only"
    );
    Ok(name.to_owned())
}

/// A server: `https`, or `http` of this machine; no user, no path, nothing behind it.
fn endpoint(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text)
        .ok()
        .context("an endpoint is written `https://HOST`")?;
    ensure!(
        url.username().is_empty() && url.password().is_none(),
        "an endpoint may hold no user and no password"
    );
    ensure!(
        url.path() == "/" && url.query().is_none() && url.fragment().is_none(),
        "an endpoint is a server without a path; write `https://HOST`"
    );
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        _ => bail!("an endpoint is reached by `https`, and by plain `http` on this machine only"),
    }
}

pub(super) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What a header can carry. The value is not repeated.
fn plain(name: &str, value: String) -> anyhow::Result<String> {
    ensure!(
        value.bytes().all(|byte| byte.is_ascii_graphic()),
        "`{name}` holds a space or a line break; set it again without them"
    );
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equipped(variables: &[(&str, &str)]) -> anyhow::Result<BucketPlace> {
        let mut place = BucketPlace::parse("s3://acme-evidence/app")?;
        place.equip(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })?;
        Ok(place)
    }

    #[test]
    fn an_address_names_bucket_place_region_and_endpoint() {
        let place = BucketPlace::parse(
            "s3://acme-evidence/ledgers/app/?region=eu-north-1&endpoint=https%3A%2F%2Fs3.acme.example",
        )
        .unwrap();
        assert_eq!(place.to_string(), "s3://acme-evidence/ledgers/app");
        assert_eq!(place.region().unwrap(), "eu-north-1");
        assert_eq!(
            place.endpoint().unwrap().as_str(),
            "https://s3.acme.example/"
        );
        let bare = BucketPlace::parse("s3://acme-evidence").unwrap();
        assert_eq!(bare.prefix(), "");
        assert!(bare.region().is_err(), "Amazon's endpoint needs one");
    }

    #[test]
    fn an_address_that_could_mean_something_else_is_refused_and_not_repeated() {
        for bad in [
            "s3:bucket/x",
            "s3://",
            "s3://ab",
            "s3://Bucket/x",
            "s3://-bucket/x",
            "s3://bucket-/x",
            "s3://buc..ket/x",
            "s3://bucket//x",
            "s3://bucket/../x",
            "s3://bucket/x/./y",
            "s3://bucket/x y",
            "s3://bucket/x#y",
            "s3://bucket/%2e%2e",
            "s3://bucket/é",
            "s3://user:hunter2@bucket/x",
            "s3://bucket/x?secret=hunter2",
            "s3://bucket/x?region=a&region=b",
            "s3://bucket/x?region=a/b",
            "s3://bucket/x?endpoint=http://s3.acme.example",
            "s3://bucket/x?endpoint=http://127.0.0.1.acme.example",
            "s3://bucket/x?endpoint=ftp://127.0.0.1",
            "s3://bucket/x?endpoint=https://acme.example/path",
            "s3://bucket/x?endpoint=https://acme.example/?hunter2",
        ] {
            let error = format!("{:#}", BucketPlace::parse(bad).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
        for good in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://localhost",
        ] {
            assert!(BucketPlace::parse(&format!("s3://bucket/x?endpoint={good}")).is_ok());
        }
    }

    #[test]
    fn what_the_address_says_goes_before_the_environment() {
        let mut place =
            BucketPlace::parse("s3://bucket/x?region=a-1&endpoint=https://one.example").unwrap();
        place
            .equip(&|name| match name {
                "AWS_REGION" => Some("b-2".to_owned()),
                "AWS_ENDPOINT_URL_S3" => Some("https://two.example".to_owned()),
                _ => None,
            })
            .unwrap();
        assert_eq!(place.region().unwrap(), "a-1");
        assert_eq!(place.endpoint().unwrap().as_str(), "https://one.example/");
        let place = equipped(&[
            ("AWS_ENDPOINT_URL", "https://all.example"),
            ("AWS_ENDPOINT_URL_S3", "https://s3.example"),
        ])
        .unwrap();
        assert_eq!(place.endpoint().unwrap().as_str(), "https://s3.example/");
    }

    #[test]
    fn half_a_pair_of_keys_is_refused_and_a_role_stands_in_for_both() {
        assert!(equipped(&[("AWS_ACCESS_KEY_ID", "id")]).is_err());
        assert!(equipped(&[("AWS_SECRET_ACCESS_KEY", "hunter2")]).is_err());
        assert!(
            equipped(&[("AWS_ROLE_ARN", "role")])
                .unwrap()
                .access()
                .is_err()
        );
        let role = [
            ("AWS_ROLE_ARN", "role"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
        ];
        let place = equipped(&role).unwrap();
        assert!(matches!(place.access(), Ok(Access::WebIdentity { .. })));
        assert!(
            equipped(&[("AWS_ENDPOINT_URL", "http://acme.example")]).is_err(),
            "plain http"
        );
    }

    #[test]
    fn no_secret_shows_in_a_message_or_in_debug() {
        let secrets = [
            ("AWS_ACCESS_KEY_ID", "hunter1"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_SESSION_TOKEN", "hunter3"),
            ("HTTPS_PROXY", "http://user:hunter4@proxy.example"),
        ];
        let place = equipped(&secrets).unwrap();
        for shown in [format!("{place:?}"), place.to_string()] {
            assert!(!shown.contains("hunter"), "{shown}");
        }
        for (name, _) in &secrets[..3] {
            let mut broken = secrets.to_vec();
            broken.retain(|(known, _)| known != name);
            broken.push((name, "hunter\r\nx: y"));
            let error = format!("{:#}", equipped(&broken).unwrap_err());
            assert!(error.contains(name) && !error.contains("hunter"), "{error}");
        }
    }
}
