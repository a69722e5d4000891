//! TLS: whom to trust, and with which cryptography. Always ring: the first
//! handshake of a process with aws-lc costs about 30 ms of CPU, with ring 0.3 ms.

use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

/// The configuration for one API. `ca_bundle` (PEM) means: these roots and no others.
/// The system's store is read only for an https host that is not one of the two clouds.
pub(super) fn client_config(ca_bundle: Option<&[u8]>, api: &Url) -> anyhow::Result<ClientConfig> {
    let roots = match ca_bundle {
        Some(pem) => from_bundle(pem)?,
        None => usual(api.scheme() == "https" && !is_cloud(api)),
    };
    config(roots)
}

/// The roots compiled in, and those of the system's store where it is wanted.
fn usual(system: bool) -> RootCertStore {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if system {
        // Errors in single files are not fatal: what is not read is not trusted.
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
    }
    roots
}

fn config(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("cannot set up TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The same for a server that is no platform's: a ledger's. It may be anybody's.
///
/// # Errors
/// A bundle without a certificate that can be used.
#[cfg(feature = "s3")]
pub fn trust(ca_bundle: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let roots = match ca_bundle {
        Some(pem) => from_bundle(pem)?,
        None => usual(true),
    };
    config(roots)
}

/// Whether the roots compiled in are known to be enough.
fn is_cloud(api: &Url) -> bool {
    api.host_str().is_some_and(|host| {
        ["github.com", "gitlab.com"].iter().any(|cloud| {
            host.strip_suffix(cloud)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    })
}

fn from_bundle(pem: &[u8]) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| {
            anyhow::anyhow!("the bundle of certificate authorities is not valid PEM: {error}; check SSL_CERT_FILE")
        })?;
        roots.add(certificate).map_err(|error| {
            anyhow::anyhow!("the bundle of certificate authorities holds a certificate that cannot be used: {error}; check SSL_CERT_FILE")
        })?;
    }
    anyhow::ensure!(
        !roots.is_empty(),
        "the bundle of certificate authorities holds no certificate; check SSL_CERT_FILE"
    );
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_an_error_and_not_trust_in_everything() {
        let api = Url::parse("https://ghe.example/api/v3").unwrap();
        for bundle in [
            &b""[..],
            b"hello",
            b"-----BEGIN CERTIFICATE-----\nnope\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
        ] {
            let error = client_config(Some(bundle), &api).unwrap_err();
            assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
        }
    }

    #[test]
    fn the_clouds_are_known_by_host_and_not_by_a_look_alike() {
        let cloud = |url: &str| is_cloud(&Url::parse(url).unwrap());
        assert!(cloud("https://api.github.com"));
        assert!(cloud("https://gitlab.com/api/v4"));
        assert!(!cloud("https://evilgithub.com"));
        assert!(!cloud("https://github.com.evil.example"));
    }

    #[test]
    fn both_http_versions_are_offered_and_the_provider_is_ring() {
        let config = client_config(None, &Url::parse("https://api.github.com").unwrap()).unwrap();
        assert_eq!(
            config.alpn_protocols,
            [b"h2".to_vec(), b"http/1.1".to_vec()]
        );
        let provider = format!("{:?}", config.crypto_provider().secure_random);
        assert!(provider.to_lowercase().contains("ring"), "{provider}");
    }
}
