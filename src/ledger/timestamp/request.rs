//! What is sent to a time-stamping authority, and what has to hold of its answer before it
//! is kept.

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use ring::rand::SecureRandom as _;
use sha2::{Digest as _, Sha256};

use super::CLOCK_TOLERANCE;
use super::fields::{Field, INTEGER, SEQUENCE, wrap};
use super::roots::TsaRoots;
use super::token::{GRANTED, Token};

/// Version 1, then SHA-256 of the imprint up to the digest itself.
const BEFORE_DIGEST: &[u8] = &[
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// The nonce: an integer of eight bytes.
const BEFORE_NONCE: &[u8] = &[0x02, 0x08];
/// The authority is asked for its certificate.
const WITH_CERTIFICATE: &[u8] = &[0x01, 0x01, 0xff];

/// A question for one note, with a number that only its answer can repeat.
#[derive(Debug, Clone)]
pub struct StampRequest {
    imprint: [u8; 32],
    nonce: [u8; 8],
}

impl StampRequest {
    /// Asks for a time-stamp over these bytes.
    ///
    /// # Errors
    /// A system that gives no random numbers.
    pub fn new(note: &[u8]) -> anyhow::Result<Self> {
        let mut nonce = [0; 8];
        ring::rand::SystemRandom::new()
            .fill(&mut nonce)
            .ok()
            .context("the system gives no random numbers")?;
        Ok(Self::with_nonce(note, nonce))
    }

    /// The first byte is made one that is neither zero nor a sign: eight bytes in any case.
    pub(super) fn with_nonce(note: &[u8], mut nonce: [u8; 8]) -> Self {
        nonce[0] = nonce[0] & 0x7f | 0x40;
        Self {
            imprint: Sha256::digest(note).into(),
            nonce,
        }
    }

    /// The `TimeStampReq` to send.
    pub fn bytes(&self) -> Vec<u8> {
        [
            BEFORE_DIGEST,
            &self.imprint,
            BEFORE_NONCE,
            &self.nonce,
            WITH_CERTIFICATE,
        ]
        .concat()
    }

    /// The file to keep and the authority's time, if the answer is to this question and by an
    /// authority under the roots. Words of the answer that nobody signed are left out of the file.
    ///
    /// # Errors
    /// Whatever does not hold.
    pub fn accept(
        &self,
        response: &[u8],
        roots: &TsaRoots,
        now: Timestamp,
    ) -> anyhow::Result<(Vec<u8>, Timestamp)> {
        let response = Field::only(response, SEQUENCE).context("it is no time-stamp response")?;
        let mut parts = response.fields();
        let status = parts.expect(SEQUENCE)?.fields().expect(INTEGER)?;
        match status.content {
            // Granted, or granted with modifications: what counts is looked at below.
            [0 | 1] => {}
            [other] => bail!("the authority refused it with status {other}"),
            _ => bail!("the authority's status is none that exists"),
        }
        let token = parts
            .expect(SEQUENCE)
            .context("the authority sent no token")?;
        parts.end()?;
        let file = wrap(SEQUENCE, &[GRANTED, token.whole].concat());
        let token = Token::parse(&file)?;
        ensure!(
            token.imprint() == self.imprint,
            "the token is for something else"
        );
        ensure!(
            token.nonce() == Some(self.nonce.as_slice()),
            "the token does not repeat the request's nonce: it may be an old one"
        );
        roots.vouch_for(&token)?;
        // An hour's answer that comes back at once: both clocks are compared both ways.
        let apart = token.time().duration_since(now).abs();
        ensure!(
            apart <= CLOCK_TOLERANCE,
            "the authority says that it is {} and this machine that it is {now}: one of the clocks is wrong",
            token.time()
        );
        Ok((file, token.time()))
    }
}
