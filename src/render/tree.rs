//! The decision tree of a control as people read it: who had a hand in the change, what
//! each review said, and why it counts or does not. Decides nothing.

use crate::controls::{Deed, Doer, Ruling, Tree, Worth};
use crate::facts::{Fact, Review, ReviewState, Snapshot};

use super::escape::terminal;
use super::wording::short;
use super::wrap::wrap;

/// Longest text that others wrote and that is shown here.
const LONGEST: usize = 300;

/// The tree, below the outcome of its control.
pub fn tree(tree: &Tree, facts: &Snapshot, width: usize) -> String {
    let mut text = String::new();
    if let Some(hands) = &tree.hands {
        text.push_str("\nwho had a hand in the change\n");
        for deed in hands {
            text.push_str(&line("  ", &in_words(deed), width));
        }
    }
    for branch in &tree.branches {
        let needed = match branch.needed {
            0 => "none may count".to_owned(),
            needed => format!("{needed} have to count"),
        };
        let about = match &branch.about {
            Some(about) => format!("reviews: {about}; {needed}"),
            None => format!("reviews; {needed}"),
        };
        text.push('\n');
        text.push_str(&line("", &about, width));
        match &branch.rulings {
            Err(unknown) => text.push_str(&line("  ", &format!("not seen: {unknown}"), width)),
            Ok(rulings) if rulings.is_empty() => text.push_str("  there is none\n"),
            Ok(rulings) => {
                for ruling in rulings {
                    text.push_str(&review(ruling, facts, width));
                }
            }
        }
    }
    text
}

fn line(heading: &str, says: &str, width: usize) -> String {
    wrap(heading, &terminal(says, LONGEST), width)
}

fn in_words(deed: &Deed) -> String {
    let who = match &deed.who {
        Doer::Account(account) => format!("@{}", account.login),
        Doer::Platform(account) => format!("@{} (the platform, for the author)", account.login),
        Doer::Nobody(name) => format!("`{name}` (no account belongs to it)"),
        Doer::Hidden(unknown) => format!("somebody who is not seen ({unknown})"),
    };
    match &deed.at {
        Some(at) => format!("{who} {} ({at})", deed.how),
        None => format!("{who} {}", deed.how),
    }
}

/// What was said, and below it what becomes of it.
fn review(ruling: &Ruling, facts: &Snapshot, width: usize) -> String {
    let reviews = facts.reviews.known();
    let said = reviews
        .ok()
        .and_then(|reviews| reviews.get(ruling.review))
        .map(said)
        .unwrap_or_default();
    let mut text = line("  ", &format!("{} {said}", ruling.who()), width);
    let (heading, why) = match &ruling.worth {
        Worth::Counts(how) => ("    counts: ", how.clone()),
        Worth::Never(against) => ("    does not count: ", against.to_string()),
        Worth::Unknown(unknown) => ("    cannot be told: ", unknown.to_string()),
    };
    text.push_str(&line(heading, &why, width));
    text
}

fn said(review: &Review) -> String {
    let word = match &review.state {
        ReviewState::Approved => "approved",
        ReviewState::ChangesRequested => "asked for changes",
        ReviewState::Commented => "commented",
        ReviewState::Dismissed => "gave an opinion that was dismissed or withdrawn",
        ReviewState::Other(word) => word,
    };
    let commit = match &review.commit {
        Fact::Known {
            value: Some(commit),
            ..
        } => format!(" at {}", short(commit)),
        Fact::Known { value: None, .. } => String::new(),
        Fact::Unknown(_) => " at a commit that is not seen".to_owned(),
    };
    let when = match &review.submitted_at {
        Fact::Known { value, .. } => format!(", {value}"),
        Fact::Unknown(_) => ", at a time that is not seen".to_owned(),
    };
    format!("{word}{commit}{when}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::find;
    use crate::controls::testing::{
        approval, at, commit, head, hidden, identity, older, person, push, reviewed, seen, stale,
    };
    use crate::facts::{Account, AccountKind, Person, PushKind};
    use serde_json::{Value, json};

    fn shown(code: &str, parameters: Value, facts: &Snapshot) -> String {
        let control = find(code).unwrap().bind(parameters).unwrap();
        tree(&control.tree(facts).unwrap(), facts, 400)
    }

    /// A change in which everything happened.
    fn busy() -> Snapshot {
        let like = |login: &str, state: ReviewState| Review {
            state,
            ..approval(login)
        };
        let mut bot = approval("ok[bot]");
        bot.reviewer = Some(Account::bot("ok[bot]"));
        let mut gone = approval("x");
        gone.reviewer = None;
        let mut reader = approval("rea");
        reader.can_write = seen(false);
        let mut unseen = approval("mona");
        unseen.can_write = hidden();
        let mut facts = reviewed(vec![
            approval("bob"),
            like("li", ReviewState::Commented),
            approval("flo"),
            like("flo", ReviewState::ChangesRequested),
            like("dora", ReviewState::Dismissed),
            bot,
            gone,
            reader,
            unseen,
            approval("ana"),
            approval("carol"),
            stale("sam"),
        ]);
        facts.identity = seen(identity("ana"));
        let mut newest = commit(head(), "ana");
        newest.co_authors = vec![person("carol")];
        newest.committer.account = seen(Some(Account {
            login: "web-flow".to_owned(),
            kind: AccountKind::Platform,
            id: None,
        }));
        facts.commits = seen(vec![commit(older(), "ana"), newest]);
        facts.pushes = seen(vec![push(
            PushKind::ForcePush,
            "2026-06-01T10:00:00Z",
            "pia",
        )]);
        facts
    }

    #[test]
    fn the_tree_says_of_each_review_why_it_counts_or_does_not() {
        let facts = busy();
        let text = shown("CHG-03", json!({}), &facts);
        for (said, becomes) in [
            (
                "@bob approved at f1f1f1f, 2026-06-01T11:00:00Z",
                "counts: @bob approved the head f1f1f1f",
            ),
            ("@li commented", "does not count: a comment is no approval"),
            (
                "@flo approved",
                "does not count: the same person gave another opinion later",
            ),
            (
                "@flo asked for changes",
                "does not count: it asks for changes",
            ),
            (
                "@dora gave an opinion that was dismissed",
                "does not count: it was dismissed or withdrawn",
            ),
            ("@ok[bot] approved", "does not count: only people approve"),
            (
                "a deleted account approved",
                "does not count: the account is gone",
            ),
            (
                "@rea approved",
                "does not count: the reviewer may not write",
            ),
            ("@mona approved", "cannot be told: "),
            (
                "@ana approved",
                "does not count: the reviewer opened the change",
            ),
            (
                "@carol approved",
                "does not count: the reviewer had a hand in the change: is a co-author",
            ),
            (
                "@sam approved at 0d0d0d0",
                "does not count: @sam approved 0d0d0d0 but the head is f1f1f1f",
            ),
        ] {
            let at = text.find(said).unwrap_or_else(|| panic!("{said}: {text}"));
            let below = text[at..].lines().nth(1).unwrap_or_default();
            assert!(below.trim_start().starts_with(becomes), "{said}: {below}");
        }
    }

    #[test]
    fn the_tree_says_who_had_a_hand_in_the_change_and_where() {
        let mut facts = busy();
        let text = shown("CHG-04", json!({}), &facts);
        for part in [
            "@ana opened it",
            "@ana wrote a commit (0d0d0d0)",
            "@web-flow (the platform, for the author) committed (f1f1f1f)",
            "@carol is a co-author (f1f1f1f)",
            "@pia force-pushed it (2026-06-01T10:00:00Z)",
            "1 have to count",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let mut lost = commit(head(), "ana");
        lost.author = Person {
            name: "m\u{1b}[2J".to_owned(),
            account: seen(None),
            ..person("x")
        };
        lost.committer.account = hidden();
        facts.commits = seen(vec![lost]);
        let text = shown("CHG-05", json!({}), &facts);
        assert!(
            text.contains("no account belongs to it) wrote a commit"),
            "{text}"
        );
        assert!(text.contains("somebody who is not seen"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("have to count"));
    }

    #[test]
    fn other_controls_over_approvals_and_objections_have_their_own_reasons() {
        let facts = busy();
        let named = shown("CHG-06", json!({"from": ["@sam"]}), &facts);
        assert!(
            named.contains("does not count: the reviewer is none of @sam"),
            "{named}"
        );
        let agents = shown("CHG-08", json!({"logins": ["bob"]}), &facts);
        assert!(agents.contains("does not count: the policy takes the reviewer for an agent"));
        let open = shown("CHG-07", json!({}), &facts);
        assert!(open.contains("objections; none may count"), "{open}");
        assert!(open.contains("counts: nothing took it back"), "{open}");
    }

    #[test]
    fn reviews_that_were_not_seen_and_none_are_said_to_be_so() {
        let mut facts = reviewed(Vec::new());
        assert!(shown("CHG-02", json!({}), &facts).contains("there is none"));
        facts.reviews = hidden();
        assert!(shown("CHG-02", json!({}), &facts).contains("not seen: "));
    }

    #[test]
    fn a_stale_approval_by_the_clock_shows_both_moments() {
        let mut early = approval("bob");
        early.commit = seen(None);
        early.submitted_at = seen(at("2026-06-01T09:00:00Z"));
        let mut facts = reviewed(vec![early]);
        facts.pushes = seen(vec![push(PushKind::Push, "2026-06-01T10:00:00Z", "ana")]);
        let text = shown("CHG-03", json!({}), &facts);
        assert!(
            text.contains("2026-06-01T09:00:00Z, not after the last push 2026-06-01T10:00:00Z")
        );
    }
}
