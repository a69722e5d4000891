//! Whose keys sign override commands: `overrides.signed`, `overrides.signers` and
//! `overrides.published_keys`.

use crate::sshsig::SignerKey;

use super::model::{OverrideRules, OverrideSigner};
use super::problem::Report;
use super::read::{Fields, boolean, entries, list, text};
use super::words::quote;
use super::yaml::{Key, Node};

/// Reads the three keys into the rules.
pub(super) fn signing(section: &Fields<'_>, rules: &mut OverrideRules, report: &mut Report) {
    if let Some(node) = section.get("signers") {
        let people = entries(node, "`signers`", report).unwrap_or_default();
        if people.is_empty() {
            report.add_help(
                node.spot,
                "`signers` names nobody".to_owned(),
                "name people with their keys, or leave it out",
            );
        }
        for (person, keys) in people {
            keys_of(person, keys, &mut rules.signers, report);
        }
    }
    if let Some(node) = section.get("published_keys")
        && let Some(value) = boolean(node, "`published_keys`", report)
    {
        rules.published_keys = value;
    }
    if let Some(node) = section.get("signed")
        && let Some(value) = boolean(node, "`signed`", report)
    {
        if value && section.get("signers").is_none() && !rules.published_keys {
            report.add_help(
                node.spot,
                "`signed` wants signatures, and no key is listed".to_owned(),
                "add `signers`, e.g. `signers: {\"@ana\": [\"ssh-ed25519 AAAA…\"]}`, or `published_keys: true`",
            );
        }
        rules.signed = value;
    }
}

/// Only the keys that the floor lists too, for the same person.
pub(super) fn listed_by_both(
    mut own: Vec<OverrideSigner>,
    floor: &[OverrideSigner],
) -> Vec<OverrideSigner> {
    own.retain(|one| floor.iter().any(|known| known.is(one)));
    own
}

/// Whether everybody for whom the floor lists keys still has one. Of somebody without any the
/// published keys would count, which are not the floor's.
pub(super) fn all_have_keys(own: &[OverrideSigner], floor: &[OverrideSigner]) -> bool {
    floor.iter().all(|one| {
        let person = one.person.to_lowercase();
        own.iter()
            .any(|other| other.person.to_lowercase() == person)
    })
}

/// The keys of one person. A key that is there already would not tell who signed.
fn keys_of(person: &Key, keys: &Node, signers: &mut Vec<OverrideSigner>, report: &mut Report) {
    let name = person.text.strip_prefix('@').unwrap_or_default();
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '@' || c == '/') {
        report.add_help(
            person.spot,
            format!("{} is no person", quote(&person.text)),
            "`signers` names users such as \"@ana\", no teams",
        );
        return;
    }
    let lines = list(keys, "an entry of `signers`", report).unwrap_or_default();
    if lines.is_empty() {
        report.add(
            person.spot,
            format!("{} has no key in `signers`", quote(&person.text)),
        );
    }
    for line in lines {
        let Some(given) = text(line, "a key of `signers`", report) else {
            continue;
        };
        let Some(key) = SignerKey::parse(&given) else {
            report.add_help(
                line.spot,
                format!("this is no Ed25519 key: {}", quote(&given)),
                "write the line of the `.pub` file, `ssh-ed25519 AAAA…`",
            );
            continue;
        };
        if let Some(other) = signers.iter().find(|one| one.key == key) {
            report.add_help(
                line.spot,
                format!("this key is listed for {} already", quote(&other.person)),
                "a key that is listed twice does not tell who signed: each person has keys of their own",
            );
            continue;
        }
        signers.push(OverrideSigner {
            person: person.text.clone(),
            key,
        });
    }
}
