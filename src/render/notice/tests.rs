//! What stands in a notice, and what it cannot do.

use serde_json::{Value, json};

use crate::facts::Fact;
use crate::gate::testing::{FIRST, REASON, control, decision, facts, fail, policy};
use crate::gate::{
    CHANGE_RECORD_TYPE, OVERRIDE_RECORD_TYPE, REVIEW_RECORD_TYPE, has_override_command, register,
};
use crate::render::testing::HOSTILE;

use super::*;

const NOW: &str = "2026-06-05T12:00:00Z";

fn given(id: &str, change: u64, words: &str) -> Value {
    json!({"predicateType": OVERRIDE_RECORD_TYPE, "predicate": {
        "id": id, "kind": "break_glass", "controls": ["CHG-04"], "ticket": {"key": words},
        "scope": {"change": change, "head": "f1"}, "approver": {"login": "ana"},
        "requester": {"login": "tom"}, "approval": "902",
        "expires_at": "2026-06-01T15:00:00Z", "approved_at": {"forge_time": "2026-06-01T11:00:00Z"},
        "review": {"due_at": "2026-06-02T11:00:00Z"}}})
}

fn breach(id: &str) -> Value {
    json!({"predicateType": OVERRIDE_RECORD_TYPE, "predicate": {
        "id": id, "kind": "bypass_detected", "controls": ["CHG-21"],
        "scope": {"change": 42, "head": "f2"}, "involved": ["eve"],
        "observed_at": "2026-06-04T11:00:00Z", "review": {"due_at": "2026-06-11T11:00:00Z"}}})
}

fn reviewed(of: &str) -> Value {
    json!({"predicateType": REVIEW_RECORD_TYPE, "predicate": {
        "override": of, "outcome": "ratified", "observed_at": "2026-06-01T12:00:00Z",
        "reviewer": {"login": "li"}}})
}

/// A run that met somebody who asks, and somebody who asked in vain.
fn run(words: &str) -> Value {
    json!({"predicateType": CHANGE_RECORD_TYPE, "predicate": {
        "subject": {"change": 42, "head": "f1"},
        "overrides": [
            {"id": "ovr_asked", "comment": "1", "control": "CHG-02", "by": words, "state": "requested"},
            {"id": "ovr_vain", "comment": "2", "control": words, "by": "eve", "state": "refused",
                "why": words}]}})
}

fn told(statements: &[Value]) -> (OverrideNotice, OverrideNotice) {
    let all = register(statements, NOW.parse().expect("a literal timestamp"));
    let of = |change| notice_marker("acme/payments", change).expect("a plain path");
    (
        notice_of_change(&all, &of(Some(42)), 42),
        notice_of_repository(&all, &of(None)),
    )
}

#[test]
fn a_comment_tells_of_its_change_alone_who_did_what_and_which_command_reviews_it() {
    let all = [
        given("ovr_1", 42, "INC-482"),
        given("ovr_2", 43, "INC-483"),
        breach("byp_3"),
        given("ovr_4", 42, "INC-484"),
        reviewed("ovr_4"),
        run("li"),
    ];
    let (comment, _) = told(&all);
    assert!(comment.tells && comment.wanting);
    let text = comment.text;
    assert!(
        text.starts_with("<!-- ccgate:overrides:acme/payments:42 -->\n"),
        "{text}"
    );
    for wanted in [
        "- **overdue** break&#95;glass `ovr_1` of CHG-04, change 42, asked for by tom, approved by ana",
        "expired, until 2026-06-01T15:00:00Z, orphaned, ticket INC-482",
        "to be reviewed by 2026-06-02T11:00:00Z: somebody of `allowed_by`",
        "`/ccgate review ovr_1 ratified`",
        "**open** bypass&#95;detected `byp_3`",
        "eve had a hand in it",
        "**reviewed** break&#95;glass `ovr_4`",
        "ratified by li at 2026-06-01T12:00:00Z",
        "override of CHG-02 on change 42 by li; somebody else",
        "`/ccgate approve ovr_asked`",
        "override of li on change 42 by eve, refused: li",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(!text.contains("ovr_2"), "{text}");
    assert!(!text.contains("review ovr_4"), "{text}");
}

#[test]
fn an_issue_tells_what_is_to_be_done_in_all_and_sums() {
    let all = [
        given("ovr_1", 42, "INC-482"),
        given("ovr_2", 43, "INC-483"),
        breach("byp_3"),
        given("ovr_4", 42, "INC-484"),
        reviewed("ovr_4"),
        run("li"),
    ];
    let (_, issue) = told(&all);
    assert!(issue.tells && issue.wanting);
    let text = issue.text;
    assert!(
        text.starts_with("<!-- ccgate:overrides:acme/payments -->\n"),
        "{text}"
    );
    for wanted in [
        "2 overdue, 1 breaches without review, 0 open, 1 asked for and not approved, 4 on record",
        "`ovr_1`",
        "`ovr_2`",
        "`byp_3`",
        "- CHG-04: 3 overrides, 0 breaches, 2 overdue",
        "- tom: asked for 3, answers for 0, reviewed 0, 0 in vain",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    assert!(!text.contains("`ovr_4`"), "it is reviewed and over: {text}");
}

#[test]
fn where_nothing_is_on_record_there_is_nothing_to_tell() {
    let (comment, issue) = told(&[given("ovr_2", 43, "INC-483"), reviewed("ovr_2")]);
    assert!(!comment.tells && !comment.wanting);
    assert!(comment.text.contains("Nothing is on record"));
    assert!(issue.tells && !issue.wanting);
}

/// A notice in the place of a comment by somebody who may override, approve and review.
#[test]
fn a_notice_that_is_read_as_a_comment_asks_for_approves_and_reviews_nothing() {
    let command = format!("\n/ccgate override {} INC-482 {REASON}", FIRST.code);
    for words in [
        command.as_str(),
        "/ccgate approve ovr_1",
        "\r\n/merge",
        HOSTILE,
    ] {
        let hostile = [
            given("ovr_1", 42, words),
            given(words, 42, words),
            run(words),
        ];
        let (comment, issue) = told(&hostile);
        for text in [comment.text, issue.text] {
            let mut facts = facts();
            let mut read = crate::gate::testing::command();
            read.body.clone_from(&text);
            facts.comments = Fact::known_without_source(vec![read]);
            assert!(!has_override_command(&facts), "{text}");
            let decided = decision(&policy(vec![control(&FIRST, fail())]), &facts);
            assert!(decided.overrides.is_empty(), "{text}");
            assert!(decided.approvals.is_empty() && decided.reviews.is_empty());
            // GitLab takes a line that begins with a slash for a command of its own.
            assert!(!text.lines().any(|line| line.trim_start().starts_with('/')));
        }
    }
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![crate::gate::testing::command()]);
    assert!(
        has_override_command(&facts),
        "the reader does read commands"
    );
}

/// The text with its entities as the characters that they are.
fn finished(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut page = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').expect("an entity ends");
        let number = number.parse().expect("an entity is a number");
        page.push(char::from_u32(number).expect("a character"));
        page.push_str(rest);
    }
    page
}

#[test]
fn text_of_others_mentions_nobody_and_holds_no_link_and_no_image() {
    let words = format!(
        "@everyone https://x.test www.x.test ![i](https://x.test/i.png) <a href=x> #1 GH-12 {} {HOSTILE}",
        "f".repeat(40)
    );
    for start in 0..words.chars().count() {
        let rest: String = words.chars().skip(start).collect();
        let (comment, issue) =
            told(&[given("ovr_1", 42, &rest), given(&rest, 42, "x"), run(&rest)]);
        for text in [comment.text, issue.text] {
            let body = text.split_once('\n').expect("a marker").1;
            for dangerous in ["](", "![", "<", "\u{202e}", "\u{1b}"] {
                assert!(!body.contains(dangerous), "{dangerous} in {body}");
            }
            // References are looked for in the finished page.
            let page = finished(body);
            for dangerous in ["@e", "://", "www.", "#1", "GH-1", "fffffff"] {
                assert!(!page.contains(dangerous), "{dangerous} in {page}");
            }
        }
    }
}

#[test]
fn a_command_to_copy_names_an_id_of_ours_or_none() {
    let (comment, _) = told(&[given("ovr_1 ratified` @eve", 42, "x")]);
    assert!(!comment.text.contains("/ccgate review"), "{}", comment.text);
}

#[test]
fn a_notice_that_is_too_long_says_how_much_is_left_out_and_keeps_what_is_urgent() {
    let mut all: Vec<Value> = (0..2000)
        .flat_map(|number| {
            let id = format!("ovr_{number}a");
            [given(&id, 42, &HOSTILE.repeat(20)), reviewed(&id)]
        })
        .collect();
    all.push(given("ovr_urgent", 42, "INC-1"));
    all.push(run(&HOSTILE.repeat(20)));
    let (comment, issue) = told(&all);
    assert!(comment.text.len() <= 65_536 && issue.text.len() <= 65_536);
    let shown = comment.text.matches("\n- ").count();
    // Each override, who asks, and who asked in vain.
    let left_out = 2001 + 2 - shown;
    assert!(
        comment
            .text
            .contains(&format!("**{left_out} more lines did not fit here")),
        "{shown}"
    );
    for text in [comment.text, issue.text] {
        assert!(text.contains("**overdue** break&#95;glass `ovr_urgent`"));
    }
}

#[test]
fn a_path_that_could_end_the_marker_is_no_path() {
    for path in ["acme/x -->", "acme/x\n/ccgate", "acme/`x`"] {
        assert!(notice_marker(path, None).is_err(), "{path}");
    }
    assert_eq!(
        notice_marker("Acme/Pay.ments", Some(4)).as_deref(),
        Ok("<!-- ccgate:overrides:acme/pay.ments:4 -->")
    );
}
