//! Reads scan reports as the gate does and prints what is kept of them: digest, tool and counts.
//!
//! `cargo run --release --example scan-intake -- report.sarif`, or `-` for the standard input.

#![expect(clippy::print_stdout, reason = "a program for people who measure")]

use std::io;
use std::path::Path;

use ccgate::facts::ScanFailure;
use ccgate::scan::{self, ReportPattern};

fn main() {
    let patterns = std::env::args().skip(1);
    let patterns: Vec<ReportPattern> = patterns.map(ReportPattern::by_content).collect();
    for report in scan::read(&patterns, Path::new("."), &mut io::stdin()).reports {
        println!("{} {} {}", report.digest, report.format, report.path);
        match report.runs {
            Ok(runs) => {
                for run in runs {
                    println!("  {}", run.tool);
                    for count in run.counts {
                        let word = count.severity.word();
                        println!(
                            "    {word}: {} open, {} suppressed",
                            count.open, count.suppressed
                        );
                    }
                }
            }
            Err(ScanFailure::Missing) => println!("  no file matches"),
            Err(ScanFailure::Unreadable(why) | ScanFailure::Unparsable(why)) => println!("  {why}"),
        }
    }
}
