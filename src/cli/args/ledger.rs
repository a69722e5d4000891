//! The command line of `ccgate ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(in crate::cli) struct LedgerArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LedgerCommand {
    /// Give verdicts (integrity, completeness, anchored up to N, time-stamped, times), and the level
    /// of anchoring, L0 to L4
    Verify {
        #[command(flatten)]
        ledger: LedgerVerifyArgs,
        /// Leave the copies below `records/` unread: a fourth of the time where there are many, for every
        /// day. What is sealed is judged as otherwise. What is altered, missing or foreign below `records/` is
        /// not found, nor is a record that is sealed twice
        #[arg(long)]
        log_only: bool,
    },
    /// Copy the ledger out for somebody who verifies it without us, with two verifiers and digests
    Export {
        #[command(flatten)]
        ledger: LedgerVerifyArgs,
        /// The folder to make
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Have the newest signed checkpoint time-stamped (RFC 3161), and keep the token if it holds
    Anchor(AnchorArgs),
    /// Keep a Sigstore bundle over a signed checkpoint beside it, if it holds
    Witness(WitnessArgs),
    /// Print the newest checkpoint, for somebody outside to keep
    Checkpoint {
        /// Address of the ledger
        #[arg(default_value = "dir:.ccgate/ledger")]
        url: String,
    },
    /// Seal what runs left below `ccgate/pending/` because others were faster (ledgers in git)
    Seal {
        /// Address of the ledger
        url: String,
    },
    /// Record that a run ended without a decision: a crash, or a kill
    Crashed(CrashedArgs),
    /// Print the schema that the owner of a database runs once, so that ledgers can lie there
    Schema,
    /// List the records
    Show {
        /// Address of the ledger: `dir:PATH`, `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`,
        /// `s3://BUCKET/PREFIX` or `postgres://HOST/DATABASE#NAME`
        #[arg(default_value = "dir:.ccgate/ledger")]
        url: String,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CrashedArgs {
    /// Address of the ledger
    pub(in crate::cli) url: String,
    /// What the run ended with, as a shell says it: 101 for a crash, 128 and the signal for a kill
    #[arg(long, value_name = "CODE", value_parser = clap::value_parser!(u8).range(101..))]
    pub(in crate::cli) exit_code: u8,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AnchorArgs {
    /// Address of the ledger
    #[arg(default_value = "dir:.ccgate/ledger")]
    pub(in crate::cli) url: String,
    /// Address of the time-stamping authority
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) tsa: String,
    /// Roots that the authority's certificate has to lead to, in PEM
    #[arg(long, value_name = "PEM")]
    pub(in crate::cli) tsa_roots: PathBuf,
    /// Seconds to wait for the authority in all
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(in crate::cli) timeout: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WitnessArgs {
    /// Address of the ledger
    #[arg(default_value = "dir:.ccgate/ledger")]
    pub(in crate::cli) url: String,
    /// The bundle, as made by `cosign sign-blob --bundle` or `actions/attest` over what
    /// `ccgate ledger checkpoint` prints
    #[arg(long, value_name = "JSON")]
    pub(in crate::cli) bundle: PathBuf,
    /// The checkpoint that was signed, where the ledger has grown since; the newest otherwise
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) checkpoint: Option<PathBuf>,
    /// Who must have signed it: the name in the certificate, compared whole; once for each of several
    #[arg(long, value_name = "IDENTITY", required = true)]
    pub(in crate::cli) certificate_identity: Vec<String>,
    /// The provider that vouched for that name, compared whole
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) certificate_oidc_issuer: String,
    /// Authorities and logs to believe (`trusted_root.json`); Sigstore's public ones otherwise
    #[arg(long, value_name = "JSON")]
    pub(in crate::cli) trusted_root: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct LedgerVerifyArgs {
    /// Address of the ledger: `dir:PATH`, `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`,
    /// `s3://BUCKET/PREFIX` or `postgres://HOST/DATABASE#NAME`
    #[arg(default_value = "dir:.ccgate/ledger")]
    pub(in crate::cli) url: String,
    /// The ledger that it must be, `ccgate/PLATFORM/REPOSITORY`
    #[arg(long, value_name = "ORIGIN")]
    pub(in crate::cli) origin: Option<String>,
    /// Keys that may sign checkpoints, in the form of ssh's `allowed_signers`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) allowed_signers: Option<PathBuf>,
    /// An older checkpoint that you kept: proves that nothing before it was cut or rewritten
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) trusted_checkpoint: Option<PathBuf>,
    /// Roots of time-stamping authorities whose tokens count, in PEM
    #[arg(long, value_name = "PEM")]
    pub(in crate::cli) tsa_roots: Option<PathBuf>,
    /// Who must have signed the Sigstore bundles: the name in the certificate, compared whole, e.g.
    /// `https://github.com/acme/audit/.github/workflows/witness.yml@refs/heads/main`; once for each of several
    #[arg(long, value_name = "IDENTITY", requires = "certificate_oidc_issuer")]
    pub(in crate::cli) certificate_identity: Vec<String>,
    /// The provider that vouched for that name, compared whole, e.g.
    /// `https://token.actions.githubusercontent.com`
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    pub(in crate::cli) certificate_oidc_issuer: Option<String>,
    /// Authorities and logs to believe (`trusted_root.json`); Sigstore's public ones otherwise
    #[arg(long, value_name = "JSON", requires = "certificate_identity")]
    pub(in crate::cli) trusted_root: Option<PathBuf>,
    /// A copy of the ledger that others keep: a ledger's folder, or an exported pack
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) copy: Option<PathBuf>,
    /// The commits that must each have a record, one id a line
    /// (e.g. from `git rev-list --first-parent main`)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) population: Option<PathBuf>,
    /// The branch that the list is of, e.g. `main`: only records of moves of it count. Without it records of
    /// several branches are a problem
    #[arg(long, value_name = "NAME", requires = "population")]
    pub(in crate::cli) branch: Option<String>,
    /// A record whose machine's clock is known to have been wrong, by its number; once for each.
    /// It is told, and its two times may differ; nothing else is excused
    #[arg(long, value_name = "ENTRY")]
    pub(in crate::cli) wrong_clock: Vec<u64>,
}
