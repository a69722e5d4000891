use super::*;
use crate::controls::testing::{
    approval, branch, changed, check, commit, head, hidden, identity, moved, nothing_seen, person,
    push, seen, verdict_of,
};
use crate::facts::{CheckConclusion, Person, PushKind, Requirement};

const BOT: &str = "dependabot[bot]";

fn bot() -> Account {
    Account::bot(BOT)
}

fn bot_person() -> Person {
    Person {
        account: seen(Some(bot())),
        ..person(BOT)
    }
}

fn signature(signer: Account, by_platform: bool) -> CommitSignature {
    CommitSignature {
        sha: head(),
        state: SignatureState::Verified,
        signer: seen(Some(signer)),
        by_platform: seen(by_platform),
    }
}

/// The bot alone raises a version in `web/package-lock.json`, signed, all green.
fn in_lane() -> Snapshot {
    let mut facts = branch(|rules| rules.required_checks = Requirement::any_layer(Vec::new()));
    let mut opened = identity("x");
    opened.author = Some(bot());
    facts.identity = seen(opened);
    let mut made = commit(head(), "x");
    made.author = bot_person();
    made.committer = bot_person();
    facts.commits = seen(vec![made]);
    facts.pushes = seen(Vec::new());
    facts.files = seen(vec![changed("web/package-lock.json")]);
    facts.signatures = seen(vec![signature(bot(), true)]);
    facts.checks = seen(vec![check("test", Some(CheckConclusion::Success))]);
    facts.reviews = seen(Vec::new());
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&DependencyBotStaysInLane::default(), facts)
}

/// Outside of the lane it needs people, and they are enough.
fn leaves_the_lane(mut facts: Snapshot) {
    assert_eq!(verdict(&facts), "fail pending");
    facts.reviews = seen(vec![approval("bob")]);
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn lock_files_alone_pass_without_people_and_people_alone_are_not_its_business() {
    assert_eq!(verdict(&in_lane()), "pass");
    let mut by_ana = in_lane();
    by_ana.identity = seen(identity("ana"));
    by_ana.commits = seen(vec![commit(head(), "ana")]);
    assert_eq!(verdict(&by_ana), "not_applicable");
}

#[test]
fn a_file_outside_of_the_lane_needs_people() {
    let mut facts = in_lane();
    facts.files = seen(vec![
        changed("web/package-lock.json"),
        changed("web/index.js"),
    ]);
    leaves_the_lane(facts);
}

/// The cheat: a file is moved out of its folder into the lane.
#[test]
fn a_moved_file_was_somewhere_else_before() {
    let mut facts = in_lane();
    let from = seen(Some("deploy/rules.json".to_owned()));
    facts.files = seen(vec![moved(from, "web/package-lock.json")]);
    leaves_the_lane(facts);
    let mut unseen = in_lane();
    unseen.files = seen(vec![moved(hidden(), "web/package-lock.json")]);
    assert_eq!(verdict(&unseen), "unknown");
}

/// The cheat: a person works on the bot's branch, as author, committer or pusher.
#[test]
fn another_hand_needs_people_and_not_the_same_ones() {
    let mut facts = in_lane();
    facts.pushes = seen(vec![push(
        PushKind::ForcePush,
        "2026-06-01T09:00:00Z",
        "eve",
    )]);
    assert_eq!(verdict(&facts), "fail pending");
    facts.reviews = seen(vec![approval("eve")]);
    assert_eq!(verdict(&facts), "fail pending");
    facts.reviews = seen(vec![approval("bob")]);
    assert_eq!(verdict(&facts), "pass");
    let mut committed = in_lane();
    let mut by_both = commit(head(), "eve");
    by_both.author = bot_person();
    committed.commits = seen(vec![by_both]);
    leaves_the_lane(committed);
}

/// The cheat: the bot's name in a commit that somebody else made and signed.
#[test]
fn the_name_of_the_bot_without_its_signature_is_worth_nothing() {
    let mut unsigned = in_lane();
    unsigned.signatures = seen(vec![CommitSignature {
        state: SignatureState::Unsigned,
        ..signature(bot(), false)
    }]);
    leaves_the_lane(unsigned);
    let mut by_eve = in_lane();
    by_eve.signatures = seen(vec![signature(Account::human("eve"), false)]);
    leaves_the_lane(by_eve);
    let mut none = in_lane();
    none.signatures = seen(Vec::new());
    leaves_the_lane(none);
    let lax = DependencyBotStaysInLane {
        allow_unsigned: true,
        ..DependencyBotStaysInLane::default()
    };
    let mut none = in_lane();
    none.signatures = seen(Vec::new());
    assert_eq!(verdict_of(&lax, &none), "pass");
}

#[test]
fn a_check_that_is_not_green_needs_people() {
    for result in [
        None,
        Some(CheckConclusion::Failure),
        Some(CheckConclusion::Skipped),
    ] {
        let mut facts = in_lane();
        facts.checks = seen(vec![check("test", result)]);
        leaves_the_lane(facts);
    }
    let mut nothing_ran = in_lane();
    nothing_ran.checks = seen(Vec::new());
    leaves_the_lane(nothing_ran);
}

#[test]
fn what_is_hidden_is_unknown_unless_it_does_not_matter() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    for hide in [
        (|facts| facts.files = hidden()) as fn(&mut Snapshot),
        |facts| facts.checks = hidden(),
        |facts| facts.pushes = hidden(),
        |facts| facts.signatures = hidden(),
    ] {
        let mut facts = in_lane();
        hide(&mut facts);
        assert_eq!(verdict(&facts), "unknown");
    }
    let mut facts = in_lane();
    facts.reviews = hidden();
    assert_eq!(verdict(&facts), "pass");
    facts.files = seen(vec![changed("index.js")]);
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn fewer_bots_more_paths_and_fewer_people_are_weaker() {
    let base = DependencyBotStaysInLane::default;
    for weaker in [
        DependencyBotStaysInLane {
            bots: vec![BOT.to_owned()],
            ..base()
        },
        DependencyBotStaysInLane {
            paths: PathGlobs::literal(&["**"]),
            ..base()
        },
        DependencyBotStaysInLane {
            allow_unsigned: true,
            ..base()
        },
        DependencyBotStaysInLane {
            gate: "test".to_owned(),
            ..base()
        },
    ] {
        assert!(weaker.weaker_than(&base()).is_some(), "{weaker:?}");
    }
    let more = DependencyBotStaysInLane { min: 2, ..base() };
    assert!(base().weaker_than(&more).is_some());
    assert_eq!(more.weaker_than(&base()), None);
    assert_eq!(base().weaker_than(&base()), None);
}
