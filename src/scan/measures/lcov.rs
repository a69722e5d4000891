//! LCOV's trace files: `DA:<line>,<hits>`, one record for each source file. A file
//! that was cut between two records looks whole; the format has no end.

use std::io::{BufRead as _, Read as _};

use crate::facts::ScanRun;
use crate::scan::intake::Blocks;

use super::coverage::run;

/// Longest line.
const LONGEST_LINE: u64 = 64 << 10;

/// Whether a file begins like one.
pub(in crate::scan) fn is_lcov(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    head.starts_with(b"TN:") || head.starts_with(b"SF:")
}

pub(in crate::scan) fn read(blocks: &mut Blocks) -> Result<(String, Vec<ScanRun>), String> {
    let (mut covered, mut total, mut number) = (0_u64, 0_u64, 0_u64);
    let mut in_record = false;
    let mut records = 0_u64;
    let mut line = String::new();
    loop {
        line.clear();
        number += 1;
        let refused = |reason: &str| Err(format!("{reason} at line {number}"));
        match blocks.by_ref().take(LONGEST_LINE).read_line(&mut line) {
            Ok(0) => break,
            Ok(length) if length as u64 == LONGEST_LINE => return refused("a line is too long"),
            Ok(_) => {}
            Err(_) => return refused("reading has stopped"),
        }
        let (key, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        match key {
            "SF" if in_record => return refused("a record has no end"),
            "SF" => in_record = true,
            "end_of_record" if in_record => {
                in_record = false;
                records += 1;
            }
            "DA" if in_record => {
                let hits = value.split(',').nth(1);
                // Hits that some tools write as below 0 are none.
                let Some(hits) = hits.and_then(|hits| hits.trim().parse::<i128>().ok()) else {
                    return refused("a line does not say how often it was run");
                };
                total += 1;
                covered += u64::from(hits > 0);
            }
            "DA" | "end_of_record" => return refused("it stands outside of a record"),
            "" | "TN" | "VER" | "FN" | "FNL" | "FNA" | "FNDA" | "FNF" | "FNH" | "BRDA" | "BRF"
            | "BRH" | "MCDC" | "MCF" | "MCH" | "LF" | "LH" => {}
            _ if key.starts_with('#') => {}
            _ => return refused("it is no line of LCOV"),
        }
    }
    if in_record || records == 0 {
        return Err(format!("the report ends too early at line {number}"));
    }
    Ok(("lcov".to_owned(), vec![run("LCOV", covered, total)?]))
}
