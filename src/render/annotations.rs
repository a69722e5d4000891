//! GitHub annotations by workflow commands. GitHub keeps ten of each kind a
//! step and drops the rest without a word, so the tenth says what is missing.

use crate::gate::Decision;

use super::escape::{LONGEST, command_message, command_property};
use super::wording::{self, Label};

const MOST: usize = 10;

/// The decision as workflow commands; empty if there is nothing to say.
pub fn annotations(decision: &Decision) -> String {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut notices = Vec::new();
    if let Some(problem) = &decision.problem {
        errors.push(("ccgate".to_owned(), problem.clone()));
    }
    let mut controls: Vec<_> = decision
        .controls
        .iter()
        .filter(|control| Label::of(control).needs_words())
        .collect();
    controls.sort_by_key(|control| Label::of(control));
    for control in controls {
        let label = Label::of(control);
        let title = format!("{} {} {}", label.word(), control.meta.code, control.meta.id);
        let more = wording::covered_by(decision, control)
            .or_else(|| control.next.as_ref().map(|next| format!("next: {next}")));
        let message = match more {
            Some(more) => format!("{} | {more}", control.summary),
            None => control.summary.clone(),
        };
        let kind = match label {
            Label::Failed | Label::Unknown => &mut errors,
            Label::Pending | Label::Warned => &mut warnings,
            Label::Overridden
            | Label::Waived
            | Label::Compensated
            | Label::Passed
            | Label::NotApplicable
            | Label::Off => &mut notices,
        };
        kind.push((title, message));
    }
    for remark in wording::idle_overrides(decision) {
        warnings.push(("override".to_owned(), remark));
    }
    for note in wording::notes(decision) {
        warnings.push(("policy".to_owned(), note));
    }
    let mut text = commands("error", &errors);
    text.push_str(&commands("warning", &warnings));
    text.push_str(&commands("notice", &notices));
    text
}

fn commands(kind: &str, messages: &[(String, String)]) -> String {
    let mut text = String::new();
    let shown = if messages.len() > MOST {
        MOST - 1
    } else {
        messages.len()
    };
    for (title, message) in &messages[..shown] {
        text.push_str(&format!(
            "::{kind} title={}::{}\n",
            command_property(title, 200),
            command_message(message, 2 * LONGEST)
        ));
    }
    if shown < messages.len() {
        text.push_str(&format!(
            "::{kind} title=ccgate::and {} more, see the summary\n",
            messages.len() - shown
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{blocked, covered, hostile, pending};

    #[test]
    fn what_closes_the_gate_is_an_error_the_rest_is_less() {
        insta::assert_snapshot!(annotations(&blocked()), @r"
        ::error title=FAIL TST-01 first-thing-done::it is not done | next: mend it on GitHub
        ::error title=UNKNOWN TST-02 second-thing-done::could not read branch.bypass: the answer lacks it (needs Administration: read) | next: grant `Administration: read` to the token
        ::warning title=override::override of TST-01 by @eve is requested: it waits until somebody else of those who may override, without a hand in the change, writes `/ccgate approve ovr_ac922f2292386e2efae85bc577`: @eve is not among those who may override: @lead, @acme/security
        ::warning title=policy::.ccgate.yml@main:12:5: the waiver of `first-thing-done` expired on 2026-05-01: renew it with a new approval, or remove it
        ");
        assert!(annotations(&covered()).starts_with("::notice title=OVERRIDDEN TST-01"));
        assert!(annotations(&pending()).starts_with("::warning title=PENDING TST-01"));
    }

    #[test]
    fn the_tenth_says_how_many_are_missing() {
        let message = ("title".to_owned(), "text".to_owned());
        assert_eq!(
            commands("error", &vec![message.clone(); 10])
                .lines()
                .count(),
            10
        );
        let text = commands("error", &vec![message; 13]);
        assert_eq!(text.lines().count(), 10);
        assert!(text.ends_with("and 4 more, see the summary\n"), "{text}");
    }

    #[test]
    fn hostile_text_adds_no_command() {
        let text = annotations(&hostile());
        assert_eq!(text.lines().count(), 4);
        assert!(text.lines().all(|line| line.starts_with("::")));
        assert!(!text.contains("##["));
        assert!(!text.contains('\u{1b}'));
    }
}
