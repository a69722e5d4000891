//! Reports whose format somebody names: what the content does not show may be said,
//! and what it contradicts is not believed.

use crate::facts::ScanFormat;

use super::*;

fn read_as(text: &str, format: ScanFormat) -> Result<Vec<ScanRun>, String> {
    match content(text.as_bytes(), Path::new("/builds/acme"), Some(format)).runs {
        Ok(runs) => Ok(runs),
        Err(ScanFailure::Unparsable(reason)) => Err(reason),
        Err(other) => panic!("{other:?}"),
    }
}

/// The format of a sample as policies name it.
fn said(sample: &Sample) -> ScanFormat {
    let all = ScanFormat::ALL.iter();
    let fitting = all.filter(|(word, _)| sample.format.starts_with(word));
    let longest = fitting.max_by_key(|(word, _)| word.len());
    longest.expect("a name for each format").1
}

/// Whether a control could take it for a run that found nothing.
fn looks_clean(run: &ScanRun) -> bool {
    let silent = run.counts.iter().all(|count| count.open == 0);
    silent && run.execution_successful != Some(false) && run.left_out.is_none()
}

#[test]
fn each_format_has_a_name_and_is_read_by_it_as_by_its_content() {
    for sample in SAMPLES {
        let format = said(sample);
        assert_eq!(
            read_as(sample.text, format),
            runs_of(sample.text),
            "{}",
            sample.format
        );
        assert_eq!(
            ScanFormat::ALL
                .iter()
                .filter(|(_, other)| *other == format)
                .count(),
            1
        );
    }
}

#[test]
fn an_empty_list_is_a_clean_run_only_of_a_tool_that_writes_one() {
    for (word, format) in ScanFormat::ALL {
        let clean = read_as("[]", format).is_ok_and(|runs| runs.iter().any(looks_clean));
        let writes_one = matches!(word, "gitleaks" | "gitlab-codequality" | "zizmor");
        assert_eq!(clean, writes_one, "{word}");
    }
}

#[test]
fn a_report_of_one_tool_is_no_clean_run_of_another() {
    for sample in SAMPLES {
        for (word, format) in ScanFormat::ALL {
            if format == said(sample) {
                continue;
            }
            for run in read_as(sample.text, format).into_iter().flatten() {
                assert!(!looks_clean(&run), "{} as {word}: {run:?}", sample.format);
            }
        }
    }
}

#[test]
fn nothing_at_all_is_no_clean_run_of_any_tool() {
    for text in [
        "{}",
        "null",
        "{\"results\":null}",
        "[{}]",
        "<a/>",
        "\n",
        "0",
        "\"\"",
    ] {
        for (word, format) in ScanFormat::ALL {
            for run in read_as(text, format).into_iter().flatten() {
                assert!(!looks_clean(&run), "{text} as {word}: {run:?}");
            }
        }
    }
}
