//! The commands that people write in comments, as text. Who wrote them and
//! whether they count is judged in `overrides`.

use crate::policy::parse_duration;

use super::signature::is_meant;

/// A command as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `/ccgate override CODE TICKET reason …`
    Override(Asked),
    /// `/ccgate approve ID`
    Approve {
        /// Id of an override, `ovr_…`; empty if it is missing.
        of: String,
    },
    /// `/ccgate revoke CODE`
    Revoke {
        /// Code or id of a control.
        control: String,
    },
    /// `/ccgate review ID OUTCOME notes …`
    Review {
        /// Id of an override, `ovr_…`; empty if it is missing.
        of: String,
        /// What came out, as written; empty if it is missing.
        outcome: String,
        /// What there is to say, which may go on over the following lines.
        notes: String,
    },
}

/// What an override command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Code or id of a control; empty if it is missing.
    pub(super) control: String,
    /// The ticket; empty if it is missing.
    pub(super) ticket: String,
    /// The reason, which may go on over the following lines.
    pub(super) reason: String,
    /// What stands behind each `expires:` on the first line, as written.
    pub(super) terms: Vec<String>,
}

/// How a word begins that says how long an override is wanted for.
const TERM: &str = "expires:";

/// The command of a comment. It has to begin the first line that is not empty,
/// so a quoted one, one in a code block and one in the middle of prose is none.
pub(super) fn parse(body: &str) -> Option<Command> {
    let body = body.trim_start_matches(['\r', '\n']);
    let mut lines = body.lines().skip_while(|line| line.trim().is_empty());
    let first = lines.next()?;
    let rest = first.strip_prefix("/ccgate")?;
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let (verb, rest) = word(rest);
    match verb {
        "override" => {
            let (rest, terms) = without_terms(rest);
            let (control, rest) = word(&rest);
            let (ticket, rest) = word(rest);
            Some(Command::Override(Asked {
                control: control.to_owned(),
                ticket: ticket.to_owned(),
                reason: to_the_end(rest, lines),
                terms,
            }))
        }
        "approve" => Some(Command::Approve {
            of: word(rest).0.to_owned(),
        }),
        "review" => {
            let (of, rest) = word(rest);
            let (outcome, rest) = word(rest);
            Some(Command::Review {
                of: of.to_owned(),
                outcome: outcome.to_owned(),
                notes: to_the_end(rest, lines),
            })
        }
        "revoke" => Some(Command::Revoke {
            control: word(rest).0.to_owned(),
        }),
        _ => None,
    }
}

/// The comment that asks for an override of that. `term` as in `4h`.
///
/// # Errors
/// A word that would be read as something else, with what to do.
pub fn override_comment(
    control: &str,
    ticket: &str,
    term: Option<&str>,
    reason: &str,
) -> Result<String, String> {
    let words = [Some(control), Some(ticket)]
        .into_iter()
        .flatten()
        .chain(term);
    if words
        .into_iter()
        .any(|one| one.is_empty() || one.contains(char::is_whitespace))
    {
        return Err("control, ticket and term are one word each".to_owned());
    }
    if let Some(term) = term
        && parse_duration(term).is_none()
    {
        return Err(format!(
            "`{term}` is no time span: write a number and `m`, `h` or `d`, e.g. `4h`"
        ));
    }
    if weight(reason) == 0 {
        return Err("a reason has to be given".to_owned());
    }
    let terms = term.map_or_else(String::new, |term| format!(" {TERM}{term}"));
    let text = format!(
        "/ccgate override {control} {ticket}{terms} {}",
        reason.trim()
    );
    let meant = Asked {
        control: control.to_owned(),
        ticket: ticket.to_owned(),
        reason: reason.trim().to_owned(),
        terms: term.map(str::to_owned).into_iter().collect(),
    };
    match parse(&text) {
        _ if is_meant(&text) => {
            Err("the reason looks like it holds a signature: say it in other words".to_owned())
        }
        Some(Command::Override(read)) if read.said() == meant.said() => Ok(text),
        _ => Err(format!(
            "the reason cannot be written like that: leave `{TERM}` and line breaks at its beginning out"
        )),
    }
}

/// The comment that approves the override of that id.
///
/// # Errors
/// It is no id of an override.
pub fn approval_comment(id: &str) -> Result<String, String> {
    let digits = id.strip_prefix("ovr_").unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("an override's id looks like `ovr_` and 26 letters or digits".to_owned());
    }
    Ok(format!("/ccgate approve {id}"))
}

impl Asked {
    /// The words of the command without its reason, one blank between them. No word holds a blank,
    /// so that they tell exactly what was asked for.
    pub(super) fn words(&self) -> String {
        let terms = self.terms.iter().map(|term| format!(" {TERM}{term}"));
        format!(
            "override {} {}{}",
            self.control,
            self.ticket,
            terms.collect::<String>()
        )
    }

    /// What is said, however many blanks stand between the words.
    fn said(&self) -> (&str, &str, Vec<&str>, &[String]) {
        let reason = self.reason.split_whitespace().collect();
        (&self.control, &self.ticket, reason, &self.terms)
    }
}

/// Takes the words about the term out, wherever they stand: one in the ticket's place is
/// no ticket.
fn without_terms(line: &str) -> (String, Vec<String>) {
    let (terms, others): (Vec<&str>, Vec<&str>) = line
        .split_whitespace()
        .partition(|word| word.starts_with(TERM));
    if terms.is_empty() {
        return (line.to_owned(), Vec::new());
    }
    let values = terms.into_iter().map(|term| term[TERM.len()..].to_owned());
    (others.join(" "), values.collect())
}

/// The rest of the first line and all that follow it.
fn to_the_end<'t>(rest: &str, lines: impl Iterator<Item = &'t str>) -> String {
    let mut text = rest.trim().to_owned();
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    text.trim().to_owned()
}

/// How much of a reason there is: visible characters, and one for each gap, so
/// that a row of blanks or of characters without width does not count.
pub(super) fn weight(reason: &str) -> usize {
    let words: Vec<usize> = reason
        .split_whitespace()
        .map(|word| word.chars().filter(|c| is_visible(*c)).count())
        .filter(|count| *count > 0)
        .collect();
    words.iter().sum::<usize>() + words.len().saturating_sub(1)
}

fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{2800}' | '\u{feff}')
}

/// The first word and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(control: &str, ticket: &str, reason: &str) -> Option<Command> {
        Some(Command::Override(Asked {
            control: control.to_owned(),
            ticket: ticket.to_owned(),
            reason: reason.to_owned(),
            terms: Vec::new(),
        }))
    }

    #[test]
    fn a_command_names_control_ticket_and_reason() {
        assert_eq!(
            parse("\r\n/ccgate override BR-18 INC-1 the rollback\r\ncannot wait"),
            given("BR-18", "INC-1", "the rollback\ncannot wait")
        );
    }

    #[test]
    fn a_term_is_taken_out_wherever_it_stands_on_the_first_line() {
        for body in [
            "/ccgate override BR-18 INC-1 expires:4h the rollback\ncannot wait",
            "/ccgate override expires:4h BR-18 INC-1 the rollback\ncannot wait",
            "/ccgate override BR-18 INC-1 the rollback expires:4h\ncannot wait",
        ] {
            let Some(Command::Override(asked)) = parse(body) else {
                panic!("it is an override");
            };
            assert_eq!(asked.terms, ["4h"], "{body}");
            assert_eq!(
                (asked.control.as_str(), asked.ticket.as_str()),
                ("BR-18", "INC-1")
            );
            assert_eq!(asked.reason, "the rollback\ncannot wait");
        }
        let Some(Command::Override(asked)) = parse("/ccgate override BR-18 expires:4h") else {
            panic!("it is an override");
        };
        assert_eq!(asked.ticket, "", "a term is no ticket");
        assert_eq!(
            parse("/ccgate override BR-18 INC-1 why\nexpires:4h"),
            given("BR-18", "INC-1", "why\nexpires:4h"),
            "a following line is prose"
        );
    }

    #[test]
    fn what_is_written_for_somebody_is_read_as_it_was_meant() {
        let written =
            override_comment("BR-18", "INC-1", Some("4h"), " the rollback\ncannot  wait ");
        let text = written.unwrap();
        assert!(text.starts_with("/ccgate override BR-18 INC-1 expires:4h the rollback\n"));
        let Some(Command::Override(asked)) = parse(&text) else {
            panic!("it is an override");
        };
        assert_eq!(asked.terms, ["4h"]);
        assert!(override_comment("BR-18", "INC-1", None, "it cannot wait").is_ok());
        for (control, ticket, term, reason) in [
            ("BR-18 INC-1", "x", None, "why"),
            ("", "INC-1", None, "why"),
            ("BR-18", "INC-1\n/ccgate", None, "why"),
            ("BR-18", "INC-1", Some(""), "why"),
            ("BR-18", "INC-1", Some("4 h"), "why"),
            ("BR-18", "INC-1", Some("4x"), "why"),
            ("BR-18", "INC-1", None, ""),
            ("BR-18", "INC-1", None, " \u{200b}\n"),
            ("BR-18", "INC-1", None, "why expires:72h"),
            ("expires:1h", "INC-1", None, "why"),
        ] {
            assert!(
                override_comment(control, ticket, term, reason).is_err(),
                "{control} {reason}"
            );
        }
        assert_eq!(
            approval_comment("ovr_1a").unwrap(),
            "/ccgate approve ovr_1a"
        );
        for id in [
            "",
            "ovr_",
            "byp_1",
            "ovr_1 x",
            "ovr_1\n/ccgate revoke BR-18",
        ] {
            assert!(approval_comment(id).is_err(), "{id}");
        }
    }

    #[test]
    fn an_approval_names_an_override() {
        let approve = |of: &str| Some(Command::Approve { of: of.to_owned() });
        assert_eq!(parse("/ccgate approve ovr_1 go on"), approve("ovr_1"));
        assert_eq!(parse("/ccgate approve"), approve(""));
        assert_eq!(parse("> /ccgate approve ovr_1"), None);
    }

    #[test]
    fn a_review_names_an_override_an_outcome_and_notes() {
        let Some(Command::Review { of, outcome, notes }) =
            parse("/ccgate review ovr_1 follow_up ENG-7 adds\nthe test")
        else {
            panic!("it is a review");
        };
        assert_eq!((of.as_str(), outcome.as_str()), ("ovr_1", "follow_up"));
        assert_eq!(notes, "ENG-7 adds\nthe test");
    }

    #[test]
    fn a_command_without_its_words_is_still_one() {
        assert_eq!(parse("/ccgate override"), given("", "", ""));
    }

    #[test]
    fn quotes_code_blocks_and_prose_are_no_command() {
        for body in [
            "> /ccgate override BR-18 INC-1 why",
            "```\n/ccgate override BR-18 INC-1 why\n```",
            "~~~\n/ccgate override BR-18 INC-1 why",
            "    /ccgate override BR-18 INC-1 why",
            "please write\n/ccgate override BR-18 INC-1 why",
            "<!--\n/ccgate override BR-18 INC-1 why\n-->",
            "/ccgate-override BR-18 INC-1 why",
            "/CCGATE override BR-18 INC-1 why",
            "/ccgate overrides BR-18 INC-1 why",
            "",
        ] {
            assert_eq!(parse(body), None, "{body:?}");
        }
    }

    #[test]
    fn blanks_and_characters_without_width_are_no_reason() {
        assert_eq!(weight("  a   b\n\n c "), 5);
        assert_eq!(weight("\u{200b}\u{200b}\u{3164} \u{feff}x\u{2060}"), 1);
    }
}
