//! The command line of `ccgate override`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::{Layout, PlatformArg};

#[derive(Debug, Args)]
pub(in crate::cli) struct OverrideArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: OverrideCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OverrideCommand {
    /// Ask for an override: posts `/ccgate override …` on the change, with your own token
    Create {
        /// Code or id of the control
        #[arg(long, value_name = "CODE")]
        control: String,
        /// The ticket
        #[arg(long, value_name = "KEY")]
        ticket: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// For how long, e.g. `4h`; without it 4 hours, or the policy's `max` where that is shorter
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        #[command(flatten)]
        on: OnChange,
    },
    /// Approve an override that somebody else asked for: posts `/ccgate approve ID`, with your own token
    Approve {
        /// Its id, as the gate shows it
        #[arg(value_name = "ID")]
        id: String,
        /// Post nothing: print the comment for an approval of a deployment, with the signature in its
        /// short form
        #[arg(long, requires = "signature")]
        for_deployment: bool,
        #[command(flatten)]
        on: OnChange,
    },
    /// Print what you sign with your SSH key, so that a comment of yours counts as signed; asks nobody
    Statement {
        /// The comment: `/ccgate override …` or `/ccgate approve ID`
        #[arg(value_name = "COMMENT")]
        comment: String,
        /// Of an approval: the whole comment that asked for the override
        #[arg(long, value_name = "COMMENT")]
        asked: Option<String>,
        /// Where the change is
        #[arg(long, value_enum)]
        platform: PlatformArg,
        /// Full path of the repository, as the platform writes it, e.g. `acme/payments`
        #[arg(long, value_name = "PATH")]
        repo: String,
        /// Number of the pull request or merge request (`iid`)
        #[arg(long, value_name = "N")]
        change: u64,
        /// The branch that the change goes to
        #[arg(long, value_name = "BRANCH")]
        target: String,
        /// Full id of the head commit of the change
        #[arg(long, value_name = "SHA")]
        head: String,
    },
    /// Tell of overrides in one comment on a change, or in one issue: made once, then changed in place
    Notify(NotifyArgs),
    /// List overrides and breaches of a ledger, and what became of their reviews; exit code 1 if
    /// one is overdue
    List {
        /// Address of the ledger: `dir:PATH`, `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`,
        /// `s3://BUCKET/PREFIX` or `postgres://HOST/DATABASE#NAME`
        #[arg(default_value = "dir:.ccgate/ledger")]
        url: String,
        /// Only those that nobody has reviewed yet
        #[arg(long)]
        open: bool,
        /// As `human` or `json`
        #[arg(long, value_enum, default_value_t = Layout::Human)]
        format: Layout,
    },
}

/// What a notice of overrides tells, and where.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("where").required(true).args(["change", "issue"])))]
pub(in crate::cli) struct NotifyArgs {
    /// Address of the ledger: `dir:PATH`, `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`,
    /// `s3://BUCKET/PREFIX` or `postgres://HOST/DATABASE#NAME`
    #[arg(value_name = "LEDGER")]
    pub(in crate::cli) url: String,
    /// As a comment on this pull request or merge request (`iid`), about its overrides
    #[arg(long, value_name = "N")]
    pub(in crate::cli) change: Option<u64>,
    /// As an issue of the repository, about what is open, overdue or waiting, with sums
    #[arg(long)]
    pub(in crate::cli) issue: bool,
    /// Only show the text; nothing is posted
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// Full path of the repository, e.g. `acme/payments`; found from the environment in a CI job
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) repo: Option<String>,
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum)]
    pub(in crate::cli) platform: Option<PlatformArg>,
    /// Most seconds to spend on reading, and again on writing, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(in crate::cli) timeout: u64,
}

/// The change that a comment is for.
#[derive(Debug, Args)]
pub(in crate::cli) struct OnChange {
    /// Number of the pull request or merge request (`iid`)
    #[arg(long, value_name = "N")]
    pub(in crate::cli) change: u64,
    /// Your signature, carried in the comment: the `FILE.sig` that `ssh-keygen -Y sign -n
    /// ccgate-override` wrote beside the `FILE` with what `ccgate override statement` printed
    #[arg(long, value_name = "FILE.sig")]
    pub(in crate::cli) signature: Option<PathBuf>,
    /// Full path of the repository, e.g. `acme/payments`; found from the environment in a CI job
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) repo: Option<String>,
    /// Where the repository is; found from the environment in a CI job
    #[arg(long, value_enum)]
    pub(in crate::cli) platform: Option<PlatformArg>,
    /// Most seconds to spend on requests, waiting included
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(in crate::cli) timeout: u64,
}
