//! Tokens as they come, and as somebody who cheats would make them. How the files were made
//! stands in `tests/tokens/README.md`.

use jiff::Timestamp;

use super::super::torture::{leaves, signer};
use super::super::{Store as _, dir::DirStore, torture::ORIGIN};
use super::*;

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/tokens/", $name)).as_slice()
    };
}

const NOTE: &[u8] = file!("3.note");
const NONCE: [u8; 8] = [0x41, 2, 3, 4, 5, 6, 7, 8];

/// The moment at which most of the files were answered, give or take a few minutes.
fn now(token: &[u8]) -> Timestamp {
    Token::parse(token).map_or(Timestamp::UNIX_EPOCH, |token| token.time())
}

/// What is kept of an answer: as the request itself would, whatever its nonce.
fn kept(response: &[u8]) -> Vec<u8> {
    let mut parts = fields::Field::only(response, fields::SEQUENCE)
        .unwrap()
        .fields();
    parts.next().unwrap();
    let token = parts.next().unwrap().map_or(&[][..], |token| token.whole);
    fields::wrap(fields::SEQUENCE, &[token::GRANTED, token].concat())
}

fn accept(response: &[u8], root: &[u8]) -> anyhow::Result<(Vec<u8>, Timestamp)> {
    StampRequest::with_nonce(NOTE, NONCE).accept(
        response,
        &TsaRoots::parse(root).unwrap(),
        now(&kept(response)),
    )
}

fn refusal(response: &[u8], root: &[u8]) -> String {
    format!("{:#}", accept(response, root).unwrap_err())
}

#[test]
fn the_stamped_note_is_that_of_the_test_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = DirStore::new(folder.path(), ORIGIN, Some(signer()));
    store.append(&leaves(0..3)).unwrap();
    let note = std::fs::read(folder.path().join("anchors/3.note")).unwrap();
    assert_eq!(note, NOTE);
}

#[test]
fn answers_of_openssl_are_accepted_whatever_key_and_however_many_certificates() {
    for (response, root) in [
        (file!("rsa.tsr"), file!("rsa.pem")),
        (file!("rsa-two.tsr"), file!("rsa.pem")),
        (file!("rsa-sha1-name.tsr"), file!("rsa.pem")),
        (file!("ec.tsr"), file!("ec.pem")),
        (file!("p384.tsr"), file!("p384.pem")),
        (file!("words.tsr"), file!("rsa.pem")),
        (file!("fraction.tsr"), file!("rsa.pem")),
    ] {
        let (file, time) = accept(response, root).unwrap();
        let token = Token::parse(&file).unwrap();
        assert_eq!(token.time(), time);
        assert_eq!(file, kept(response), "nothing but the token is kept");
        assert!(time.to_string().starts_with("2026-11-29T"));
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let root = file!("rsa.pem");
    assert!(refusal(file!("other-note.tsr"), root).contains("for something else"));
    assert!(refusal(file!("no-nonce.tsr"), root).contains("nonce"));
    assert!(refusal(file!("refused.tsr"), root).contains("status 2"));
    let roots = TsaRoots::parse(root).unwrap();
    let response = file!("rsa.tsr");
    let time = now(&kept(response));
    for at in 1..8 {
        let mut nonce = NONCE;
        nonce[at] ^= 1;
        let request = StampRequest::with_nonce(NOTE, nonce);
        assert!(request.accept(response, &roots, time).is_err());
    }
    // It answers at once, so an authority whose clock is another one is found out.
    let request = StampRequest::with_nonce(NOTE, NONCE);
    for wrong in ["2026-11-30T12:00:00Z", "2026-11-28T12:00:00Z"] {
        let refused = request.accept(response, &roots, wrong.parse().unwrap());
        assert!(refused.unwrap_err().to_string().contains("clocks"));
    }
    let refused = request.accept(file!("far-future.tsr"), &roots, time);
    assert!(refused.unwrap_err().to_string().contains("clocks"));
}

#[test]
fn a_certificate_that_may_not_stamp_is_refused() {
    for (response, root, why) in [
        (file!("server.tsr"), file!("other.pem"), "for time-stamping"),
        (
            file!("both.tsr"),
            file!("both.pem"),
            "more than time-stamping",
        ),
        (file!("mild.tsr"), file!("mild.pem"), "critical"),
        (file!("none.tsr"), file!("none.pem"), "for time-stamping"),
    ] {
        let refused = format!("{:#}", Token::parse(&kept(response)).unwrap_err());
        assert!(refused.contains(why), "{refused}");
        assert!(accept(response, root).is_err());
    }
}

#[test]
fn a_certificate_counts_at_the_time_of_the_token_and_at_no_other() {
    let root = file!("briefly.pem");
    // Long expired by the time that somebody verifies it: nobody asks for that moment.
    accept(file!("briefly.tsr"), root).unwrap();
    assert!(refusal(file!("expired.tsr"), root).contains("Expired"));
    assert!(refusal(file!("early.tsr"), root).contains("NotValidYet"));
}

#[test]
fn an_authority_that_nobody_named_is_refused() {
    assert!(refusal(file!("rsa.tsr"), file!("ec.pem")).contains("lead to a root"));
    // The certificate between signer and root is missing.
    assert!(refusal(file!("ec-one.tsr"), file!("ec.pem")).contains("lead to a root"));
    for pem in [
        &b""[..],
        b"no certificate",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n",
    ] {
        assert!(TsaRoots::parse(pem).is_err());
    }
}

#[test]
fn another_certificate_or_digest_under_a_good_signature_is_refused() {
    assert!(refusal(file!("named-other.tsr"), file!("briefly.pem")).contains("does not fit"));
    assert!(refusal(file!("digest-other.tsr"), file!("rsa.pem")).contains("another time-stamp"));
}

#[test]
fn a_token_cut_anywhere_is_refused() {
    for response in [file!("rsa-two.tsr"), file!("ec.tsr"), file!("fraction.tsr")] {
        let file = kept(response);
        for length in 0..file.len() {
            assert!(Token::parse(&file[..length]).is_err(), "cut to {length}");
        }
        assert!(Token::parse(&[&file[..], b"\0"].concat()).is_err());
    }
}

/// Parts that nobody signed, such as an unused certificate, may be changed without effect: what
/// is stamped, when and by whom stays what it was.
#[test]
fn a_flip_of_any_bit_of_a_token_is_refused_or_without_effect() {
    for (response, root) in [
        (file!("rsa.tsr"), file!("rsa.pem")),
        (file!("ec.tsr"), file!("ec.pem")),
    ] {
        let roots = TsaRoots::parse(root).unwrap();
        let file = kept(response);
        let whole = Token::parse(&file).unwrap();
        let mut refused = 0;
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                let Ok(token) = Token::parse(&flipped) else {
                    refused += 1;
                    continue;
                };
                if roots.vouch_for(&token).is_err() {
                    refused += 1;
                    continue;
                }
                assert_eq!(token.imprint(), whole.imprint(), "bit {bit} of byte {at}");
                assert_eq!(token.time(), whole.time(), "bit {bit} of byte {at}");
                assert_eq!(token.certificates().0, whole.certificates().0);
            }
        }
        // The digests' list before the content and parameters nobody reads are what is left.
        assert!(refused * 100 > file.len() * 8 * 97, "{refused}");
    }
}

#[test]
fn the_request_is_what_the_standard_says() {
    let request = StampRequest::with_nonce(NOTE, NONCE).bytes();
    assert_eq!(request.len(), 69);
    let parts = fields::Field::only(&request, fields::SEQUENCE).unwrap();
    let mut parts = parts.fields();
    assert_eq!(parts.expect(fields::INTEGER).unwrap().content, [1]);
    parts.expect(fields::SEQUENCE).unwrap();
    assert_eq!(parts.expect(fields::INTEGER).unwrap().content, NONCE);
    assert_eq!(parts.expect(fields::BOOLEAN).unwrap().content, [0xff]);
    parts.end().unwrap();
    // Two requests never ask alike, and a nonce is eight bytes whatever was drawn.
    let drawn = [
        StampRequest::new(NOTE).unwrap(),
        StampRequest::new(NOTE).unwrap(),
    ];
    assert_ne!(drawn[0].bytes(), drawn[1].bytes());
    assert_eq!(StampRequest::with_nonce(NOTE, [0; 8]).bytes().len(), 69);
}
