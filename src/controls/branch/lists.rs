//! What the lists of names in parameters mean: upper and lower case are one, a
//! longer list of who may is weaker, and an actor is approved by name alone.

use serde::{Deserialize, Deserializer, de};

use crate::facts::{BypassActor, BypassMode};

/// Whether the list names it.
pub(super) fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What the list names and `base` does not.
pub(super) fn beyond(list: &[String], base: &[String]) -> Option<String> {
    let more: Vec<&str> = list
        .iter()
        .filter(|name| !names(base, name))
        .map(String::as_str)
        .collect();
    (!more.is_empty()).then(|| more.join(", "))
}

/// Whether the list approves of what the actor can do. Nobody can approve of rules
/// that are not even run, nor of a mode that is not known.
pub(super) fn approves(list: &[String], actor: &BypassActor) -> bool {
    match actor.mode {
        BypassMode::Exempt | BypassMode::Other(_) => false,
        BypassMode::Always | BypassMode::PullRequest => names(list, &actor.name),
    }
}

/// Reads a list that must name something: an empty one would demand nothing.
pub(super) fn at_least_one<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list = Vec::deserialize(deserializer)?;
    if list.is_empty() {
        return Err(de::Error::custom(
            "the list is empty, so nothing would be demanded",
        ));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::BypassKind;

    #[test]
    fn f27_a_mode_that_leaves_no_trace_is_never_approved() {
        let approved = |mode: BypassMode| {
            let actor = BypassActor {
                kind: BypassKind::User,
                name: "@Ana".to_owned(),
                mode,
            };
            approves(&["@ana".to_owned()], &actor)
        };
        assert!(approved(BypassMode::Always) && approved(BypassMode::PullRequest));
        assert!(!approved(BypassMode::Exempt));
        assert!(!approved(BypassMode::Other("later".to_owned())));
    }
}
