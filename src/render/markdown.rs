//! The decision as a job summary: verdict first, then what has to be done, then
//! the rest folded away. The platform drops a summary that is too long without
//! failing the job, so the tables are cut before that; the verdict never is.

use crate::gate::{ControlDecision, Decision, Outcome};

use super::escape::{LONGEST, markdown as escape};
use super::format::Tool;
use super::wording::{self, Label};

/// GitHub takes 1 MiB a step.
const BUDGET: usize = 900 * 1024;

/// The decision as Markdown.
pub fn markdown(decision: &Decision, tool: Tool<'_>) -> String {
    within(decision, tool, BUDGET)
}

fn within(decision: &Decision, tool: Tool<'_>, budget: usize) -> String {
    let mut head = format!(
        "## {} ccgate: {}\n\n{}\n\n",
        sign(decision),
        wording::outcome(decision),
        wording::counts(decision)
    );
    head.push_str(&subject_line(decision));
    if let Some(problem) = &decision.problem {
        head.push_str(&format!(
            "**Problem**: {}\n\n",
            escape(problem, 2 * LONGEST)
        ));
    }
    let mut foot = String::new();
    if let Some((who, command)) = wording::override_hint(decision) {
        foot.push_str(&format!(
            "Must merge now? {}, with no hand in the change, comments `{command}`\n\n",
            escape(&who, LONGEST)
        ));
    }
    foot.push_str(&origin_line(decision, tool));

    let mut body = String::new();
    let room = budget.saturating_sub(head.len() + foot.len() + 200);
    let mut left_out = 0;
    for section in sections(decision) {
        let needed = section.start.len() + section.end.len();
        if section.rows.is_empty() {
            continue;
        }
        if body.len() + needed > room {
            left_out += section.rows.len();
            continue;
        }
        body.push_str(&section.start);
        for row in &section.rows {
            if body.len() + row.len() + section.end.len() > room {
                left_out += 1;
            } else {
                body.push_str(row);
            }
        }
        body.push_str(&section.end);
    }
    if left_out > 0 {
        body.push_str(&format!(
            "{left_out} more lines did not fit; the JSON report has them all\n\n"
        ));
    }
    format!("{head}{body}{foot}")
}

struct Section {
    start: String,
    rows: Vec<String>,
    end: String,
}

fn sections(decision: &Decision) -> Vec<Section> {
    let mut urgent: Vec<&ControlDecision> = Vec::new();
    let mut calm: Vec<&ControlDecision> = Vec::new();
    for control in &decision.controls {
        if Label::of(control).needs_words() {
            urgent.push(control);
        } else {
            calm.push(control);
        }
    }
    urgent.sort_by_key(|control| Label::of(control));
    let remarks: Vec<String> = wording::idle_overrides(decision)
        .into_iter()
        .chain(wording::notes(decision))
        .map(|remark| format!("- {}\n", escape(&remark, LONGEST)))
        .collect();
    vec![
        Section {
            start: "| | control | finding | next step |\n|---|---|---|---|\n".to_owned(),
            rows: urgent
                .into_iter()
                .map(|control| urgent_row(decision, control))
                .collect(),
            end: "\n".to_owned(),
        },
        Section {
            start: "**Notes**\n\n".to_owned(),
            rows: remarks,
            end: "\n".to_owned(),
        },
        Section {
            start: format!(
                "<details><summary>{} {} without findings</summary>\n\n| | control | seen |\n|---|---|---|\n",
                calm.len(),
                if calm.len() == 1 {
                    "control"
                } else {
                    "controls"
                }
            ),
            rows: calm.into_iter().map(calm_row).collect(),
            end: "\n</details>\n\n".to_owned(),
        },
    ]
}

fn urgent_row(decision: &Decision, control: &ControlDecision) -> String {
    let label = Label::of(control);
    let next = wording::covered_by(decision, control)
        .or_else(|| control.next.clone())
        .unwrap_or_default();
    format!(
        "| {} {} | **{}** {} | {} | {} |\n",
        label.sign(),
        label.word().to_lowercase(),
        control.meta.code,
        escape(control.meta.title, LONGEST),
        escape(&control.summary, LONGEST),
        escape(&next, LONGEST)
    )
}

fn calm_row(control: &ControlDecision) -> String {
    let label = Label::of(control);
    format!(
        "| {} {} | **{}** {} | {} |\n",
        label.sign(),
        label.word().to_lowercase(),
        control.meta.code,
        escape(control.meta.title, LONGEST),
        escape(&control.summary, LONGEST)
    )
}

fn subject_line(decision: &Decision) -> String {
    let mut line = escape(&wording::subject(decision), LONGEST);
    if let Some(title) = &decision.title {
        line.push_str(&format!(" “{}”", escape(title, 200)));
    }
    format!(
        "{line} · {} ← {}\n\n",
        escape(&decision.subject.target, 200),
        escape(&wording::short(&decision.subject.head), 20)
    )
}

fn origin_line(decision: &Decision, tool: Tool<'_>) -> String {
    let policy = match &decision.policy {
        Some(policy) => {
            let mut text = format!("Policy {}", escape(&policy.origin, LONGEST));
            if let Some(commit) = &policy.commit {
                text.push_str(&format!(" at {}", escape(&wording::short(commit), 20)));
            }
            for layer in &policy.layers {
                text.push_str(&format!(" + {}", escape(layer, LONGEST)));
            }
            format!(
                "{text} (sha256 {}…) · mode {}",
                escape(&wording::short(&policy.digest), 20),
                wording::mode(decision.mode)
            )
        }
        None => "No policy was read".to_owned(),
    };
    format!(
        "{policy} · integrity {} · {} · {} {} · {}\n",
        decision.integrity.level.word(),
        wording::number(decision.requests.count, "API request"),
        tool.name,
        tool.version,
        decision.observed_at
    )
}

fn sign(decision: &Decision) -> &'static str {
    match decision.outcome {
        Outcome::Allow => Label::Passed.sign(),
        Outcome::Block => Label::Failed.sign(),
        Outcome::Undecided => Label::Unknown.sign(),
        Outcome::Pending => Label::Pending.sign(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{TOOL, blocked, covered, hostile, not_judged, pending};

    #[test]
    fn a_summary_starts_with_the_verdict_and_folds_away_what_is_well() {
        insta::assert_snapshot!(markdown(&pending(), TOOL), @r#"
        ## ⏳ ccgate: pending

        1 pending · 1 passed

        acme/app &#35;&#8203;7 “Retry card capture” · main ← f1f1f1f

        | | control | finding | next step |
        |---|---|---|---|
        | ⏳ pending | **TST-01** the first thing is done | it is not done yet | mend it on GitHub |

        <details><summary>1 control without findings</summary>

        | | control | seen |
        |---|---|---|
        | ✅ pass | **TST-03** the third thing is done | it is done |

        </details>

        Must merge now? one of @&#8203;lead, @&#8203;acme/security, with no hand in the change, comments `/ccgate override TST-01 TICKET reason`

        Policy .ccgate.yml@&#8203;main at 1c7b1c7 + preset soc2-baseline (sha256 4c4c4c4…) · mode enforce · integrity G0 · 4 API requests · ccgate 0.1.0 · 2026-06-01T12:00:00Z
        "#);
    }

    #[test]
    fn where_nobody_may_override_no_override_is_offered() {
        let mut decision = blocked();
        assert!(markdown(&decision, TOOL).contains("Must merge now?"));
        decision.may_override.clear();
        assert!(!markdown(&decision, TOOL).contains("/ccgate override"));
    }

    #[test]
    fn the_first_line_says_how_it_ended() {
        let first = |decision: &Decision| {
            let text = markdown(decision, TOOL);
            text.lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(first(&blocked()), "## ❌ ccgate: blocked");
        assert_eq!(first(&covered()), "## ✅ ccgate: allowed by an override");
        assert_eq!(first(&not_judged()), "## ❔ ccgate: undecided");
    }

    #[test]
    fn a_summary_that_is_too_long_loses_rows_and_never_the_verdict() {
        let whole = markdown(&blocked(), TOOL);
        for budget in [0, 1200, 1500] {
            let cut = within(&blocked(), TOOL, budget);
            assert!(cut.len() < whole.len());
            assert!(
                cut.starts_with("## ❌ ccgate: blocked\n\n1 failed"),
                "{cut}"
            );
            assert!(cut.contains("did not fit"), "{cut}");
            assert!(cut.contains("Policy "), "{cut}");
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let text = markdown(&hostile(), TOOL);
        assert!(text.len() < BUDGET);
        for dangerous in [
            "<img", "](", "@e", "`@", "\u{1b}", "\u{202e}", "\n::", "-->",
        ] {
            assert!(!text.contains(dangerous), "{dangerous}");
        }
        assert_eq!(text.matches("</details>").count(), 1);
        // Every row of the first table has its four cells and no more.
        let rows: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("| ❌"))
            .collect();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].matches('|').count(), 5);
    }
}
