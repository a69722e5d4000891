//! Controls of a policy's own: what is read, what is refused and where, and what a
//! branch may do about those of the default branch.

use super::{NOW, at, document, given, loaded, notes, over, problem, problems};
use crate::facts::FactKey;
use crate::policy::{BoundControl, Enforcement, Policy, lint};

const OWN: &str = "version: 1\ncustom:\n  - id: own-rule\n    criteria: [CC8.1]\n    assert: change.labels.exists(l, l == \"ok\")\n    next: set the label\n";

fn bound<'p>(policy: &'p Policy, code: &str) -> &'p BoundControl {
    let found = policy
        .controls
        .iter()
        .find(|one| one.control.meta().code == code);
    found.expect("the control is in the policy")
}

fn asserted(policy: &Policy) -> String {
    let own = bound(policy, "CUS-own-rule").control.as_custom();
    own.expect("it is one")
        .declaration()
        .assert
        .text()
        .to_owned()
}

#[test]
fn it_is_a_control_like_the_others() {
    let policy = loaded(&given(OWN));
    let own = bound(&policy, "CUS-own-rule");
    assert_eq!(own.enforcement, Enforcement::Block);
    assert_eq!(own.control.meta().title, "own rule");
    assert_eq!(own.control.meta().remedy_github, "set the label");
    assert!(policy.needs().has(FactKey::ChangeIdentity));
    assert!(!policy.needs().has(FactKey::ChangeReviews));
}

#[test]
fn a_wrong_word_is_found_at_its_place() {
    let of = |assert: &str| {
        problem(&format!(
            "version: 1\ncustom:\n  - id: own-rule\n    criteria: [CC8.1]\n    assert: {assert}\n"
        ))
    };
    assert_eq!(
        of("change.labels.exists(l, l == \"x\") && change.titel == \"\""),
        "5:57: `assert`: there is no name `change.titel` (did you mean `title`?)"
    );
    assert_eq!(
        of("'chnage.draft'"),
        "5:14: `assert`: there is no name `chnage` (did you mean `change`?)"
    );
    assert_eq!(
        of(">-\n      change.draft &&\n      change.commits.all(c, c.shaa != \"\")"),
        "7:31: `assert`: there is no field `shaa` here (did you mean `sha`?)"
    );
    assert_eq!(
        of("change.title.startWith(\"x\")"),
        "5:26: `assert`: there is no function `startWith` in this place (did you mean `startsWith`?)"
    );
    assert!(
        of("change.draft == ").starts_with("5:"),
        "{}",
        of("change.draft == ")
    );
    assert!(of("3").starts_with("5:13: `assert`: the expression gives a number"));
}

#[test]
fn an_id_never_collides_with_a_built_in_one() {
    for id in [
        "force-push-blocked",
        "br-18",
        "chg-99",
        "cus-own",
        "Own",
        "own_rule",
        "-own",
        "own-",
        "o--w",
        "9own",
        "CUS-own",
        "own rule",
    ] {
        let text = OWN.replace("id: own-rule", &format!("id: \"{id}\""));
        let all = problems(&text);
        assert!(
            all.iter().any(|one| one.starts_with("3:9: `")),
            "{id}: {all:?}"
        );
    }
}

#[test]
fn what_is_missing_unknown_or_given_twice_is_a_problem() {
    for (from, to, says) in [
        ("id: own-rule", "title: x", "lacks `id`"),
        ("    criteria: [CC8.1]\n", "", "lacks `criteria`"),
        (
            "[CC8.1]",
            "[CC8.11]",
            "there is no criterion `CC8.11` (did you mean `CC8.1`?)",
        ),
        ("[CC8.1]", "[]", "`criteria` is empty"),
        ("[CC8.1]", "[CC8.1, CC8.1]", "given twice"),
        (
            "    assert:",
            "    asert:",
            "has no key `asert` (did you mean `assert`?)",
        ),
        (
            "next: set the label",
            "next: \"a\\nb\"",
            "`next` has to be one line",
        ),
        (
            "next: set the label",
            "enforce: sometimes",
            "`enforce` knows no",
        ),
        (
            "next: set the label",
            "enforce: off",
            "lacks `reason`, `owner`, `expires`",
        ),
        (
            "next: set the label",
            "compensated_by: BR-18",
            "has no key `compensated_by`",
        ),
    ] {
        let all = problems(&OWN.replace(from, to));
        assert!(all.iter().any(|one| one.contains(says)), "{says}: {all:?}");
    }
    let twice = format!(
        "{OWN}{}",
        OWN.split_once("custom:\n").expect("it has the key").1
    );
    assert!(problem(&twice).contains("given twice"));
    let many: String = (0..51)
        .map(|n| format!("  - {{id: own-r{n}, criteria: [CC8.1], assert: change.draft}}\n"))
        .collect();
    assert!(problem(&format!("version: 1\ncustom:\n{many}")).contains("more than 50"));
}

#[test]
fn it_can_be_waived_by_id_and_by_code() {
    for name in ["own-rule", "CUS-own-rule"] {
        let policy = loaded(&given(&format!(
            "{OWN}waivers:\n  - {{control: {name}, scope: \"*\", reason: r, owner: \"@a\", approved_by: \"@b\", expires: 2027-01-31}}\n"
        )));
        assert_eq!(policy.waivers[0].control, "own-rule");
    }
}

#[test]
fn a_branch_cannot_leave_it_out() {
    let policy = loaded(&over("version: 1\nextends: [soc2-baseline]\n", OWN));
    assert_eq!(
        bound(&policy, "CUS-own-rule").enforcement,
        Enforcement::Block
    );
    assert!(
        notes(&policy)
            .iter()
            .any(|note| note.contains("`own-rule` is judged although"))
    );
}

#[test]
fn a_branch_cannot_alter_it() {
    for (from, to) in [
        ("l == \"ok\"", "true"),
        ("    next", "    when: false\n    next"),
        ("    next", "    enforce: warn\n    next"),
        ("    next", "    on_unknown: warn\n    next"),
        (
            "    next",
            "    enforce: off\n    reason: r\n    owner: \"@a\"\n    expires: 2027-01-31\n    next",
        ),
        ("[CC8.1]", "[CC7.1]"),
        ("set the label", "nothing to do"),
    ] {
        let policy = loaded(&over(&OWN.replace(from, to), OWN));
        let own = bound(&policy, "CUS-own-rule");
        assert_eq!(own.enforcement, Enforcement::Block, "{to}");
        assert_eq!(
            asserted(&policy),
            "change.labels.exists(l, l == \"ok\")",
            "{to}"
        );
        assert!(
            own.control
                .as_custom()
                .is_some_and(|own| own.declaration().when.is_none())
        );
        assert_eq!(own.control.meta().remedy_github, "set the label");
        assert!(
            notes(&policy)
                .iter()
                .any(|note| note.contains("`own-rule` is held")),
            "{to}"
        );
    }
}

#[test]
fn a_branch_cannot_waive_it_and_may_add_its_own() {
    let waiver = "waivers:\n  - {control: own-rule, scope: \"*\", reason: r, owner: \"@a\", approved_by: \"@b\", expires: 2027-01-31}\n";
    let policy = loaded(&over(&format!("{OWN}{waiver}"), OWN));
    assert!(policy.waivers.is_empty());
    let more = OWN.replace("own-rule", "another-rule");
    let policy = loaded(&over(&more, OWN));
    bound(&policy, "CUS-another-rule");
    bound(&policy, "CUS-own-rule");
}

#[test]
fn lint_says_what_can_be_met_by_nobody_acting() {
    let said = |text: &str| -> Vec<String> {
        let notes = lint(&document("p.yml", text), at(NOW)).expect("it is valid");
        notes.into_iter().map(|note| note.message).collect()
    };
    assert_eq!(said(OWN), Vec::<String>::new());
    let all = said(&OWN.replace("exists(l, l == \"ok\")", "all(l, l != \"hold\")"));
    assert!(all[0].contains("met by nobody acting"), "{all:?}");
    let never = said(&OWN.replace("    next", "    when: false\n    next"));
    assert!(never[0].contains("nothing is ever asked"), "{never:?}");
}
