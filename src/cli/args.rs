//! The command line. Tokens never appear on it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::facts::Platform;
use crate::render::{Format, UnknownFormat};

mod ledger;
mod overrides;

pub(super) use ledger::{
    AnchorArgs, CrashedArgs, LedgerArgs, LedgerCommand, LedgerVerifyArgs, WitnessArgs,
};
pub(super) use overrides::{NotifyArgs, OnChange, OverrideArgs, OverrideCommand};

const EXAMPLES: &str = "\
Examples:
  ccgate check                          in a CI job: all comes from its environment
  ccgate check --help                   by hand, offline, all formats
  ccgate doctor                         what can it read, does it hold, what next?
  ccgate explain CHG-04                 what a control asks, and how to meet it
  ccgate policy lint                    is .ccgate.yml valid?
  ccgate ledger verify                  do the records still hold?

Exit codes: 0 allow, 1 block, 2 wrong usage or invalid policy, 3 undecided,
4 pending, 5 the ledger refused; 101 crash, 130 interrupted";

const CHECK_EXAMPLES: &str = "\
Examples:
  In a CI job, where everything comes from the environment:
    ccgate check
  By hand, with CCGATE_TOKEN set:
    ccgate check --platform github --repo acme/payments --change 42
  To look around, with every control and nothing enforced:
    ccgate check --policy soc2-all
  Now, and once more offline:
    ccgate check --save-snapshot facts.json
    ccgate check --snapshot facts.json --output json=decision.json

Environment:
  CCGATE_TOKEN            reads the change; else GITHUB_TOKEN or CI_JOB_TOKEN
  CCGATE_SETTINGS_TOKEN   reads settings that the first token cannot see
  CCGATE_APP_ID, CCGATE_APP_PRIVATE_KEY
                          a GitHub App that reads settings instead
  CCGATE_SETTINGS_SIGNERS keys that may sign the file of --settings
  CCGATE_LEDGER_KEY       OpenSSH private key that signs the ledger
  CCGATE_LEDGER_TOKEN     writes and reads a ledger in git or a database, where the first token does not
                          (CCGATE_LEDGER_USER: the user that goes with it)
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
  AWS_ENDPOINT_URL_S3, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE
                          reach a ledger in a bucket
  JIRA_URL, JIRA_TOKEN    reads the tickets that a change names, where the policy keeps them
                          in Jira; on Jira Cloud with JIRA_USER, whose token it is
  GITHUB_API_URL, CI_API_V4_URL
                          address of the API, for a server of your own
  SSL_CERT_FILE           certificate authorities of your own
  HTTPS_PROXY, NO_PROXY   proxy
  NO_COLOR, CLICOLOR_FORCE, COLUMNS
                          colour and width of the text

Exit codes: 0 allow, 1 block, 2 wrong usage or invalid policy, 3 undecided,
4 pending, 5 the ledger refused; 101 crash, 130 interrupted";

const SNAPSHOT_EXAMPLES: &str = "\
Examples:
  The settings lane, on a schedule, with a token that may read settings:
    ccgate snapshot --settings --out settings.json
  The change lane, with the job's own token:
    ccgate check --settings settings.json
  Several repositories of one organisation:
    ccgate snapshot --settings --repo acme/a --repo acme/b --out settings.json
  What changed since yesterday:
    ccgate snapshot diff yesterday.json today.json

Environment:
  CCGATE_SETTINGS_TOKEN   reads settings
  CCGATE_APP_ID, CCGATE_APP_PRIVATE_KEY
                          a GitHub App instead; its token is narrowed to these repositories
  CCGATE_SETTINGS_KEY     OpenSSH private key that signs the file
  CCGATE_SETTINGS_SIGNERS for `check`: file of keys (ssh's `allowed_signers`) that may sign it;
                          an unsigned file then does not count";

const POLICY_DIFF_EXAMPLES: &str = "\
Examples:
  Two files, or a file and a preset:
    ccgate policy diff soc2-baseline .ccgate.yml
  What a change would make of the policy in force, with CCGATE_TOKEN set:
    ccgate policy diff --repo acme/payments --change 42

Exit codes: 0 nothing becomes weaker, 1 something does, 2 wrong usage or a policy that is
missing or invalid, 3 the platform or a policy could not be read";

const SCAN_EXAMPLES: &str = "\
Examples:
  What was found, and what to bind an acceptance to:
    ccgate scan findings results/*.sarif
  From now on only what is new:
    ccgate scan baseline --out baseline.json results/semgrep.sarif

The baseline counts only with the digest that the policy gives for it, and until the day that
the policy says.

Exit codes: 0 all reports were read, 2 wrong usage, 3 a report is missing or could not be read";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  In a CI job, where everything comes from the environment:
    ccgate doctor
  By hand, with CCGATE_TOKEN set, before there is a policy:
    ccgate doctor --platform github --repo acme/payments --policy soc2-baseline
  With what a change brings:
    ccgate doctor --repo acme/payments --change 42

Exit codes: 0 whatever is weak, 2 wrong usage or a policy that is missing or invalid,
3 the platform or the policy could not be read, so nothing could be decided";

/// SOC 2 change control in CI
#[derive(Debug, Parser)]
#[command(name = "ccgate", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Judge a change: collect facts, judge, apply waivers and overrides, decide, record
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Collect facts and write them down: the settings lane, bug reports, offline repetition
    #[command(after_help = SNAPSHOT_EXAMPLES, args_conflicts_with_subcommands = true)]
    Snapshot(SnapshotArgs),
    /// Say what the gate can read, whether it holds, and what the next step is
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArgs),
    /// Say what a control asks, why, how it could be cheated, and how to meet it
    Explain(ExplainArgs),
    /// Look after the policy file
    Policy(PolicyArgs),
    /// Look into scan reports: which findings are there, which were there before
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(ScanArgs),
    /// Read and verify the ledger
    Ledger(LedgerArgs),
    /// Look after what went around the gate
    Override(OverrideArgs),
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Where the change is; found from the environment in a CI job
    #[arg(long, value_enum)]
    pub(super) platform: Option<PlatformArg>,
    /// Full path of the repository, e.g. `acme/payments`; found from the environment in a CI job
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<String>,
    /// Number of the pull request or merge request (`iid`); found from the environment in a CI job
    #[arg(long, value_name = "N", conflicts_with = "reference")]
    pub(super) change: Option<u64>,
    /// The head that is meant; the check is undecided if the change has another one
    #[arg(long, value_name = "SHA")]
    pub(super) head: Option<String>,
    /// A branch: judge the commit on it (its tip, or `--head`)
    #[arg(long = "ref", value_name = "BRANCH")]
    pub(super) reference: Option<String>,
    /// Where the branch stood before: everything that came since is accounted for; without it, as
    /// the event says, else as the ledger or the platform's log say
    #[arg(long, value_name = "SHA", conflicts_with_all = ["change", "snapshot"])]
    pub(super) since: Option<String>,
    /// A local policy file or a preset, instead of `.ccgate.yml` at the tip of the target branch
    #[arg(long, value_name = "FILE|PRESET")]
    pub(super) policy: Option<String>,
    /// Settings that `ccgate snapshot --settings` wrote, instead of asking for them; used if it is
    /// of this repository, unchanged, and younger than the policy's `settings.max_age`
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// The settings snapshot that was kept from before a merge, to see that the branch was protected
    /// when it happened (CHG-28)
    #[arg(long, value_name = "FILE")]
    pub(super) settings_before: Option<PathBuf>,
    /// Tickets exported from a tracker, CSV or JSON, for a policy that keeps them in a `file`
    #[arg(long, value_name = "FILE")]
    pub(super) tickets: Option<PathBuf>,
    /// Scan reports, their format found by content, beside those of the policy's section `scans`; a glob, a file,
    /// a pipe or `-` for the standard input; may repeat
    #[arg(long, value_name = "GLOB")]
    pub(super) scan: Vec<String>,
    /// Where the record goes: `git+branch:NAME` (in this repository), `git+https://HOST/PATH#BRANCH`,
    /// `s3://BUCKET/PREFIX`, `postgres://HOST/DATABASE#NAME` or `dir:PATH`; without it, as the policy says, else `dir:.ccgate/ledger`
    /// outside CI; in CI nowhere, except for an override or a breach
    #[arg(long, value_name = "URL")]
    pub(super) ledger: Option<String>,
    /// Overrides the policy's mode; lowering it is recorded
    #[arg(long, value_enum)]
    pub(super) mode: Option<ModeArg>,
    /// What stdout carries: human, json, sarif, markdown or github (annotations); with any but
    /// human, human text goes to stderr
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = parse_format)]
    pub(super) format: Format,
    /// Another format into a file, e.g. `json=decision.json`; may repeat
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_output)]
    pub(super) output: Vec<(Format, PathBuf)>,
    /// Judge saved facts: no network, and their moment is the clock
    #[arg(long, value_name = "FILE", conflicts_with_all = ["repo", "change", "reference", "head", "platform", "save_snapshot", "scan", "settings", "settings_before", "tickets"])]
    pub(super) snapshot: Option<PathBuf>,
    /// Write the facts to a file, for `--snapshot`
    #[arg(long, value_name = "FILE")]
    pub(super) save_snapshot: Option<PathBuf>,
    /// Most seconds to spend on requests, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
}

#[derive(Debug, Args)]
pub(super) struct SnapshotArgs {
    #[command(subcommand)]
    pub(super) command: Option<SnapshotCommand>,
    /// Only settings, for `ccgate check --settings`; otherwise everything about one change
    #[arg(long)]
    pub(super) settings: bool,
    /// Where to write
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum)]
    pub(super) platform: Option<PlatformArg>,
    /// Full path of the repository; with `--settings` it may repeat, and what is above the
    /// repositories is then asked for once
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Vec<String>,
    /// With `--settings`: every repository of this organisation on GitHub. It has to be certain
    /// that none is missing, or nothing is written and the exit code is 3
    #[arg(long, value_name = "NAME", conflicts_with_all = ["repo", "reference"], requires = "settings")]
    pub(super) owner: Option<String>,
    /// Number of the change, without `--settings`
    #[arg(long, value_name = "N", conflicts_with = "settings")]
    pub(super) change: Option<u64>,
    /// Tickets exported from a tracker, CSV or JSON, without `--settings`
    #[arg(long, value_name = "FILE", conflicts_with = "settings")]
    pub(super) tickets: Option<PathBuf>,
    /// The branch seen from; default: the default branch, or the change's target
    #[arg(long = "ref", value_name = "BRANCH")]
    pub(super) reference: Option<String>,
    /// Policy that says what is needed: a file or a preset; default `.ccgate.yml` of the branch
    #[arg(long, value_name = "FILE|PRESET")]
    pub(super) policy: Option<String>,
    /// Most seconds to spend on requests of one repository, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum SnapshotCommand {
    /// What changed between two settings snapshots; 1 if anything became weaker
    Diff {
        /// The older one
        before: PathBuf,
        /// The newer one
        after: PathBuf,
        /// How to print it
        #[arg(long, value_enum, default_value = "human")]
        format: Layout,
    },
}

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    #[command(subcommand)]
    pub(super) command: ScanCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScanCommand {
    /// List findings with what an acceptance can be bound to: fingerprint, rule, place
    Findings {
        /// Reports; a glob is allowed
        #[arg(required = true, value_name = "REPORT")]
        reports: Vec<String>,
        /// How to print them
        #[arg(long, value_enum, default_value = "human")]
        format: Layout,
    },
    /// Write down the open findings, so that `new` in the policy limits those that come later
    Baseline {
        /// Reports; a glob is allowed
        #[arg(required = true, value_name = "REPORT")]
        reports: Vec<String>,
        /// Where to write
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Layout {
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum PlatformArg {
    Github,
    Gitlab,
}

impl From<PlatformArg> for Platform {
    fn from(argument: PlatformArg) -> Self {
        match argument {
            PlatformArg::Github => Self::Github,
            PlatformArg::Gitlab => Self::Gitlab,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ModeArg {
    Enforce,
    Advisory,
}

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum)]
    pub(super) platform: Option<PlatformArg>,
    /// Full path of the repository, e.g. `acme/payments`; found from the environment in a CI job
    #[arg(long, value_name = "PATH")]
    pub(super) repo: Option<String>,
    /// Look at a change as well: its number
    #[arg(long, value_name = "N", conflicts_with = "reference")]
    pub(super) change: Option<u64>,
    /// The branch seen from; default: the default branch, or the change's target
    #[arg(long = "ref", value_name = "BRANCH")]
    pub(super) reference: Option<String>,
    /// A local policy file or a preset, instead of `.ccgate.yml` at the tip of the branch
    #[arg(long, value_name = "FILE|PRESET")]
    pub(super) policy: Option<String>,
    /// Most seconds to spend on requests, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Layout,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Code or id of a control, e.g. `CHG-04` or `approver-is-independent`; without it, a list
    /// of all controls
    pub(super) control: Option<String>,
    /// Show what it comes to here: which layer demands it, who can go around it
    #[arg(long, value_name = "PATH", requires = "control")]
    pub(super) repo: Option<String>,
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum, requires = "control")]
    pub(super) platform: Option<PlatformArg>,
    /// Number of the change that is judged
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "reference",
        requires = "control"
    )]
    pub(super) change: Option<u64>,
    /// The branch that is judged; default: the default branch
    #[arg(long = "ref", value_name = "BRANCH", requires = "control")]
    pub(super) reference: Option<String>,
    /// Policy whose parameters hold: a file or a preset; default `.ccgate.yml` of the branch, or
    /// the control's defaults where the policy does not name it
    #[arg(long, value_name = "FILE|PRESET", requires = "control")]
    pub(super) policy: Option<String>,
    /// Facts that were saved, instead of asking
    #[arg(long, value_name = "FILE", conflicts_with_all = ["repo", "change", "reference", "platform"], requires = "control")]
    pub(super) snapshot: Option<PathBuf>,
    /// Most seconds to spend on requests, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
}

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    pub(super) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Check a policy file; every problem with its place
    Lint {
        /// The file
        #[arg(default_value = ".ccgate.yml")]
        file: PathBuf,
    },
    /// Run the cases that stand beside a policy: facts in, verdicts out
    Test {
        /// The file of cases
        #[arg(default_value = ".ccgate.test.yml")]
        file: PathBuf,
    },
    /// Compare two policies, control by control: what would become weaker?
    #[command(after_help = POLICY_DIFF_EXAMPLES)]
    Diff(PolicyDiffArgs),
    /// Print the JSON Schema of the policy file
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct PolicyDiffArgs {
    /// The policy as it is: a file or a preset
    #[arg(
        value_name = "BEFORE",
        required_unless_present = "change",
        requires = "after"
    )]
    pub(super) before: Option<String>,
    /// The policy as it would be: a file or a preset
    #[arg(value_name = "AFTER")]
    pub(super) after: Option<String>,
    /// Instead of files: the policy in force against the one at the head of this change
    #[arg(long, value_name = "N", conflicts_with_all = ["before", "after"])]
    pub(super) change: Option<u64>,
    /// Full path of the repository, e.g. `acme/payments`; found from the environment in a CI job
    #[arg(long, value_name = "PATH", requires = "change")]
    pub(super) repo: Option<String>,
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum, requires = "change")]
    pub(super) platform: Option<PlatformArg>,
    /// Most seconds to spend on requests, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Layout,
}

fn parse_format(text: &str) -> Result<Format, UnknownFormat> {
    text.parse()
}

fn parse_output(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or_else(|| {
        format!("`{text}` is not of the form FORMAT=PATH, e.g. `json=decision.json`")
    })?;
    if path.is_empty() {
        return Err(format!(
            "`{text}` names no file, write e.g. `json=decision.json`"
        ));
    }
    let format = format
        .parse()
        .map_err(|error: UnknownFormat| error.to_string())?;
    Ok((format, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
