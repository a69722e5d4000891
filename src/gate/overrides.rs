//! Override commands on the change: found, checked rule by rule, never taken on
//! trust. Every command is reported with the rule that it met or broke. Time is
//! the platform's; whatever could not be seen about a person speaks against them.

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::controls::Meta;
use crate::facts::{Comment, Fact, Snapshot};
use crate::policy::Policy;

use super::command::{Command, parse, weight};
use super::decide::{OverrideReport, OverrideState};
use super::independence::{independent, may_override};

/// Controls that nobody may override on a change: those about the policy itself.
/// None of them is built yet.
const NOT_OVERRIDABLE: &[&str] = &[];

/// How far the clocks of runner and platform may differ.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Whether anybody wrote an override command, so that the facts about people are needed.
pub fn has_override_command(facts: &Snapshot) -> bool {
    commands(facts).any(|(_, command)| matches!(command, Command::Override { .. }))
}

/// The teams or groups of `allowed_by` whose members have to be looked up.
pub fn teams_to_look_up(policy: &Policy) -> Vec<String> {
    policy
        .overrides
        .allowed_by
        .iter()
        .filter(|entry| entry.contains('/'))
        .cloned()
        .collect()
}

/// Every override command, oldest first. `needs_it` tells whether the control of
/// that code has a non-pass that nothing else covers.
pub(super) fn reports(
    policy: &Policy,
    facts: &Snapshot,
    needs_it: impl Fn(&str) -> bool,
) -> Vec<OverrideReport> {
    let mut reports: Vec<OverrideReport> = commands(facts)
        .filter_map(|(comment, command)| match command {
            Command::Override {
                control,
                ticket,
                reason,
            } => Some((comment, control, ticket, reason)),
            Command::Revoke { .. } => None,
        })
        .map(|(comment, control, ticket, reason)| {
            let meta = control_named(policy, &control);
            let mut report = OverrideReport {
                id: comment.id.clone(),
                code: meta.map_or(control, |meta| meta.code.to_owned()),
                by: comment.author.as_ref().map(|author| author.login.clone()),
                at: comment.created_at,
                expires: comment.created_at.checked_add(policy.overrides.max).ok(),
                ticket: (!ticket.is_empty()).then_some(ticket),
                text: reason,
                head: facts.subject.head.clone(),
                state: OverrideState::Refused,
                why: String::new(),
            };
            (report.state, report.why) = match judge(policy, facts, comment, meta, &report) {
                Err((state, why)) => (state, why),
                Ok(code) if !needs_it(code) => (
                    OverrideState::Unmatched,
                    format!("{code} needs no override: it is not failing, or a waiver covers it"),
                ),
                Ok(code) => (
                    OverrideState::Accepted,
                    format!(
                        "{code} is accepted for this head by @{}, who had no hand in the change",
                        report.by.as_deref().unwrap_or_default()
                    ),
                ),
            };
            report
        })
        .collect();
    reports.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    reports
}

type Refusal = (OverrideState, String);

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err((OverrideState::Refused, why.into()))
}

/// The rules in the order in which people can mend them. Gives the control's code.
fn judge(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    meta: Option<&'static Meta>,
    report: &OverrideReport,
) -> Result<&'static str, Refusal> {
    let rules = &policy.overrides;
    let Some(meta) = meta else {
        return refused(format!("the policy has no control `{}`", report.code));
    };
    if NOT_OVERRIDABLE.contains(&meta.code) {
        return refused(format!("{} cannot be overridden", meta.code));
    }
    match &comment.edited {
        Fact::Known { value: false, .. } => {}
        Fact::Known { value: true, .. } => {
            return refused("the comment was edited: write a new one, edited ones do not count");
        }
        Fact::Unknown(unknown) => {
            return refused(format!(
                "it cannot be told whether the comment was edited: {unknown}"
            ));
        }
    }
    let Some(author) = &comment.author else {
        return refused("the account that wrote it is gone");
    };
    if !author.is_human() {
        return refused(format!("@{} is not known to be a person", author.login));
    }
    may_override(rules, facts, author)?;
    independent(facts, author)?;
    ticket(rules.ticket.as_ref(), report.ticket.as_deref())?;
    let given = weight(&report.text);
    if given == 0 || given < rules.min_reason {
        return refused(format!(
            "the reason has {given} characters, the policy wants at least {}",
            rules.min_reason.max(1)
        ));
    }
    if let Some(by) = revoked(policy, facts, comment, meta) {
        return refused(format!("revoked by @{by}"));
    }
    in_time(facts, report)?;
    Ok(meta.code)
}

fn ticket(pattern: Option<&Regex>, ticket: Option<&str>) -> Result<(), Refusal> {
    let Some(ticket) = ticket else {
        return refused("no ticket is named: `/ccgate override CODE TICKET reason`");
    };
    let Some(pattern) = pattern else {
        return Ok(());
    };
    // Anchored here, since `is_match` would be content with a part of the word.
    let whole = Regex::new(&format!(r"\A(?:{})\z", pattern.as_str()));
    if whole.is_ok_and(|whole| whole.is_match(ticket)) {
        Ok(())
    } else {
        refused(format!(
            "the ticket `{ticket}` does not match `{}`",
            pattern.as_str()
        ))
    }
}

/// Bound to the head as it is now, and not over yet. Two clocks are known, the
/// machine's and the platform's; the later one counts, so that a slow clock
/// prolongs nothing.
fn in_time(facts: &Snapshot, report: &OverrideReport) -> Result<(), Refusal> {
    let now = match &facts.platform_time {
        Fact::Known { value, .. } => facts.observed_at.max(*value),
        Fact::Unknown(_) => facts.observed_at,
    };
    if report.at
        > now
            .saturating_add(CLOCK_TOLERANCE)
            .unwrap_or(Timestamp::MAX)
    {
        return refused(format!(
            "it was written at {}, which is later than now",
            report.at
        ));
    }
    match facts
        .override_people
        .known()
        .and_then(|people| people.head_since.known())
    {
        Ok(since) if report.at > *since => {}
        Ok(since) => {
            return Err((
                OverrideState::Void,
                format!("a new push at {since} voids it: it was given for an older head"),
            ));
        }
        Err(unknown) => {
            return refused(format!(
                "it cannot be told whether it was given for this head: {unknown}"
            ));
        }
    }
    match report.expires {
        Some(expires) if now <= expires => Ok(()),
        Some(expires) => Err((OverrideState::Expired, format!("it expired at {expires}"))),
        None => refused("its end cannot be reckoned: `overrides.max` is too long"),
    }
}

/// Who took it back, if anybody did: the one who gave it, or somebody who may
/// override. An edited revocation counts too, since an edit must not open the gate.
fn revoked(policy: &Policy, facts: &Snapshot, given: &Comment, meta: &Meta) -> Option<String> {
    commands(facts).find_map(|(comment, command)| {
        let Command::Revoke { control } = command else {
            return None;
        };
        let author = comment.author.as_ref()?;
        let by_giver = given
            .author
            .as_ref()
            .is_some_and(|giver| giver.is(&author.login));
        let concerns = control_named(policy, &control).is_some_and(|named| named.code == meta.code);
        let after = comment.created_at >= given.created_at && comment.id != given.id;
        (concerns
            && after
            && author.is_human()
            && (by_giver || may_override(&policy.overrides, facts, author).is_ok()))
        .then(|| author.login.clone())
    })
}

fn commands(facts: &Snapshot) -> impl Iterator<Item = (&Comment, Command)> {
    let comments = match &facts.comments {
        Fact::Known { value, .. } => value.as_slice(),
        Fact::Unknown(_) => &[],
    };
    comments
        .iter()
        .filter_map(|comment| parse(&comment.body).map(|command| (comment, command)))
}

/// The control of the policy with that code or id. Controls that are off count
/// as unneeded later, not as unknown words.
fn control_named(policy: &Policy, name: &str) -> Option<&'static Meta> {
    policy
        .controls
        .iter()
        .map(|bound| bound.control.meta())
        .find(|meta| meta.code.eq_ignore_ascii_case(name) || meta.id == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Account, AccountKind, Push, PushKind, Unknown};
    use crate::gate::testing::*;
    use crate::gate::{Disposition, Outcome, VerdictWord};

    fn failing() -> Policy {
        policy(vec![control(&FIRST, fail()), control(&SECOND, pass())])
    }

    fn with(comments: Vec<Comment>) -> Snapshot {
        let mut facts = facts();
        facts.comments = Fact::known_without_source(comments);
        facts
    }

    /// State and reason of the one command, after the case has changed the facts.
    fn judged(change: impl FnOnce(&mut Policy, &mut Snapshot)) -> (OverrideState, String) {
        let mut policy = failing();
        let mut facts = with(vec![command()]);
        change(&mut policy, &mut facts);
        let decision = decision(&policy, &facts);
        let report = &decision.overrides[0];
        let accepted = report.state == OverrideState::Accepted;
        assert_eq!(
            decision.outcome == Outcome::Allow,
            accepted,
            "{}",
            report.why
        );
        (report.state, report.why.clone())
    }

    fn written(body: &str) -> (OverrideState, String) {
        judged(|_, facts| {
            facts.comments = Fact::known_without_source(vec![Comment {
                body: body.to_owned(),
                ..command()
            }]);
        })
    }

    fn refuses(change: impl FnOnce(&mut Policy, &mut Snapshot), expected: &str) {
        let (state, why) = judged(change);
        assert_eq!(state, OverrideState::Refused, "{why}");
        assert!(why.contains(expected), "{why}");
    }

    fn hidden<T>() -> Fact<T> {
        Fact::Unknown(Unknown::not_collected("test.hidden"))
    }

    fn comment_of(facts: &mut Snapshot) -> &mut Comment {
        match &mut facts.comments {
            Fact::Known { value, .. } => &mut value[0],
            Fact::Unknown(_) => panic!("the case has comments"),
        }
    }

    fn value_of<T>(fact: &mut Fact<T>) -> &mut T {
        match fact {
            Fact::Known { value, .. } => value,
            Fact::Unknown(_) => panic!("the case has this fact"),
        }
    }

    #[test]
    fn a_second_person_opens_the_gate_and_the_fail_stays_on_record() {
        let decision = decision(&failing(), &with(vec![command()]));
        assert_eq!(decision.outcome, Outcome::Allow);
        assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
        assert_eq!(
            decision.controls[0].disposition,
            Some(Disposition::Overridden)
        );
        let report = &decision.overrides[0];
        assert_eq!(report.by.as_deref(), Some("lead"));
        assert_eq!(report.ticket.as_deref(), Some("INC-482"));
        assert_eq!(report.text, REASON);
        assert_eq!(report.expires, Some(at("2026-06-01T15:00:00Z")));
    }

    #[test]
    fn a_member_of_an_allowed_team_may_and_the_id_is_as_good_as_the_code() {
        let (state, why) = judged(|_, facts| {
            let comment = comment_of(facts);
            comment.author = Some(Account::human("sec"));
            comment.body = format!("/ccgate override first-thing-done INC-1 {REASON}");
        });
        assert_eq!(state, OverrideState::Accepted, "{why}");
    }

    #[test]
    fn an_unknown_verdict_can_be_overridden_and_a_passing_one_needs_none() {
        let policy = policy(vec![control(&FIRST, unknown())]);
        let seen = decision(&policy, &with(vec![command()]));
        assert_eq!(seen.controls[0].disposition, Some(Disposition::Overridden));
        let (state, _) = written(&format!("/ccgate override TST-02 INC-1 {REASON}"));
        assert_eq!(state, OverrideState::Unmatched);
    }

    #[test]
    fn an_edited_comment_does_not_count_nor_one_that_may_have_been() {
        refuses(
            |_, facts| comment_of(facts).edited = Fact::known_without_source(true),
            "edited",
        );
        refuses(
            |_, facts| comment_of(facts).edited = hidden(),
            "cannot be told",
        );
    }

    #[test]
    fn only_a_known_person_counts() {
        refuses(|_, facts| comment_of(facts).author = None, "gone");
        refuses(
            |_, facts| comment_of(facts).author = Some(Account::bot("lead")),
            "not known to be a person",
        );
        refuses(
            |_, facts| {
                comment_of(facts).author = Some(Account {
                    login: "lead".to_owned(),
                    kind: AccountKind::Other("mannequin".to_owned()),
                });
            },
            "not known to be a person",
        );
    }

    #[test]
    fn only_those_whom_the_policy_names_may() {
        refuses(
            |_, facts| comment_of(facts).author = Some(Account::human("eve")),
            "not among those",
        );
        refuses(|policy, _| policy.overrides.allowed_by.clear(), "nobody");
        refuses(
            |_, facts| {
                comment_of(facts).author = Some(Account::human("sec"));
                value_of(&mut facts.override_people).members[0].1 = hidden();
            },
            "could not see whether @sec is in @acme/security",
        );
    }

    #[test]
    fn nobody_who_had_a_hand_in_the_change_may() {
        refuses(
            |_, facts| value_of(&mut facts.identity).author = Some(Account::human("LEAD")),
            "opened the change",
        );
        refuses(
            |_, facts| value_of(&mut facts.commits)[0].author = person("lead"),
            "wrote commit",
        );
        refuses(
            |_, facts| value_of(&mut facts.commits)[0].committer = person("lead"),
            "committed commit",
        );
        refuses(
            |_, facts| value_of(&mut facts.commits)[0].co_authors = vec![person("lead")],
            "co-author",
        );
        refuses(
            |_, facts| {
                value_of(&mut facts.pushes).push(Push {
                    kind: PushKind::ForcePush,
                    at: at("2026-06-01T09:00:00Z"),
                    actor: Fact::known_without_source(Some(Account::human("lead"))),
                    before: None,
                    after: None,
                });
            },
            "pushed to the change",
        );
        refuses(
            |_, facts| {
                value_of(&mut facts.override_people).last_pusher =
                    Fact::known_without_source(Account::human("lead"));
            },
            "pushed last",
        );
    }

    #[test]
    fn whoever_cannot_be_told_might_be_the_same_person() {
        refuses(|_, facts| facts.identity = hidden(), "who opened it");
        refuses(
            |_, facts| value_of(&mut facts.identity).author = None,
            "the account is gone",
        );
        refuses(|_, facts| facts.commits = hidden(), "none of the commits");
        refuses(
            |_, facts| value_of(&mut facts.commits).clear(),
            "do not include the head",
        );
        refuses(
            |_, facts| {
                value_of(&mut facts.commits)[0].author.account = Fact::known_without_source(None);
            },
            "belongs to no account",
        );
        refuses(
            |_, facts| value_of(&mut facts.commits)[0].committer.account = hidden(),
            "had no hand in commit",
        );
        refuses(|_, facts| facts.pushes = hidden(), "who pushed");
        refuses(
            |_, facts| value_of(&mut facts.override_people).last_pusher = hidden(),
            "who pushed last",
        );
        refuses(
            |_, facts| facts.override_people = hidden(),
            "who pushed last",
        );
    }

    #[test]
    fn ticket_and_reason_are_what_the_policy_wants() {
        for (body, expected) in [
            ("/ccgate override", "no control"),
            ("/ccgate override TST-77 INC-1 x", "no control `TST-77`"),
            ("/ccgate override TST-01", "no ticket"),
            (
                "/ccgate override TST-01 because it has to go out",
                "does not match",
            ),
            (
                "/ccgate override TST-01 xINC-1 because it has to go out",
                "does not match",
            ),
            ("/ccgate override TST-01 INC-1 urgent", "has 6 characters"),
            (
                "/ccgate override TST-01 INC-1 \u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
                "has 0 characters",
            ),
        ] {
            let (state, why) = written(body);
            assert_eq!(state, OverrideState::Refused, "{body}");
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn a_new_push_voids_it() {
        for since in ["2026-06-01T11:00:00Z", "2026-06-01T11:30:00Z"] {
            let (state, _) = judged(|_, facts| {
                value_of(&mut facts.override_people).head_since =
                    Fact::known_without_source(at(since));
            });
            assert_eq!(state, OverrideState::Void);
        }
        refuses(
            |_, facts| value_of(&mut facts.override_people).head_since = hidden(),
            "given for this head",
        );
        refuses(
            |_, facts| value_of(&mut facts.identity).head = "0".repeat(40),
            "no longer the one",
        );
    }

    #[test]
    fn it_ends_by_the_later_of_two_clocks() {
        let late = at("2026-06-01T15:00:01Z");
        let (state, _) = judged(|_, facts| facts.observed_at = late);
        assert_eq!(state, OverrideState::Expired);
        let (state, _) = judged(|_, facts| {
            facts.platform_time = Fact::known_without_source(late);
        });
        assert_eq!(state, OverrideState::Expired);
        refuses(
            |_, facts| {
                facts.observed_at = at("2026-06-01T10:44:00Z");
                facts.platform_time = hidden();
            },
            "later than now",
        );
    }

    #[test]
    fn a_revocation_ends_it_edited_or_not_but_not_by_just_anybody() {
        let revoke = |login: &str| {
            let mut revocation = comment(
                "902",
                login,
                "2026-06-01T11:10:00Z",
                "/ccgate revoke TST-01",
            );
            revocation.edited = hidden();
            revocation
        };
        let seen = |login: &str| {
            let facts = with(vec![command(), revoke(login)]);
            decision(&failing(), &facts).overrides[0].why.clone()
        };
        assert_eq!(seen("sec"), "revoked by @sec");
        assert_eq!(seen("lead"), "revoked by @lead");
        assert!(!seen("tom").contains("revoked"));
    }

    #[test]
    fn every_command_is_reported_and_a_quoted_one_is_none() {
        let mut quoted = command();
        quoted.id = "903".to_owned();
        quoted.body = format!("> {}", quoted.body);
        let mut again = command();
        again.id = "902".to_owned();
        let facts = with(vec![quoted.clone(), again, command()]);
        assert_eq!(decision(&failing(), &facts).overrides.len(), 2);
        assert!(has_override_command(&facts));
        assert!(!has_override_command(&with(vec![quoted])));
        let mut unseen = facts;
        unseen.comments = hidden();
        assert!(!has_override_command(&unseen));
    }

    #[test]
    fn only_teams_are_looked_up() {
        assert_eq!(teams_to_look_up(&failing()), ["@acme/security"]);
    }
}
