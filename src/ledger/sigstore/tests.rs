//! Bundles that hold, and every way in which one does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::SigstoreTrust;
use super::testing::{IDENTITY, ISSUER, SIGNED, SIGNED_AT, Sigstore, Wanted, trusting};

const NOTE: &[u8] =
    b"ccgate/github/acme/payments\n3\nnYbJ5XhJMiTjrdZJoKYq5b3n4sFWyZ8XzA8b1sD2WZk=\n";

/// The time, or all of why not.
fn judged(trust: &SigstoreTrust, bundle: &Value) -> Result<String, String> {
    trust
        .time_of(bundle.to_string().as_bytes(), NOTE, None)
        .map(|time| time.to_string())
        .map_err(|error| format!("{error:#}"))
}

fn refused(bundle: &Value) -> String {
    judged(&Sigstore::new(0).trust(), bundle).unwrap_err()
}

/// Another letter in a base64 text at this place of the bundle.
fn altered(pointer: &str) -> Value {
    let mut bundle = Sigstore::new(0).bundle(NOTE);
    let value = bundle.pointer_mut(pointer).unwrap();
    let mut bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *value = json!(STANDARD.encode(bytes));
    bundle
}

#[test]
fn a_signature_or_an_attestation_by_the_demanded_identity_holds_since_the_logs_own_time() {
    let sigstore = Sigstore::new(0);
    let trust = sigstore.trust();
    let time = judged(&trust, &sigstore.bundle(NOTE));
    assert_eq!(time.as_deref(), Ok(SIGNED_AT));
    let attestation = Wanted {
        attestation: true,
        ..Wanted::default()
    };
    let time = judged(&trust, &sigstore.make(NOTE, &attestation));
    assert_eq!(time.as_deref(), Ok(SIGNED_AT));
}

#[test]
fn a_bundle_by_somebody_else_or_vouched_for_by_somebody_else_does_not_hold() {
    let sigstore = Sigstore::new(0);
    let make = |identity, issuer| {
        refused(&sigstore.make(
            NOTE,
            &Wanted {
                identity,
                issuer,
                ..Wanted::default()
            },
        ))
    };
    let fork = "https://forge.test/mallory/audit/.github/workflows/witness.yml@refs/heads/main";
    for other in [
        fork,
        "https://forge.test/acme/audit/.github/workflows/witness.yml@refs/heads/mine",
        // Nothing is a pattern, and nothing is a beginning.
        "https://forge.test/acme/audit/.github/workflows/witness.yml@refs/heads/main2",
        "https://forge.test/acme/audit/.github/workflows/witness.yml@refs/heads/mai",
        "",
    ] {
        let why = make(other, ISSUER);
        assert!(why.to_lowercase().contains("identity"), "{other}: {why}");
    }
    let why = make(IDENTITY, "https://tokens.mallory.test");
    assert!(why.to_lowercase().contains("issuer"), "{why}");
}

#[test]
fn an_instance_of_ones_own_counts_only_where_the_verifier_brought_its_root() {
    let (ours, theirs) = (Sigstore::new(0), Sigstore::new(1));
    let bundle = theirs.bundle(NOTE);
    judged(&theirs.trust(), &bundle).unwrap();
    judged(&ours.trust(), &bundle).unwrap_err();
    // The public instance's, which is the default.
    let public = trusting(None).unwrap();
    judged(&public, &bundle).unwrap_err();
    // Nor does one authority of theirs do beside ours.
    let mixed = |pointer: &str| {
        let mut root: Value = serde_json::from_str(&ours.root()).unwrap();
        let other: Value = serde_json::from_str(&theirs.root()).unwrap();
        *root.pointer_mut(pointer).unwrap() = other.pointer(pointer).unwrap().clone();
        let trust = trusting(Some(root.to_string().as_bytes()));
        judged(&trust.unwrap(), &ours.bundle(NOTE))
    };
    for part in ["/tlogs", "/certificateAuthorities", "/ctlogs"] {
        mixed(part).unwrap_err();
    }
    mixed("/mediaType").unwrap();
}

#[test]
fn an_altered_part_of_a_bundle_makes_it_hold_no_more() {
    let entry = "/verificationMaterial/tlogEntries/0";
    for part in [
        "/messageSignature/signature".to_owned(),
        "/messageSignature/messageDigest/digest".to_owned(),
        "/verificationMaterial/certificate/rawBytes".to_owned(),
        format!("{entry}/canonicalizedBody"),
        format!("{entry}/inclusionProof/hashes/0"),
        format!("{entry}/inclusionProof/rootHash"),
        format!("{entry}/inclusionPromise/signedEntryTimestamp"),
        format!("{entry}/logId/keyId"),
    ] {
        refused(&altered(&part));
    }
    for (part, value) in [
        ("integratedTime", json!((SIGNED - 60).to_string())),
        ("logIndex", json!("2")),
        (
            "kindVersion",
            json!({"kind": "hashedrekord", "version": "0.0.2"}),
        ),
    ] {
        let mut bundle = Sigstore::new(0).bundle(NOTE);
        *bundle.pointer_mut(&format!("{entry}/{part}")).unwrap() = value;
        refused(&bundle);
    }
    let mut bundle = Sigstore::new(0).bundle(NOTE);
    let checkpoint = format!("{entry}/inclusionProof/checkpoint/envelope");
    let checkpoint = bundle.pointer_mut(&checkpoint).unwrap();
    *checkpoint = json!(
        checkpoint
            .as_str()
            .unwrap()
            .replace("log.test - 1", "log.test - 2")
    );
    refused(&bundle);
}

#[test]
fn every_bit_of_a_bundle_counts_or_says_nothing() {
    let sigstore = Sigstore::new(0);
    let trust = sigstore.trust();
    let bundle = sigstore.bundle(NOTE).to_string().into_bytes();
    let mut held = 0;
    for place in 0..bundle.len() {
        let mut other = bundle.clone();
        other[place] ^= 1;
        if let Ok(time) = trust.time_of(&other, NOTE, None) {
            held += 1;
            assert_eq!(time.to_string(), SIGNED_AT, "at byte {place}");
        }
    }
    // Names of members that nobody reads.
    assert!(held < 120, "{held} of {} bytes", bundle.len());
}

#[test]
fn a_bundle_over_another_checkpoint_does_not_hold() {
    let sigstore = Sigstore::new(0);
    let other = b"ccgate/github/acme/payments\n2\nnYbJ5XhJMiTjrdZJoKYq5b3n4sFWyZ8XzA8b1sD2WZk=\n";
    for attestation in [false, true] {
        let wanted = Wanted {
            attestation,
            ..Wanted::default()
        };
        refused(&sigstore.make(other, &wanted));
        // Nor does it when it says to be over this one.
        let mut claims = sigstore.make(other, &wanted);
        let content = if attestation {
            "dsseEnvelope"
        } else {
            "messageSignature"
        };
        claims[content] = sigstore.make(NOTE, &wanted)[content].clone();
        if !attestation {
            let signature = sigstore.make(other, &wanted)[content]["signature"].clone();
            claims[content]["signature"] = signature;
        }
        refused(&claims);
    }
}

#[test]
fn an_entry_of_another_signature_does_not_vouch_for_this_one() {
    let sigstore = Sigstore::new(0);
    let mut bundle = sigstore.bundle(NOTE);
    let other = sigstore.bundle(b"another artifact of the same signer");
    let entries = "/verificationMaterial/tlogEntries";
    *bundle.pointer_mut(entries).unwrap() = other.pointer(entries).unwrap().clone();
    refused(&bundle);
    // Nor beside the right one.
    let mut bundle = sigstore.bundle(NOTE);
    let more = other.pointer(entries).unwrap()[0].clone();
    let list = bundle.pointer_mut(entries).unwrap();
    list.as_array_mut().unwrap().push(more);
    refused(&bundle);
}

#[test]
fn without_a_time_that_somebody_vouches_for_nothing_holds() {
    let sigstore = Sigstore::new(0);
    let mut bundle = sigstore.make(
        NOTE,
        &Wanted {
            promise: false,
            ..Wanted::default()
        },
    );
    let why = refused(&bundle);
    assert!(why.to_lowercase().contains("timestamp"), "{why}");
    // A time that the log did not sign is none.
    bundle["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = json!(SIGNED.to_string());
    refused(&bundle);
    // Outside of the certificate's ten minutes.
    for logged in [SIGNED - 900, SIGNED + 900] {
        let why = refused(&sigstore.make(
            NOTE,
            &Wanted {
                logged,
                ..Wanted::default()
            },
        ));
        assert!(why.to_lowercase().contains("certificate"), "{why}");
    }
}

#[test]
fn a_time_that_is_still_to_come_does_not_hold() {
    let sigstore = Sigstore::new(0);
    let bundle = sigstore.bundle(NOTE).to_string().into_bytes();
    let at = |now: &str| {
        sigstore
            .trust()
            .time_of(&bundle, NOTE, Some(now.parse().unwrap()))
    };
    at("2020-06-01T07:45:00Z").unwrap();
    let why = at("2020-06-01T07:44:59Z").unwrap_err().to_string();
    assert!(why.contains("still to come"), "{why}");
}

#[test]
fn an_entry_without_its_proof_of_inclusion_is_none() {
    let mut bundle = Sigstore::new(0).bundle(NOTE);
    let entries = &mut bundle["verificationMaterial"]["tlogEntries"];
    let mut bare = entries[0].clone();
    bare.as_object_mut().unwrap().remove("inclusionProof");
    let complete = entries[0].clone();
    for list in [json!([]), json!([bare]), json!([complete, bare])] {
        bundle["verificationMaterial"]["tlogEntries"] = list;
        let why = refused(&bundle);
        assert!(why.contains("transparency log"), "{why}");
    }
}

#[test]
fn a_certificate_for_something_else_or_in_no_log_does_not_hold() {
    let sigstore = Sigstore::new(0);
    refused(&sigstore.make(
        NOTE,
        &Wanted {
            code_signing: false,
            ..Wanted::default()
        },
    ));
    refused(&sigstore.make(
        NOTE,
        &Wanted {
            certificate_logged: false,
            ..Wanted::default()
        },
    ));
    // One's own key, of which no certificate speaks.
    let mut bundle = sigstore.bundle(NOTE);
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    material.remove("certificate");
    material.insert("publicKey".to_owned(), json!({"hint": "mine"}));
    refused(&bundle);
}

#[test]
fn a_root_that_cannot_be_read_and_names_that_mean_anybody_are_refused() {
    let root = Sigstore::new(0).root();
    for wrong in [&b"{}"[..], b"", b"\xff", &root.as_bytes()[..root.len() / 2]] {
        assert!(trusting(Some(wrong)).is_err());
    }
    let names = |names: &[&str], issuer| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        SigstoreTrust::new(&names, issuer, Some(root.as_bytes()))
    };
    names(&[IDENTITY], ISSUER).unwrap();
    for (identities, issuer) in [
        (&[""][..], ISSUER),
        (&[IDENTITY, ""], ISSUER),
        (&[], ISSUER),
        (&[IDENTITY], ""),
    ] {
        let error = names(identities, issuer).unwrap_err();
        assert!(error.to_string().contains("by anybody"), "{error}");
    }
    // Of several names each one does, and no other.
    let bundle = Sigstore::new(0).bundle(NOTE);
    for right in [["before", IDENTITY], [IDENTITY, "after"]] {
        judged(&names(&right, ISSUER).unwrap(), &bundle).unwrap();
    }
    judged(&names(&["before", "after"], ISSUER).unwrap(), &bundle).unwrap_err();
}
