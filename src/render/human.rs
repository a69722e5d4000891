//! The decision in a terminal or a log: what was judged, each control on a
//! line, each non-pass with its next step, the result. Colour only repeats what
//! the words say.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Paint};

use crate::gate::{ControlDecision, Decision, Outcome};

use super::escape::{LONGEST, terminal};
use super::format::{Style, Tool};
use super::wording::{self, Label};
use super::wrap::wrap;

/// The decision as text.
pub fn human(decision: &Decision, tool: Tool<'_>, exit_code: u8, style: Style) -> String {
    let mut page = Page {
        text: String::new(),
        style,
    };
    page.head(decision, tool);
    if let Some(problem) = &decision.problem {
        page.text.push('\n');
        page.paragraph("problem ", problem);
    }
    if !decision.controls.is_empty() {
        page.text.push('\n');
        page.table(decision);
    }
    for control in in_order_of_weight(decision) {
        page.text.push('\n');
        page.block(decision, control);
    }
    let overrides = wording::idle_overrides(decision);
    let notes = wording::notes(decision);
    if !overrides.is_empty() || !notes.is_empty() {
        page.text.push('\n');
    }
    for sentence in overrides.iter().chain(&notes) {
        page.paragraph("note    ", sentence);
    }
    page.text.push('\n');
    page.result(decision, exit_code);
    page.text
}

/// The non-passes, those that close the gate first.
fn in_order_of_weight(decision: &Decision) -> Vec<&ControlDecision> {
    let mut controls: Vec<&ControlDecision> = decision
        .controls
        .iter()
        .filter(|control| Label::of(control).needs_words())
        .collect();
    controls.sort_by_key(|control| Label::of(control));
    controls
}

struct Page {
    text: String,
    style: Style,
}

impl Page {
    fn head(&mut self, decision: &Decision, tool: Tool<'_>) {
        let subject = &decision.subject;
        let mut line = format!(
            "{} {} · {}",
            tool.name,
            tool.version,
            terminal(&wording::subject(decision), LONGEST)
        );
        if let Some(title) = &decision.title {
            line.push_str(&format!(" \"{}\"", terminal(title, 100)));
        }
        if !subject.target.is_empty() || !subject.head.is_empty() {
            line.push_str(&format!(
                " · {} ← {}",
                terminal(&subject.target, 100),
                terminal(&wording::short(&subject.head), 20)
            ));
        }
        self.text.push_str(&wrap("", &line, self.style.width));
        match &decision.policy {
            Some(policy) => {
                let mut line = terminal(&policy.origin, LONGEST);
                if let Some(commit) = &policy.commit {
                    line.push_str(&format!(" @ {}", terminal(&wording::short(commit), 20)));
                }
                for layer in &policy.layers {
                    line.push_str(&format!(" + {}", terminal(layer, LONGEST)));
                }
                line.push_str(&format!(
                    " (sha256 {}…) · mode {} · integrity {}",
                    terminal(&wording::short(&policy.digest), 20),
                    wording::mode(decision.mode),
                    decision.integrity.level.word()
                ));
                self.text
                    .push_str(&wrap("policy  ", &line, self.style.width));
            }
            None => self.line(&format!(
                "policy  none was read · integrity {}",
                decision.integrity.level.word()
            )),
        }
    }

    fn table(&mut self, decision: &Decision) {
        let codes = decision
            .controls
            .iter()
            .map(|control| control.meta.code.len())
            .max()
            .unwrap_or(0);
        let words = decision
            .controls
            .iter()
            .map(|control| Label::of(control).word().len())
            .max()
            .unwrap_or(0);
        for control in &decision.controls {
            let label = Label::of(control);
            // Padded before it is painted: escapes have no width.
            let word = self.painted(label, &format!("{:<words$}", label.word()));
            let indent = " ".repeat(codes + words + 6);
            let title = wrap(
                &indent,
                &terminal(control.meta.title, LONGEST),
                self.style.width,
            );
            self.text.push_str(&format!(
                "  {:<codes$}  {word}  {}",
                control.meta.code,
                title.trim_start()
            ));
        }
    }

    fn block(&mut self, decision: &Decision, control: &ControlDecision) {
        let label = Label::of(control);
        let word = self.painted(label, label.word());
        self.line(&format!(
            "{word} {} {} · {}",
            control.meta.code,
            control.meta.id,
            wording::criteria(control).join(", ")
        ));
        self.paragraph("  seen  ", &control.summary);
        if let Some(reason) = &control.reason {
            self.paragraph("  code  ", reason);
        }
        self.paragraph("  why   ", control.meta.rationale);
        if let Some(covered) = wording::covered_by(decision, control) {
            self.paragraph("  by    ", &covered);
        } else if let Some(next) = &control.next {
            self.paragraph("  next  ", next);
        }
    }

    fn result(&mut self, decision: &Decision, exit_code: u8) {
        let label = match decision.outcome {
            Outcome::Allow => Label::Passed,
            Outcome::Block => Label::Failed,
            Outcome::Undecided => Label::Unknown,
            Outcome::Pending => Label::Pending,
        };
        let outcome = wording::outcome(decision);
        let word = self.painted(label, outcome);
        self.line(&format!(
            "result  {word}   {}   exit {exit_code}",
            wording::counts(decision)
        ));
        let requests = &decision.requests;
        self.line(&format!(
            "        {}, {}",
            wording::number(requests.count, "API request"),
            wording::number(requests.waves, "wave")
        ));
        if requests.read_again > 0 {
            self.line(&format!(
                "        the change moved while it was read; all was read again, {}",
                wording::number(requests.read_again, "time")
            ));
        }
        if let Some((who, command)) = wording::override_hint(decision) {
            self.paragraph(
                "        ",
                &format!("must merge now? {who}, with no hand in the change, comments:"),
            );
            self.line(&format!("        {command}"));
        }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Text that may come from anybody, under its heading, wrapped at blanks.
    fn paragraph(&mut self, heading: &str, text: &str) {
        let text = terminal(text, 2 * LONGEST);
        self.text.push_str(&wrap(heading, &text, self.style.width));
    }

    fn painted(&self, label: Label, word: &str) -> String {
        if !self.style.color {
            return word.to_owned();
        }
        let paint = match label {
            Label::Failed => AnsiColor::Red.on_default().bold(),
            Label::Unknown => AnsiColor::Magenta.on_default().bold(),
            Label::Pending | Label::Warned => AnsiColor::Yellow.on_default(),
            Label::Overridden | Label::Waived | Label::Compensated => AnsiColor::Cyan.on_default(),
            Label::Passed => AnsiColor::Green.on_default(),
            Label::NotApplicable | Label::Off => Paint::new().dimmed(),
        };
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(text, "{}{word}{}", paint.render(), paint.render_reset());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{TOOL, blocked, compensated, covered, hostile, not_judged};

    #[test]
    fn a_blocked_change_reads_from_the_verdict_to_the_next_step() {
        insta::assert_snapshot!(human(&blocked(), TOOL, 1, Style::default()), @r#"
        ccgate 0.1.0 · acme/app #7 "Retry card capture" · main ← f1f1f1f
        policy  .ccgate.yml@main @ 1c7b1c7 + preset soc2-baseline (sha256 4c4c4c4…) · mode enforce ·
                integrity G0

          TST-01  FAIL     the first thing is done
          TST-02  UNKNOWN  the second thing is done
          TST-03  PASS     the third thing is done
          TST-09  n/a      the thing of GitLab is done

        FAIL TST-01 first-thing-done · CC8.1, CC5.1
          seen  it is not done
          code  not_independent
          why   Nobody should have to guess why this matters.
          next  mend it on GitHub

        UNKNOWN TST-02 second-thing-done · CC8.1, CC5.1
          seen  could not read branch.bypass: the answer lacks it (needs Administration: read)
          code  not_permitted
          why   Nobody should have to guess why this matters.
          next  grant `Administration: read` to the token

        note    override of TST-01 by @eve is requested: it waits until somebody else of those who may
                override, without a hand in the change, writes `/ccgate approve
                ovr_ac922f2292386e2efae85bc577`: @eve is not among those who may override: @lead,
                @acme/security
        note    .ccgate.yml@main:12:5: the waiver of `first-thing-done` expired on 2026-05-01: renew it with
                a new approval, or remove it

        result  blocked   1 failed · 1 unknown · 1 passed · 1 not applicable   exit 1
                4 API requests, 2 waves
                must merge now? one of @lead, @acme/security, with no hand in the change, comments:
                /ccgate override TST-01 TICKET reason
        "#);
    }

    #[test]
    fn a_compensation_is_told_with_by_what_until_when_and_who_answers() {
        let text = human(&compensated(), TOOL, 0, Style::default());
        assert!(
            text.contains("TST-01  COMPENSATED  the first thing"),
            "{text}"
        );
        assert!(text.contains("  code  plan\n"), "{text}");
        let by =
            "  by    compensated by TST-02 second-thing-done until 2026-12-31, @acme/security:";
        assert!(text.contains(by), "{text}");
        let result = "allowed with a compensation   1 compensated · 1 passed   exit 0";
        assert!(text.contains(result), "{text}");
    }

    #[test]
    fn an_override_and_a_waiver_are_told_with_who_until_when_and_why() {
        insta::assert_snapshot!(human(&covered(), TOOL, 0, Style::default()), @r#"
        ccgate 0.1.0 · acme/app #7 "Retry card capture" · main ← f1f1f1f
        policy  .ccgate.yml@main @ 1c7b1c7 + preset soc2-baseline (sha256 4c4c4c4…) · mode enforce ·
                integrity G0

          TST-01  OVERRIDDEN  the first thing is done
          TST-02  WAIVED      the second thing is done
          TST-03  PASS        the third thing is done

        OVERRIDDEN TST-01 first-thing-done · CC8.1, CC5.1
          seen  it is not done
          code  not_independent
          why   Nobody should have to guess why this matters.
          by    overridden by @lead at 2026-06-01T11:00:00Z until 2026-06-01T15:00:00Z, INC-482: the
                rollback of the outage cannot wait for a review; somebody else reviews it by
                2026-06-02T11:00:00Z: `/ccgate review ovr_b3c5d37ca71ef9470d184d6b94 ratified`

        WAIVED TST-02 second-thing-done · CC8.1, CC5.1
          seen  it is not done
          code  not_independent
          why   Nobody should have to guess why this matters.
          by    waived until 2026-06-30 by @ana, approved by @li: the old system goes in spring

        result  allowed by an override   1 overridden · 1 waived · 1 passed   exit 0
                4 API requests, 2 waves
        "#);
    }

    #[test]
    fn a_decision_that_could_not_be_made_says_why() {
        insta::assert_snapshot!(human(&not_judged(), TOOL, 3, Style::default()), @r#"
        ccgate 0.1.0 · acme/app #7 "Retry card capture" · main ← f1f1f1f
        policy  none was read · integrity G0

        problem GET /repos/acme/app answered 502

        result  undecided   no control was judged   exit 3
                4 API requests, 2 waves
        "#);
    }

    #[test]
    fn colour_only_repeats_the_words() {
        let style = Style {
            color: true,
            width: 100,
        };
        let colored = human(&blocked(), TOOL, 1, style);
        assert!(colored.contains('\u{1b}'));
        let plain = anstream::adapter::strip_str(&colored).to_string();
        assert_eq!(plain, human(&blocked(), TOOL, 1, Style::default()));
    }

    #[test]
    fn hostile_text_writes_no_escape_and_starts_no_line_with_a_command() {
        for width in 1..160 {
            let style = Style {
                color: false,
                width,
            };
            let text = human(&hostile(), TOOL, 1, style);
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            assert!(!text.contains("##["));
            assert!(!text.contains('\u{202e}'));
            assert!(
                text.lines()
                    .all(|line| !line.trim_start().starts_with("::"))
            );
        }
    }
}
