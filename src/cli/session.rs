//! From flags and environment to an open session: which repository, which
//! tokens, which policy. Shared by the commands that ask a platform.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use crate::facts::{Needs, Platform, PolicyDocument, Snapshot, Tracker};
use crate::platform::{
    self, AppKey, Flags, JiraAccess, Limits, Place, PolicyWanted, Setup, Thrift, TicketExport,
    TicketSources, Token,
};
use crate::policy::{self, POLICY_PATH, Policy};

use super::exit::CommandError;
use super::files::{policy_file, read_whole};
use super::world::World;

/// The program as it names itself in records and to the platforms.
pub(super) const PROGRAM: &str = concat!("ccgate/", env!("CARGO_PKG_VERSION"));

/// The one runtime of a command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CommandError::undecided)
}

/// What a session is set up with, and the App's token if one was made.
pub(super) struct Ready {
    pub(super) setup: Setup,
    pub(super) app_token: Option<Token>,
}

/// Everything that a session needs. With an App's key, its token is made here: it
/// reads settings where no other token for them is given.
pub(super) async fn setup(
    flags: &Flags,
    timeout: u64,
    world: &World,
) -> Result<Setup, CommandError> {
    Ok(setup_for(flags, timeout, world, &[]).await?.setup)
}

/// The same, where an App's token has to reach all of these repositories that have
/// the same owner.
pub(super) async fn setup_for(
    flags: &Flags,
    timeout: u64,
    world: &World,
    repositories: &[String],
) -> Result<Ready, CommandError> {
    let mut setup = bare(flags, timeout, world)?;
    let key = app_key(setup.place.platform, world).map_err(CommandError::usage)?;
    let app_token = match &key {
        Some(key) if world.var("CCGATE_SETTINGS_TOKEN").is_none() => {
            let own = setup.place.repository.clone();
            let owner = own.split('/').next().unwrap_or_default().to_owned();
            let mut all: Vec<String> = repositories
                .iter()
                .filter(|name| name.split('/').next() == Some(owner.as_str()))
                .cloned()
                .collect();
            if !all.contains(&own) {
                all.push(own);
            }
            Some(
                platform::app_token(&setup, key, &all)
                    .await
                    .map_err(CommandError::undecided)?,
            )
        }
        _ => None,
    };
    give_tokens(&mut setup, world, app_token.as_ref())?;
    Ok(Ready { setup, app_token })
}

/// The same with an App's token that was made before.
pub(super) fn setup_with(
    flags: &Flags,
    timeout: u64,
    world: &World,
    app_token: &Token,
) -> Result<Ready, CommandError> {
    let mut setup = bare(flags, timeout, world)?;
    give_tokens(&mut setup, world, Some(app_token))?;
    Ok(Ready {
        setup,
        app_token: None,
    })
}

/// What is needed to ask about an owner, before it is known which repositories there
/// are. An App's token always names those that it is for.
pub(super) fn setup_of_owner(
    flags: &Flags,
    timeout: u64,
    world: &World,
) -> Result<Setup, CommandError> {
    let mut setup = bare(flags, timeout, world)?;
    if setup.place.platform != Platform::Github {
        return Err(CommandError::usage(anyhow!(
            "`--owner` is for GitHub; name every project with `--repo`"
        )));
    }
    give_tokens(&mut setup, world, None)?;
    Ok(setup)
}

/// Everything but the tokens.
fn bare(flags: &Flags, timeout: u64, world: &World) -> Result<Setup, CommandError> {
    Ok(Setup {
        place: place(flags, world).map_err(CommandError::usage)?,
        token: Token::new(String::new()),
        settings_token: None,
        ca_bundle: ca_bundle(world).map_err(CommandError::usage)?,
        limits: Limits {
            total: Duration::from_secs(timeout),
            ..Limits::default()
        },
        now: world.now,
        program: PROGRAM.to_owned(),
        thrift: Thrift::Rounds,
    })
}

fn give_tokens(
    setup: &mut Setup,
    world: &World,
    app_token: Option<&Token>,
) -> Result<(), CommandError> {
    match (tokens(setup.place.platform, world), app_token) {
        (Ok((token, settings)), app) => {
            setup.token = token;
            setup.settings_token = settings.or_else(|| app.cloned());
        }
        // An App alone is enough: its token reads the change as well.
        (Err(_), Some(app)) => {
            setup.token = app.clone();
            setup.settings_token = Some(app.clone());
        }
        (Err(error), None) => return Err(CommandError::usage(error)),
    }
    Ok(())
}

/// How the policy is found.
pub(super) fn policy_wanted(given: Option<PolicyDocument>) -> PolicyWanted {
    given.map_or_else(
        || PolicyWanted::AtTarget(POLICY_PATH.to_owned()),
        PolicyWanted::Given,
    )
}

/// What the policy needs to be seen, of which branches.
pub(super) fn needs(policy: &Policy, snapshot: &Snapshot) -> Needs {
    let default = snapshot.repository.default_branch.known().ok();
    policy
        .needs()
        .for_branches(policy.inventory(default.map(String::as_str), &snapshot.subject.target))
}

/// The file of tickets that was handed in, if any.
pub(super) fn ticket_export(
    file: Option<&Path>,
    world: &World,
) -> anyhow::Result<Option<TicketExport>> {
    file.map(|file| {
        let bytes = read_whole(&world.folder.join(file))?;
        // The folder says where this machine keeps it, and nothing else.
        let name = file
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        TicketExport::parse(&name, &bytes)
            .with_context(|| format!("`{}` is no usable file of tickets", file.display()))
    })
    .transpose()
}

/// What tickets are read with. Jira's address and token are looked at only where the
/// policy keeps tickets there.
pub(super) fn ticket_sources(
    export: Option<TicketExport>,
    needs: &Needs,
    world: &World,
) -> anyhow::Result<TicketSources> {
    let in_jira = needs
        .tickets()
        .is_some_and(|naming| naming.tracker == Tracker::Jira);
    let jira = match (world.var("JIRA_URL"), world.var("JIRA_TOKEN")) {
        (Some(url), Some(token)) if in_jira => {
            Some(JiraAccess::new(url, token, world.var("JIRA_USER"))?)
        }
        _ => None,
    };
    Ok(TicketSources { jira, export })
}

/// Where the change is, from flags and environment.
pub(super) fn place(flags: &Flags, world: &World) -> anyhow::Result<Place> {
    let event_file = world
        .var("GITHUB_EVENT_PATH")
        .map(|path| read_whole(&world.folder.join(path)).map_err(|error| format!("{error:#}")));
    platform::context::find(flags, &world.env, event_file)
}

/// The App's key, if one is given.
pub(super) fn app_key(platform: Platform, world: &World) -> anyhow::Result<Option<AppKey>> {
    match (
        world.var("CCGATE_APP_ID"),
        world.var("CCGATE_APP_PRIVATE_KEY"),
    ) {
        (None, None) => Ok(None),
        (Some(id), Some(pem)) if platform == Platform::Github => AppKey::new(id, pem)
            .map(Some)
            .context("`CCGATE_APP_ID` and `CCGATE_APP_PRIVATE_KEY` are not usable"),
        (Some(_), Some(_)) => {
            bail!("`CCGATE_APP_ID` is for GitHub; on GitLab set `CCGATE_SETTINGS_TOKEN`")
        }
        (Some(_), None) => bail!("`CCGATE_APP_ID` is set and `CCGATE_APP_PRIVATE_KEY` is not"),
        (None, Some(_)) => bail!("`CCGATE_APP_PRIVATE_KEY` is set and `CCGATE_APP_ID` is not"),
    }
}

/// The token for the change and the one for settings.
fn tokens(platform: Platform, world: &World) -> anyhow::Result<(Token, Option<Token>)> {
    let settings = world.var("CCGATE_SETTINGS_TOKEN");
    let own = world.var("CCGATE_TOKEN");
    let token = match platform {
        Platform::Github => own
            .or_else(|| world.var("GITHUB_TOKEN"))
            .or(settings)
            .map(|token| Token::new(token.to_owned())),
        // The job token reads too little on GitLab; a settings token does all it does and more.
        Platform::Gitlab => own
            .or(settings)
            .map(|token| Token::new(token.to_owned()))
            .or_else(|| {
                world
                    .var("CI_JOB_TOKEN")
                    .map(|token| Token::job(token.to_owned()))
            }),
    };
    let Some(token) = token else {
        bail!(
            "there is no token: set `CCGATE_TOKEN` (or {})",
            match platform {
                Platform::Github => "`GITHUB_TOKEN`",
                Platform::Gitlab => "`CCGATE_SETTINGS_TOKEN`; `CI_JOB_TOKEN` reads little",
            }
        );
    };
    Ok((token, settings.map(|token| Token::new(token.to_owned()))))
}

/// The certificate authorities of `SSL_CERT_FILE`, if that is set.
pub(super) fn ca_bundle(world: &World) -> anyhow::Result<Option<Vec<u8>>> {
    world
        .var("SSL_CERT_FILE")
        .map(|path| read_whole(&world.folder.join(path)).context("`SSL_CERT_FILE`"))
        .transpose()
}

/// The policy given by `--policy`, if any.
pub(super) fn given_policy(
    name: Option<&str>,
    world: &World,
) -> anyhow::Result<Option<PolicyDocument>> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    if let Some(document) = policy::preset(name) {
        return Ok(Some(document));
    }
    let path = world.folder.join(name);
    if !path.exists() {
        bail!(
            "`--policy {name}` names no file and no preset ({})",
            policy::did_you_mean(name, policy::PRESETS.iter().copied()).unwrap_or_default()
        );
    }
    policy_file(&path, name).map(Some)
}
