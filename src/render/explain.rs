//! What `ccgate explain` says about one control, for a terminal. Everything comes
//! from the control's own metadata; the platforms' lists of rights are handed in.

use std::fmt::Write as _;

use crate::controls::Entry;
use crate::facts::Platform;
use crate::policy::SCANS_CONTROL;

use super::catalogue::{PLATFORMS, Rights, criteria, parameter_rows, platforms, scope, title};
use super::wrap::wrap;

/// What `ccgate explain` says about one control.
pub fn explain(entry: &Entry, rights: Rights<'_>, width: usize) -> String {
    let meta = entry.meta;
    let mut text = format!("{}  {}\n{}\n\n", meta.code, meta.id, meta.title);
    for (heading, says) in [
        ("criteria   ", criteria(entry, true)),
        ("about      ", scope(meta.scope, true).to_owned()),
        ("platforms  ", platforms(entry)),
    ] {
        text.push_str(&wrap(heading, &says, width));
    }
    for (heading, says) in [
        ("why it matters", meta.rationale),
        ("how it could be cheated", meta.cheat),
    ] {
        let _ = write!(text, "\n{heading}\n{}", wrap("  ", says, width));
    }
    text.push_str("\nparameters\n");
    text.push_str(&parameters(entry, width));
    for platform in PLATFORMS {
        if meta.platforms.contains(&platform) {
            let _ = write!(text, "\non {}\n", title(platform));
            text.push_str(&on(entry, platform, rights, width));
        }
    }
    text
}

fn parameters(entry: &Entry, width: usize) -> String {
    let rows = parameter_rows(entry);
    if rows.is_empty() {
        return "  none\n".to_owned();
    }
    let rows = rows.iter().map(|row| {
        let heading = format!("  {}  ", row.name);
        let says = format!("{} ({}, default {})", row.meaning, row.kind, row.default);
        wrap(&heading, &says, width)
    });
    let expected = (entry.meta.id == SCANS_CONTROL).then(|| {
        let says = "the policy's section `scans` says which results are expected";
        wrap("  ", says, width)
    });
    expected.into_iter().chain(rows).collect()
}

/// How to meet it on that platform, and what a token needs so that it can be seen.
fn on(entry: &Entry, platform: Platform, rights: Rights<'_>, width: usize) -> String {
    let mut text = wrap("  mend it  ", entry.meta.remedy(platform), width);
    for key in entry.meta.needs {
        let (job, other) = rights.of(platform, *key);
        let _ = writeln!(text, "  reads    {}", key.name());
        text.push_str(&wrap("             job token    ", job, width));
        text.push_str(&wrap("             other token  ", other, width));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::controls_document;
    use super::*;
    use crate::controls::TABLE;

    const NONE: Rights<'static> = Rights {
        github: &[],
        gitlab: &[],
    };

    #[test]
    fn every_control_is_explained_with_all_that_is_said_about_it() {
        for entry in TABLE {
            let text = explain(entry, NONE, usize::MAX);
            let page = controls_document();
            for part in [
                entry.meta.code,
                entry.meta.id,
                entry.meta.rationale,
                entry.meta.cheat,
            ] {
                assert!(text.contains(part), "{text}");
                assert!(page.contains(part));
            }
            for platform in entry.meta.platforms {
                assert!(text.contains(entry.meta.remedy(*platform)), "{text}");
            }
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for entry in TABLE {
            for line in explain(entry, NONE, 80).lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}
