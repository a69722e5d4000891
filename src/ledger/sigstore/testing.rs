//! A Sigstore of our own for tests: an authority, a log of certificates and a transparency log
//! with fixed keys, and bundles by them. Nothing of it is random, and no key is used elsewhere.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::dir::DirStore;
use super::super::{Leaf, Store as _, torture};
use super::SigstoreTrust;

pub(crate) const IDENTITY: &str =
    "https://forge.test/acme/audit/.github/workflows/witness.yml@refs/heads/main";
pub(crate) const ISSUER: &str = "https://tokens.forge.test";
/// When all bundles were signed. The verifier looks at the machine's clock, so it is long ago.
pub(crate) const SIGNED: u64 = 1_590_998_400;
pub(crate) const SIGNED_AT: &str = "2020-06-01T08:00:00Z";

/// Numbers of object identifiers, as they are encoded.
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];
const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const OIDC_ISSUER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];
const EMBEDDED_SCTS: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

/// A ledger of three records in a folder, older than any bundle, with signed notes of one and of
/// three of them; the newest note.
pub(crate) fn signed_ledger(folder: &Path) -> Vec<u8> {
    let mut store = DirStore::new(folder, torture::ORIGIN, Some(torture::signer()));
    for numbers in [0..1, 1..3] {
        let leaves: Vec<Leaf> = numbers
            .map(|number| {
                let mut statement = torture::statement(number);
                statement["predicate"]["observed_at"] = json!("2020-06-01T07:50:00Z");
                Leaf::new(&statement).unwrap()
            })
            .collect();
        store.append(&leaves).unwrap();
    }
    std::fs::read(folder.join("log/checkpoint")).unwrap()
}

/// The right names, under a root.
pub(crate) fn trusting(root: Option<&[u8]>) -> anyhow::Result<SigstoreTrust> {
    SigstoreTrust::new(&[IDENTITY.to_owned()], ISSUER, root)
}

/// The authorities of one instance.
pub(crate) struct Sigstore {
    authority: SigningKey,
    certificate_log: SigningKey,
    log: SigningKey,
}

/// What a bundle is to say, right in all but what a test changes.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) identity: &'static str,
    pub(crate) issuer: &'static str,
    /// An attestation about the note instead of a signature of it.
    pub(crate) attestation: bool,
    /// The log's promise, which tells the time.
    pub(crate) promise: bool,
    /// When the log took it in, in seconds since 1970.
    pub(crate) logged: u64,
    pub(crate) code_signing: bool,
    pub(crate) certificate_logged: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            identity: IDENTITY,
            issuer: ISSUER,
            attestation: false,
            promise: true,
            logged: SIGNED,
            code_signing: true,
            certificate_logged: true,
        }
    }
}

impl Sigstore {
    /// One of as many instances as there are numbers.
    pub(crate) fn new(number: u8) -> Self {
        let key = |kind: u8| {
            let mut seed = [kind; 32];
            seed[31] = number;
            SigningKey::from_slice(&seed).unwrap()
        };
        Self {
            authority: key(1),
            certificate_log: key(2),
            log: key(3),
        }
    }

    pub(crate) fn trust(&self) -> SigstoreTrust {
        trusting(Some(self.root().as_bytes())).unwrap()
    }

    /// Its `trusted_root.json`.
    pub(crate) fn root(&self) -> String {
        let window = json!({"start": "2020-01-01T00:00:00Z"});
        let log = |url: &str, key: &SigningKey| {
            json!([{
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(public(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": window,
                },
                "logId": {"keyId": STANDARD.encode(Sha256::digest(public(key)))},
            }])
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": log("https://log.test", &self.log),
            "certificateAuthorities": [{
                "subject": {"organization": "acme", "commonName": "authority"},
                "uri": "https://authority.test",
                "certChain": {"certificates": [{"rawBytes": STANDARD.encode(self.own_certificate())}]},
                "validFor": window,
            }],
            "ctlogs": log("https://certificates.test", &self.certificate_log),
            "timestampAuthorities": [],
        })
        .to_string()
    }

    /// A bundle over these bytes that holds.
    pub(crate) fn bundle(&self, note: &[u8]) -> Value {
        self.make(note, &Wanted::default())
    }

    pub(crate) fn make(&self, note: &[u8], wanted: &Wanted) -> Value {
        let signer = SigningKey::from_slice(&[9; 32]).unwrap();
        let certificate = self.certificate(&signer, wanted);
        let digest = Sha256::digest(note);
        let (content, signed, signature, kind) = if wanted.attestation {
            let statement = json!({
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": "checkpoint", "digest": {"sha256": hex::encode(digest)}}],
                "predicateType": "https://acme.test/witnessed/v1",
                "predicate": {},
            })
            .to_string();
            let kind = "application/vnd.in-toto+json";
            let encoded = format!(
                "DSSEv1 {} {kind} {} {statement}",
                kind.len(),
                statement.len()
            );
            let signature = sign(&signer, encoded.as_bytes());
            let envelope = json!({
                "payload": STANDARD.encode(&statement),
                "payloadType": kind,
                "signatures": [{"sig": STANDARD.encode(&signature)}],
            });
            (
                ("dsseEnvelope", envelope),
                statement.into_bytes(),
                signature,
                "dsse",
            )
        } else {
            let signature = sign(&signer, note);
            let message = json!({
                "messageDigest": {"algorithm": "SHA2_256", "digest": STANDARD.encode(digest)},
                "signature": STANDARD.encode(&signature),
            });
            (
                ("messageSignature", message),
                note.to_vec(),
                signature,
                "hashedrekord",
            )
        };
        let pem = pem(&certificate);
        let hash = json!({"algorithm": "sha256", "value": hex::encode(Sha256::digest(&signed))});
        let spec = if wanted.attestation {
            json!({
                "envelopeHash": hash,
                "payloadHash": hash,
                "signatures": [{
                    "signature": STANDARD.encode(&signature),
                    "verifier": STANDARD.encode(pem),
                }],
            })
        } else {
            json!({
                "data": {"hash": hash},
                "signature": {
                    "content": STANDARD.encode(&signature),
                    "publicKey": {"content": STANDARD.encode(pem)},
                },
            })
        };
        let body = json!({"apiVersion": "0.0.1", "kind": kind, "spec": spec}).to_string();
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": STANDARD.encode(&certificate)},
                "tlogEntries": [self.entry(&body, kind, wanted)],
                "timestampVerificationData": {"rfc3161Timestamps": []},
            },
        });
        let (name, content) = content;
        bundle[name] = content;
        bundle
    }

    /// The second of two entries of the log.
    fn entry(&self, body: &str, kind: &str, wanted: &Wanted) -> Value {
        let sibling = [7; 32];
        let leaf = Sha256::digest([&[0], body.as_bytes()].concat());
        let root = Sha256::digest([&[1][..], &sibling, &leaf].concat());
        let id = Sha256::digest(public(&self.log));
        let head = format!("log.test - 1\n2\n{}\n", STANDARD.encode(root));
        let signed = [&id[..4], &sign(&self.log, head.as_bytes())].concat();
        let checkpoint = format!("{head}\n\u{2014} log.test {}\n", STANDARD.encode(signed));
        let body = STANDARD.encode(body);
        let mut entry = json!({
            "logIndex": "1",
            "logId": {"keyId": STANDARD.encode(id)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(sibling)],
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": body,
        });
        if wanted.promise {
            // In canonical form: the names are in order.
            let promised = format!(
                r#"{{"body":"{body}","integratedTime":{},"logID":"{}","logIndex":1}}"#,
                wanted.logged,
                hex::encode(id)
            );
            entry["integratedTime"] = json!(wanted.logged.to_string());
            entry["inclusionPromise"] = json!({
                "signedEntryTimestamp": STANDARD.encode(sign(&self.log, promised.as_bytes())),
            });
        }
        entry
    }

    fn own_certificate(&self) -> Vec<u8> {
        let constraints = sequence(&[&tlv(0x01, &[0xff])]);
        let extensions = extension(BASIC_CONSTRAINTS, true, &constraints);
        let dates = ["200101000000Z", "300101000000Z"];
        certified(
            &self.authority,
            &to_be_signed(&name(), dates, &public(&self.authority), &[extensions]),
        )
    }

    /// The signer's certificate, good for ten minutes.
    fn certificate(&self, signer: &SigningKey, wanted: &Wanted) -> Vec<u8> {
        let usage = if wanted.code_signing {
            CODE_SIGNING
        } else {
            SERVER
        };
        let mut extensions = vec![
            extension(EXTENDED_USAGE, false, &sequence(&[&tlv(0x06, usage)])),
            extension(
                ALTERNATIVE_NAME,
                true,
                &sequence(&[&tlv(0x86, wanted.identity.as_bytes())]),
            ),
            extension(OIDC_ISSUER, false, &tlv(0x0c, wanted.issuer.as_bytes())),
        ];
        let dates = ["200601075500Z", "200601080500Z"];
        let key = public(signer);
        let made = |extensions: &[Vec<u8>]| to_be_signed(&sequence(&[]), dates, &key, extensions);
        if wanted.certificate_logged {
            let precertificate = made(&extensions);
            let stamp = (SIGNED * 1000).to_be_bytes();
            let length = u32::try_from(precertificate.len()).unwrap().to_be_bytes();
            let issuer = Sha256::digest(public(&self.authority));
            // Version 1, of a certificate, of a precertificate by this issuer, nothing more.
            let promised = [
                &[0, 0][..],
                &stamp,
                &[0, 1],
                &issuer,
                &length[1..],
                &precertificate,
                &[0, 0],
            ]
            .concat();
            let signature = sign(&self.certificate_log, &promised);
            let id = Sha256::digest(public(&self.certificate_log));
            let promise = [
                &[0][..],
                &id,
                &stamp,
                &[0, 0],
                &[4, 3],
                &short(signature.len()),
                &signature,
            ]
            .concat();
            let list = [&short(promise.len())[..], &promise].concat();
            let list = [&short(list.len())[..], &list].concat();
            extensions.push(extension(EMBEDDED_SCTS, false, &tlv(0x04, &list)));
        }
        certified(&self.authority, &made(&extensions))
    }
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

fn sign(key: &SigningKey, bytes: &[u8]) -> Vec<u8> {
    let signature: DerSignature = key.sign(bytes);
    signature.as_bytes().to_vec()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut encoded = vec![tag];
    match u8::try_from(length) {
        Ok(length @ ..0x80) => encoded.push(length),
        Ok(length) => encoded.extend([0x81, length]),
        Err(_) => {
            encoded.push(0x82);
            encoded.extend(short(length));
        }
    }
    encoded.extend(content);
    encoded
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn bits(content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], content].concat())
}

/// The public key with what it is for.
fn public(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_encoded_point(false);
    sequence(&[
        &sequence(&[&tlv(0x06, EC_KEY), &tlv(0x06, P256)]),
        &bits(point.as_bytes()),
    ])
}

fn name() -> Vec<u8> {
    let part = sequence(&[&tlv(0x06, COMMON_NAME), &tlv(0x0c, b"authority.test")]);
    sequence(&[&tlv(0x31, &part)])
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical {
        tlv(0x01, &[0xff])
    } else {
        Vec::new()
    };
    sequence(&[&tlv(0x06, id), &flag, &tlv(0x04, value)])
}

fn to_be_signed(subject: &[u8], dates: [&str; 2], key: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let [from, to] = dates.map(|date| tlv(0x17, date.as_bytes()));
    sequence(&[
        &tlv(0xa0, &tlv(0x02, &[2])),
        &tlv(0x02, &[5]),
        &sequence(&[&tlv(0x06, ECDSA_SHA256)]),
        &name(),
        &sequence(&[&from, &to]),
        subject,
        key,
        &tlv(0xa3, &tlv(0x30, &extensions.concat())),
    ])
}

fn certified(authority: &SigningKey, to_be_signed: &[u8]) -> Vec<u8> {
    sequence(&[
        to_be_signed,
        &sequence(&[&tlv(0x06, ECDSA_SHA256)]),
        &bits(&sign(authority, to_be_signed)),
    ])
}

fn pem(certificate: &[u8]) -> String {
    let encoded = STANDARD.encode(certificate);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
