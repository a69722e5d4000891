//! CHG-15: what counts as filled in.

use super::*;
use crate::controls::testing::{hidden, identity, nothing_seen, seen, verdict_of};

const GOOD: &str = "Retries once, as the bank asks for.\n\n## Test plan\n\nTried in the sandbox.\n\n\
                    **Rollback**\n- [x] revert is enough\n";

fn with(body: &str) -> Snapshot {
    let mut facts = nothing_seen();
    let mut told = identity("ana");
    body.clone_into(&mut told.body);
    facts.identity = seen(told);
    facts
}

fn plain(body: &str) -> String {
    verdict_of(&DescriptionFilled::default(), &with(body))
}

fn template(body: &str) -> String {
    let control = DescriptionFilled {
        headings: vec!["Test plan".to_owned(), "rollback".to_owned()],
        ..DescriptionFilled::default()
    };
    verdict_of(&control, &with(body))
}

#[test]
fn a_description_passes_and_none_or_a_short_one_fails() {
    assert_eq!(plain(GOOD), "pass");
    assert_eq!(plain(""), "fail");
    assert_eq!(plain("fix"), "fail");
}

#[test]
fn what_a_reader_does_not_see_counts_as_nothing() {
    assert_eq!(
        plain("<!-- a very long explanation that nobody sees -->"),
        "fail"
    );
    assert_eq!(plain(&"\u{200b}".repeat(100)), "fail");
    assert_eq!(plain(&"- [ ] ...".repeat(50)), "fail");
    assert_eq!(plain("<!-- never closed: a very long explanation"), "fail");
}

#[test]
fn every_heading_has_to_be_there_with_something_under_it() {
    assert_eq!(template(GOOD), "pass");
    assert_eq!(template(&GOOD.replace("## Test plan", "## Tests")), "fail");
    assert_eq!(template(&GOOD.replace("Tried in the sandbox.", "")), "fail");
    assert_eq!(
        template(&GOOD.replace("- [x] revert", "- [ ] revert")),
        "fail"
    );
    assert_eq!(
        template(&GOOD.replace("Tried in the sandbox.", "- TODO\n- tbd")),
        "fail"
    );
    assert_eq!(
        template(&GOOD.replace("Tried in the sandbox.", "<!-- how? -->")),
        "fail"
    );
}

#[test]
fn a_heading_is_known_in_any_spelling_and_a_look_alike_is_not() {
    assert_eq!(
        template(&GOOD.replace("## Test plan", "# TEST PLAN: #")),
        "pass"
    );
    assert_eq!(
        template(&GOOD.replace("**Rollback**", "**rollback:**")),
        "pass"
    );
    // A Cyrillic letter, a hash that makes no heading, seven of them.
    assert_eq!(template(&GOOD.replace("## Test", "## T\u{435}st")), "fail");
    assert_eq!(template(&GOOD.replace("## Test", "##Test")), "fail");
    assert_eq!(template(&GOOD.replace("## Test", "####### Test")), "fail");
}

#[test]
fn none_is_an_answer() {
    assert_eq!(
        template(&GOOD.replace("- [x] revert is enough", "None needed.")),
        "pass"
    );
}

#[test]
fn odd_texts_do_no_harm() {
    for body in [
        "**",
        "****",
        "#",
        "# ",
        "**:",
        "[",
        "- [",
        "\u{0}",
        "**\u{e9}**",
    ] {
        assert_eq!(plain(body), "fail", "{body}");
        assert_eq!(template(body), "fail", "{body}");
    }
}

#[test]
fn a_hidden_description_is_unknown() {
    let mut facts = nothing_seen();
    facts.identity = hidden();
    assert_eq!(verdict_of(&DescriptionFilled::default(), &facts), "unknown");
}

#[test]
fn fewer_headings_or_characters_are_weaker() {
    let base = DescriptionFilled {
        headings: vec!["Test plan".to_owned()],
        min_characters: 50,
    };
    assert!(DescriptionFilled::default().weaker_than(&base).is_some());
    let short = DescriptionFilled {
        min_characters: 10,
        ..base.clone()
    };
    assert!(short.weaker_than(&base).is_some());
    assert_eq!(base.weaker_than(&DescriptionFilled::default()), None);
}
