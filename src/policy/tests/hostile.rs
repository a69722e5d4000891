//! Texts that nobody writes by accident: they end quickly, in a problem.

use proptest::prelude::*;

use super::{NOW, at, given, problem, problems};
use crate::policy::load;

const HEAD: &str = "version: 1\ncontrols: {force-push-blocked: {}}\n";

#[test]
fn an_anchor_and_its_alias_are_refused() {
    let all = problems(&format!("{HEAD}frameworks: &a [soc2]\nbranches: *a\n"));
    assert!(
        all.iter()
            .any(|one| one.starts_with("3:16: anchors and aliases")),
        "{all:#?}"
    );
}

#[test]
fn a_billion_laughs_ends_at_once() {
    let mut text = HEAD.to_owned();
    text.push_str("branches: &a0 [x]\n");
    for level in 1..30 {
        text.push_str(&format!(
            "k{level}: &a{level} [*a{0},*a{0},*a{0}]\n",
            level - 1
        ));
    }
    assert!(!problems(&text).is_empty());
}

#[test]
fn a_tag_is_refused() {
    assert!(problem(&format!("{HEAD}frameworks: !!seq [soc2]\n")).contains("tags"));
}

#[test]
fn a_merge_key_is_an_unknown_key() {
    assert!(
        problem(&format!("{HEAD}<<: {{mode: advisory}}\n"))
            .starts_with("3:1: the policy has no key `<<`")
    );
}

#[test]
fn a_second_document_is_refused_not_ignored() {
    assert_eq!(
        problem(&format!("{HEAD}---\nmode: advisory\n")),
        "3:1: a second document starts here (a policy is one document: remove `---` and what follows)"
    );
}

#[test]
fn text_behind_a_nul_is_refused_not_ignored() {
    assert_eq!(
        problem(&format!("{HEAD}\0mode: advisory\n")),
        "3:1: the control character U+0000 is not allowed"
    );
}

#[test]
fn characters_that_reorder_what_a_reviewer_sees_are_refused() {
    assert_eq!(
        problem("version: 1\n# \u{202e}x\ncontrols: {force-push-blocked: {}}\n"),
        "2:3: the control character U+202E is not allowed"
    );
    assert_eq!(
        problem("version: 1\ncontrols: {force-push-blocked: {}}\n# x\u{2028}mode: advisory\n"),
        "3:4: the control character U+2028 is not allowed"
    );
}

#[test]
fn an_escaped_terminal_sequence_is_refused_and_not_repeated() {
    let all = problems(&format!("{HEAD}mode: \"\\e[31mred\"\n"));
    assert!(all.iter().all(|one| !one.contains('\u{1b}')), "{all:#?}");
    assert!(all.iter().any(|one| one.contains("U+001B")), "{all:#?}");
}

#[test]
fn nesting_is_bounded_in_flow_and_in_block() {
    for text in [
        "[".repeat(100_000),
        format!("branches: {}", "[".repeat(100_000)),
        format!("branches:\n{}", "- ".repeat(100_000)),
        "? ".repeat(100_000),
        format!("a: {}", "{a: ".repeat(50_000)),
    ] {
        assert!(!problems(&text).is_empty());
    }
}

#[test]
fn a_file_beyond_the_size_cap_is_refused() {
    let text = format!("{HEAD}# {}\n", "x".repeat(1024 * 1024));
    assert_eq!(
        problem(&text),
        "1:1: the policy is larger than 1048576 bytes"
    );
}

#[test]
fn very_many_keys_and_very_many_problems_are_bounded() {
    let mut text = String::new();
    for index in 0..60_000 {
        text.push_str(&format!("k{index}: 1\n"));
    }
    let all = problems(&text);
    assert!((1..=200).contains(&all.len()), "{}", all.len());
}

#[test]
fn a_regular_expression_that_explodes_is_refused() {
    let all = problems(&format!(
        "{HEAD}overrides: {{allowed_by: [\"@a\"], ticket: \"(a{{1000}}){{1000}}\"}}\n"
    ));
    assert!(all[0].contains("it is too big"), "{all:#?}");
}

#[test]
fn a_list_a_word_and_nothing_at_the_top_are_no_policies() {
    assert!(problem("- a\n").starts_with("1:1: the policy has to be a mapping"));
    assert!(problem("hello\n").starts_with("1:1: the policy has to be a mapping"));
    for empty in [
        "",
        "\n\n",
        "# only a comment\n",
        "\u{feff}",
        "---\n...\n",
        "~",
    ] {
        assert_eq!(problems(empty).len(), 1, "{empty:?}: {:?}", problems(empty));
    }
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_change_nothing() {
    let text = format!("\u{feff}{}", HEAD.replace('\n', "\r\n"));
    assert_eq!(problems(&text), Vec::<String>::new());
    let wrong = format!("\u{feff}{}mod: x\r\n", HEAD.replace('\n', "\r\n"));
    assert_eq!(
        problem(&wrong),
        "3:1: the policy has no key `mod` (did you mean `mode`?)"
    );
}

#[test]
fn a_tab_for_indentation_is_a_problem_with_its_place() {
    let one = problem("version: 1\ncontrols:\n\tforce-push-blocked: {}\n");
    assert!(one.starts_with("3:"), "{one}");
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "\\PC*") {
        let _ = load(&given(&text), at(NOW));
    }

    /// One slip in a sound file: it is refused, or it still judges something.
    #[test]
    fn one_changed_character_never_leaves_a_policy_that_judges_nothing(
        at_byte in 0..super::values::FULL.len(), put in "[ \n\t:,{}\\[\\]#\"'a-z0-9]?"
    ) {
        let mut text = super::values::FULL.to_owned();
        text.replace_range(at_byte..=at_byte, &put);
        if let Ok(policy) = load(&given(&text), at(NOW)) {
            prop_assert!(!policy.controls.is_empty());
        }
    }

    #[test]
    fn random_yaml_like_text_never_panics(
        text in "(version|extends|controls|scans|waivers|max|[-:\\[\\]{},&*!|>'\"%@`#?~ \n\t]|[a-z0-9]){0,80}"
    ) {
        let _ = load(&given(&text), at(NOW));
    }
}
