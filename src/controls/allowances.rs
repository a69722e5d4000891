//! What a policy lets pass by name: whether a name is on such a list, and
//! whether one list lets pass more than another. Upper and lower case are the
//! same and a leading `@` does not count, as on the platforms.

/// Whether the list names it.
pub(super) fn names(list: &[String], name: &str) -> bool {
    list.iter()
        .any(|listed| bare(listed).eq_ignore_ascii_case(bare(name)))
}

/// What `own` names and `base` does not, in words; `None` if nothing.
pub(super) fn more(own: &[String], base: &[String]) -> Option<String> {
    let more: Vec<&str> = own
        .iter()
        .filter(|name| !names(base, name))
        .map(String::as_str)
        .collect();
    (!more.is_empty()).then(|| more.join(", "))
}

fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn a_name_is_known_in_any_spelling_and_not_by_its_beginning() {
        let all = list(&["@Ana"]);
        assert!(names(&all, "ana") && names(&all, "@ANA"));
        assert!(!names(&all, "an") && !names(&all, "anabel"));
    }

    #[test]
    fn only_what_the_other_list_lacks_is_more() {
        let (short, long) = (list(&["ana"]), list(&["@ana", "bob"]));
        assert_eq!(more(&long, &short), Some("bob".to_owned()));
        assert_eq!(more(&short, &long), None);
    }
}
