//! A kept time-stamp token, read whole: what it stamps, when, and that its signature fits the
//! certificate which it names. Whether anybody trusts that certificate is said elsewhere.

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use ring::digest::{self, Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use webpki::ring as keys;

use super::certificate;
use super::fields::{
    BOOLEAN, CONTEXT_0, CONTEXT_1, Field, Fields, GENERALIZED_TIME, INTEGER, OCTETS, OID, SEQUENCE,
    SET, wrap,
};

/// `PKIStatusInfo` of an answer that was granted, without any words.
pub(super) const GRANTED: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x00];

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04,
];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_CERTIFICATE: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x0c,
];
const SIGNING_CERTIFICATE_V2: &[u8] = &[
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f,
];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// A chain has three or four.
const MOST_CERTIFICATES: usize = 16;

/// Digests by their names, with the signature algorithms that name them as well.
const DIGESTS: &[(&[u8], &Algorithm)] = &[
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
        &SHA256,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
        &SHA384,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        &SHA512,
    ),
];
const SIGNATURES: &[(&[u8], &Algorithm)] = &[
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
        &SHA256,
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
        &SHA384,
    ),
    (
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
        &SHA512,
    ),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], &SHA256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], &SHA384),
];

/// A token whose parts fit each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    imprint: Vec<u8>,
    nonce: Option<Vec<u8>>,
    time: Timestamp,
    signer: CertificateDer<'static>,
    others: Vec<CertificateDer<'static>>,
}

impl Token {
    /// Reads `anchors/SIZE.tsr`: a response that was granted, without words, and the token.
    ///
    /// # Errors
    /// Anything that does not fit, is cut off, or that this program cannot judge.
    pub(crate) fn parse(file: &[u8]) -> anyhow::Result<Self> {
        let mut response = Field::only(file, SEQUENCE)?.fields();
        ensure!(
            response.expect(SEQUENCE)?.whole == GRANTED,
            "the file does not begin as one that was kept"
        );
        let mut token = response.expect(SEQUENCE)?.fields();
        response.end()?;
        ensure!(
            token.expect(OID)?.content == SIGNED_DATA,
            "the token holds no signed data"
        );
        let signed = Field::only(token.expect(CONTEXT_0)?.content, SEQUENCE)?;
        token.end()?;
        signed_data(signed.fields())
    }

    /// SHA-256 of what is stamped.
    pub(crate) fn imprint(&self) -> &[u8] {
        &self.imprint
    }

    /// The number that the request sent along.
    pub(super) fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// The authority's time; what is stamped was there then.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// The certificate that signed, and those that came with it.
    pub(super) fn certificates(&self) -> (&CertificateDer<'static>, &[CertificateDer<'static>]) {
        (&self.signer, &self.others)
    }
}

fn signed_data(mut signed: Fields<'_>) -> anyhow::Result<Token> {
    ensure!(
        signed.expect(INTEGER)?.content == [3],
        "the signed data are of another version than 3"
    );
    let mut digests = signed.expect(SET)?.fields();
    while let Some(digest) = digests.next()? {
        digest.fields().expect(OID)?;
    }
    let mut content = signed.expect(SEQUENCE)?.fields();
    ensure!(
        content.expect(OID)?.content == TST_INFO,
        "what is signed is no time-stamp"
    );
    let info = Field::only(content.expect(CONTEXT_0)?.content, OCTETS)?.content;
    content.end()?;
    // In any order: OpenSSL writes the signer's certificate first, sorted or not.
    let mut certificates = signed
        .optional(CONTEXT_0)?
        .context("the token brings no certificate")?
        .fields();
    signed.optional(CONTEXT_1)?;
    let signer = Field::only(signed.expect(SET)?.content, SEQUENCE)
        .context("the token has not exactly one signature")?;
    signed.end()?;
    let mut brought: Vec<&[u8]> = Vec::new();
    while let Some(certificate) = certificates.next()? {
        ensure!(
            certificate.tag == SEQUENCE
                && EndEntityCert::try_from(&CertificateDer::from(certificate.whole)).is_ok(),
            "the token brings something that is no usable certificate"
        );
        brought.push(certificate.whole);
        ensure!(
            brought.len() <= MOST_CERTIFICATES,
            "the token brings more certificates than any chain has"
        );
    }
    let signer = check_signer(signer.fields(), info, &brought)?;
    certificate::check_purpose(signer)?;
    let owned = |bytes: &[u8]| CertificateDer::from(bytes.to_vec());
    let others = brought.iter().filter(|bytes| **bytes != signer);
    time_stamp(
        info,
        owned(signer),
        others.map(|bytes| owned(bytes)).collect(),
    )
}

/// The certificate whose key signed `info`, as the signed attributes name it.
fn check_signer<'a>(
    mut signer: Fields<'_>,
    info: &[u8],
    brought: &[&'a [u8]],
) -> anyhow::Result<&'a [u8]> {
    let version = signer.expect(INTEGER)?.content;
    let named = signer.next()?.context("the signature names nobody")?;
    let digested = named_algorithm(&signer.expect(SEQUENCE)?, DIGESTS)
        .context("the digest of the token's signature is not one of SHA-256, -384, -512")?;
    let attributes = signer
        .expect(CONTEXT_0)
        .context("the signature has no signed attributes")?;
    let algorithm = signer.expect(SEQUENCE)?;
    let signature = signer.expect(OCTETS)?.content;
    signer.optional(CONTEXT_1)?;
    signer.end()?;

    ensure!(
        attribute(&attributes, CONTENT_TYPE)?.map(|value| value.whole)
            == Some(wrap(OID, TST_INFO).as_slice()),
        "the signature is over something that is no time-stamp"
    );
    let digested_info = attribute(&attributes, MESSAGE_DIGEST)?
        .filter(|value| value.tag == OCTETS)
        .context("the signature is over no digest")?;
    ensure!(
        digested_info.content == digest(digested, info).as_ref(),
        "the signature is over another time-stamp"
    );
    let certificate = *brought
        .iter()
        .find(|certificate| {
            signing_certificate(&attributes)
                .is_ok_and(|(algorithm, wanted)| digest(algorithm, certificate).as_ref() == wanted)
        })
        .context("the certificate that the signature names is not in the token")?;
    // Either by issuer and number, or by the number of its key, which binds nothing.
    let by_name = named.tag == SEQUENCE;
    ensure!(
        version == [if by_name { 1 } else { 3 }]
            && (!by_name || certificate::is_named_by(certificate, &named)?),
        "the signature names another certificate than its attributes do"
    );

    let algorithm = signature_digest(&algorithm, digested)?;
    // What is signed is the set itself, not its place in the structure.
    let message = wrap(SET, attributes.content);
    let certificate_der = CertificateDer::from(certificate);
    let key = EndEntityCert::try_from(&certificate_der)
        .map_err(|error| anyhow::anyhow!("the authority's certificate: {error}"))?;
    ensure!(
        verifiers(algorithm)
            .iter()
            .any(|verifier| key.verify_signature(*verifier, &message, signature).is_ok()),
        "the token's signature does not fit its certificate"
    );
    Ok(certificate)
}

/// `TSTInfo`.
fn time_stamp(
    info: &[u8],
    signer: CertificateDer<'static>,
    others: Vec<CertificateDer<'static>>,
) -> anyhow::Result<Token> {
    let mut info = Field::only(info, SEQUENCE)?.fields();
    ensure!(
        info.expect(INTEGER)?.content == [1],
        "the time-stamp is of another version than 1"
    );
    info.expect(OID)?;
    let mut imprint = info.expect(SEQUENCE)?.fields();
    let algorithm = named_algorithm(&imprint.expect(SEQUENCE)?, DIGESTS);
    let digest = imprint.expect(OCTETS)?.content;
    imprint.end()?;
    ensure!(
        algorithm == Some(&SHA256) && digest.len() == digest::SHA256_OUTPUT_LEN,
        "what is stamped is no SHA-256"
    );
    info.expect(INTEGER)?;
    let time = time(info.expect(GENERALIZED_TIME)?.content)?;
    info.optional(SEQUENCE)?;
    info.optional(BOOLEAN)?;
    let nonce = info.optional(INTEGER)?.map(|nonce| nonce.content.to_vec());
    info.optional(CONTEXT_0)?;
    info.optional(CONTEXT_1)?;
    info.end()?;
    Ok(Token {
        imprint: digest.to_vec(),
        nonce,
        time,
        signer,
        others,
    })
}

/// `YYYYMMDDhhmmss[.fraction]Z`.
fn time(text: &[u8]) -> anyhow::Result<Timestamp> {
    let broken = "the token's time is none";
    let text = std::str::from_utf8(text).ok().context(broken)?;
    let text = text.strip_suffix('Z').context(broken)?;
    let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
    ensure!(
        digits.len() == 14
            && !fraction.is_empty()
            && fraction.len() <= 9
            && (digits.bytes().chain(fraction.bytes())).all(|byte| byte.is_ascii_digit()),
        broken
    );
    let (date, clock) = digits.split_at(8);
    let written = format!(
        "{}-{}-{}T{}:{}:{}.{fraction}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    written.parse().ok().context(broken)
}

/// The one value of the attribute of this kind; none if it is not there.
fn attribute<'a>(attributes: &Field<'a>, kind: &[u8]) -> anyhow::Result<Option<Field<'a>>> {
    let mut found = None;
    let mut attributes = attributes.fields();
    while let Some(attribute) = attributes.next()? {
        let mut parts = attribute.fields();
        if parts.expect(OID)?.content != kind {
            continue;
        }
        let mut values = parts.expect(SET)?.fields();
        parts.end()?;
        let value = values.next()?.context("an attribute has no value")?;
        values.end()?;
        ensure!(
            found.replace(value).is_none(),
            "an attribute stands there twice"
        );
    }
    Ok(found)
}

/// Digest of the certificate that signed. It stands among what is signed, so that nobody can
/// put another certificate of the same key in its place.
fn signing_certificate<'a>(
    attributes: &Field<'a>,
) -> anyhow::Result<(&'static Algorithm, &'a [u8])> {
    let first = |value: Field<'a>| -> anyhow::Result<Fields<'a>> {
        let mut all = value.fields().expect(SEQUENCE)?.fields();
        Ok(all.expect(SEQUENCE)?.fields())
    };
    if let Some(value) = attribute(attributes, SIGNING_CERTIFICATE_V2)? {
        let mut parts = first(value)?;
        let algorithm = match parts.optional(SEQUENCE)? {
            Some(algorithm) => named_algorithm(&algorithm, DIGESTS)
                .context("the signature names its certificate by an unknown digest")?,
            None => &SHA256,
        };
        return Ok((algorithm, parts.expect(OCTETS)?.content));
    }
    let Some(value) = attribute(attributes, SIGNING_CERTIFICATE)? else {
        bail!("the signature does not say which certificate it is by");
    };
    // The older form knows SHA-1 only; to cheat here takes a second certificate of that digest.
    Ok((
        &SHA1_FOR_LEGACY_USE_ONLY,
        first(value)?.expect(OCTETS)?.content,
    ))
}

/// `AlgorithmIdentifier` as one of a table's, whatever its parameters.
fn named_algorithm(
    identifier: &Field<'_>,
    table: &[(&[u8], &'static Algorithm)],
) -> Option<&'static Algorithm> {
    let name = identifier.fields().expect(OID).ok()?.content;
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, algorithm)| *algorithm)
}

/// The digest that the signature is over: named by its algorithm, or else beside it.
fn signature_digest(
    identifier: &Field<'_>,
    digested: &'static Algorithm,
) -> anyhow::Result<&'static Algorithm> {
    if identifier.fields().expect(OID)?.content == RSA {
        return Ok(digested);
    }
    named_algorithm(identifier, SIGNATURES)
        .context("the token's signature is neither RSA nor ECDSA with SHA-256, -384 or -512")
}

/// Keys that a digest goes with.
fn verifiers(digest: &Algorithm) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    if *digest == SHA256 {
        vec![
            keys::RSA_PKCS1_2048_8192_SHA256,
            keys::ECDSA_P256_SHA256,
            keys::ECDSA_P384_SHA256,
        ]
    } else if *digest == SHA384 {
        vec![
            keys::RSA_PKCS1_2048_8192_SHA384,
            keys::ECDSA_P256_SHA384,
            keys::ECDSA_P384_SHA384,
        ]
    } else if *digest == SHA512 {
        vec![keys::RSA_PKCS1_2048_8192_SHA512]
    } else {
        Vec::new()
    }
}
