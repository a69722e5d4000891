//! What RFC 3161 demands of an authority's certificate beyond what every chain has to hold:
//! it is for time-stamping, for nothing else, and says so where nobody may overlook it.

use anyhow::{Context as _, ensure};

use super::fields::{BOOLEAN, CONTEXT_0, Field, Fields, INTEGER, OCTETS, OID, SEQUENCE};
use super::roots::TIME_STAMPING;

/// id-ce-extKeyUsage, 2.5.29.37.
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// Issuer's and subject's own numbers, which nobody uses any more.
const CONTEXT_1_PRIMITIVE: u8 = 0x81;
const CONTEXT_2_PRIMITIVE: u8 = 0x82;
const CONTEXT_3: u8 = 0xa3;

/// Issuer and serial number, as they stand in the certificate.
pub(super) struct Names<'a> {
    pub(super) issuer: &'a [u8],
    pub(super) serial: &'a [u8],
}

/// The certificate up to what stands behind its issuer.
fn body<'a>(certificate: &'a [u8]) -> anyhow::Result<(Names<'a>, Fields<'a>)> {
    let mut body = Field::only(certificate, SEQUENCE)?
        .fields()
        .expect(SEQUENCE)?
        .fields();
    body.optional(CONTEXT_0)?;
    let serial = body.expect(INTEGER)?.whole;
    body.expect(SEQUENCE)?;
    let issuer = body.expect(SEQUENCE)?.whole;
    Ok((Names { issuer, serial }, body))
}

pub(super) fn names(certificate: &[u8]) -> anyhow::Result<Names<'_>> {
    Ok(body(certificate)?.0)
}

/// # Errors
/// A certificate that may sign anything but time-stamps, or whose purpose is not critical.
pub(super) fn check_purpose(certificate: &[u8]) -> anyhow::Result<()> {
    let (_, mut body) = body(certificate)?;
    for _validity_subject_key in 0..3 {
        body.expect(SEQUENCE)?;
    }
    body.optional(CONTEXT_1_PRIMITIVE)?;
    body.optional(CONTEXT_2_PRIMITIVE)?;
    let lacking = "the certificate does not say that it is for time-stamping";
    let extensions = body.optional(CONTEXT_3)?.context(lacking)?;
    let mut extensions = Field::only(extensions.content, SEQUENCE)?.fields();
    let mut found = 0;
    while let Some(extension) = extensions.next()? {
        let mut parts = extension.fields();
        if parts.expect(OID)?.content != EXTENDED_KEY_USAGE {
            continue;
        }
        found += 1;
        let critical = parts.optional(BOOLEAN)?;
        ensure!(
            critical.is_some_and(|critical| critical.content == [0xff]),
            "the certificate's purpose is not marked as critical"
        );
        let purposes = Field::only(parts.expect(OCTETS)?.content, SEQUENCE)?;
        let only = Field::only(purposes.content, OID)
            .context("the certificate is for more than time-stamping")?;
        ensure!(only.content == TIME_STAMPING, lacking);
    }
    ensure!(found == 1, lacking);
    Ok(())
}

/// `IssuerAndSerialNumber` as a signature names its certificate.
pub(super) fn is_named_by(certificate: &[u8], signer: &Field<'_>) -> anyhow::Result<bool> {
    let names = names(certificate)?;
    let mut parts = signer.fields();
    let same = parts.expect(SEQUENCE)?.whole == names.issuer
        && parts.expect(INTEGER)?.whole == names.serial;
    parts.end()?;
    Ok(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_certificate_is_guessed() {
        for bytes in [&[][..], &[0x30, 0x00], &[0x30, 0x80, 0x00, 0x00], b"PEM"] {
            assert!(check_purpose(bytes).is_err());
            assert!(names(bytes).is_err());
        }
    }
}
