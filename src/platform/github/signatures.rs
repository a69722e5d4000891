//! Signatures of the commits of a change, as the platform verified them.

use serde_json::Value;

use crate::facts::{CommitSignature, Fact, FactKey, SignatureState, Source, Unknown, Why};

use super::wire;

/// One for each commit, oldest first.
pub(super) fn signatures(nodes: &[Value], source: &Source) -> Result<Vec<CommitSignature>, String> {
    nodes.iter().map(|node| one(node, source)).collect()
}

fn one(node: &Value, source: &Source) -> Result<CommitSignature, String> {
    let commit = node.get("commit").ok_or("an entry has no commit")?;
    let sha = commit
        .get("oid")
        .and_then(Value::as_str)
        .ok_or("a commit has no id")?
        .to_owned();
    // Null is a commit without a signature; a field that is missing is none.
    let told = commit
        .get("signature")
        .ok_or_else(|| format!("it is not told whether {sha} is signed"))?;
    if told.is_null() {
        return Ok(CommitSignature {
            sha,
            state: SignatureState::Unsigned,
            signer: Fact::seen(None, source.clone()),
            by_platform: Fact::seen(false, source.clone()),
        });
    }
    let signature: wire::Signature = serde::Deserialize::deserialize(told)
        .map_err(|error: serde_json::Error| error.to_string())?;
    let state = match (signature.state.as_deref(), signature.is_valid) {
        (Some("VALID"), Some(true)) => SignatureState::Verified,
        (Some(word), _) => SignatureState::Unverified(word.to_lowercase()),
        (None, _) => return Err(format!("the signature of {sha} has no state")),
    };
    let untold = |what: &str| {
        Unknown::new(
            FactKey::ChangeSignatures.name(),
            Why::HiddenOrAbsent,
            format!("the platform does not say {what} {sha}"),
        )
    };
    Ok(CommitSignature {
        signer: match told.get("signer") {
            Some(_) => Fact::seen(
                signature.signer.as_ref().and_then(wire::Actor::account),
                source.clone(),
            ),
            None => Fact::Unknown(untold("who signed")),
        },
        by_platform: signature.was_signed_by_git_hub.map_or_else(
            || Fact::Unknown(untold("whether it signed itself")),
            |by| Fact::seen(by, source.clone()),
        ),
        sha,
        state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;
    use serde_json::json;

    fn of(signature: &Value) -> Result<CommitSignature, String> {
        let source = Source {
            endpoint: "POST /graphql#Test".to_owned(),
            digest: String::new(),
        };
        one(
            &json!({"commit": {"oid": "aa", "signature": signature}}),
            &source,
        )
    }

    fn signed(state: &str, valid: bool) -> Value {
        json!({"__typename": "SshSignature", "state": state, "isValid": valid,
            "wasSignedByGitHub": false, "signer": {"__typename": "User", "login": "ana"}})
    }

    #[test]
    fn a_valid_signature_is_verified_and_names_its_signer() {
        let signature = of(&signed("VALID", true)).unwrap();
        assert_eq!(signature.state, SignatureState::Verified);
        assert_eq!(signature.signer.known(), Ok(&Some(Account::human("ana"))));
        assert_eq!(signature.by_platform.known(), Ok(&false));
    }

    #[test]
    fn any_other_word_or_a_flag_that_disagrees_is_not_verified() {
        for (state, valid) in [("UNKNOWN_KEY", false), ("VALID", false), ("NEW_WORD", true)] {
            let signature = of(&signed(state, valid)).unwrap();
            assert!(
                matches!(signature.state, SignatureState::Unverified(_)),
                "{state}"
            );
        }
    }

    #[test]
    fn null_is_unsigned_and_a_missing_field_is_an_error() {
        assert_eq!(of(&Value::Null).unwrap().state, SignatureState::Unsigned);
        let source = Source {
            endpoint: String::new(),
            digest: String::new(),
        };
        assert!(one(&json!({"commit": {"oid": "aa"}}), &source).is_err());
        assert!(of(&json!({"isValid": true})).is_err());
    }

    #[test]
    fn what_the_platform_leaves_out_of_a_signature_is_unknown() {
        let signature = of(&json!({"state": "VALID", "isValid": true})).unwrap();
        assert!(!signature.signer.is_known() && !signature.by_platform.is_known());
    }
}
