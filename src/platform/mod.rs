//! From GitHub's and GitLab's answers to facts: the only room that talks to
//! the network. It does not judge, it invents no fact, and it knows neither
//! controls nor policies; it is told which groups of facts are needed.

mod access;
mod again;
mod authority;
pub mod context;
mod first_parents;
mod git_remote;
mod github;
#[cfg(test)]
mod github_run_approvals_tests;
mod gitlab;
#[cfg(test)]
mod gitlab_run_approvals_tests;
mod join;
mod notice;
mod own_run;
mod posting;
#[cfg(test)]
mod signing_keys_tests;
#[cfg(test)]
mod testing;
mod tickets;
mod transport;
mod yaml;

use std::time::Duration;

use jiff::Timestamp;

use crate::facts::{
    Account, BranchRules, Fact, FactKey, FoundTicket, Needs, PolicyDocument, PreviousTip,
    QueueResult, RUN_APPROVALS, Requests, Snapshot, Tracker, Unknown, Why,
};

use again::Stood;

pub use authority::TimeStampAuthority;
pub use context::{Flags, Group, Place, Wanted};
pub use first_parents::{FromTo, ToldMoves};
pub use git_remote::{git_address, git_server, git_user};
pub use github::{
    AppKey, CommitAnswer, CommitWanted, Fleet, app_token, commit_on_branch,
    permissions as github_permissions, population,
};
pub use gitlab::permissions as gitlab_permissions;
pub use notice::{Noted, Notice, keep_notice};
pub use own_run::OwnRun;
pub use posting::{Posted, post_comment};
pub use tickets::{JiraAccess, TicketExport, TicketSources};
#[cfg(feature = "s3")]
pub use transport::trust;
pub use transport::{Limits, Token, TransportError, TransportErrorKind};

/// How the policy is found.
#[derive(Clone, Debug)]
pub enum PolicyWanted {
    /// At this path, at the tips of target and default branch.
    AtTarget(String),
    /// Given by hand: a preset or a local file. Nothing is fetched.
    Given(PolicyDocument),
}

/// What a collection saves where it cannot save both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thrift {
    /// Rounds: whatever may turn out to be needed is asked at once. For one subject.
    #[default]
    Rounds,
    /// Requests: what only some answers make necessary waits for those answers. For
    /// many repositories, which share one limit of requests an hour.
    Requests,
}

/// Everything that a collection needs to know about the world around it.
#[derive(Debug)]
pub struct Setup {
    /// Where the change is.
    pub place: Place,
    /// Token for the change.
    pub token: Token,
    /// Token for settings, if there is another one.
    pub settings_token: Option<Token>,
    /// Bundle of certificate authorities (`SSL_CERT_FILE`), PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Limits of the transport.
    pub limits: Limits,
    /// The moment, read once by the caller.
    pub now: Timestamp,
    /// Name and version of the program.
    pub program: String,
    /// What is saved.
    pub thrift: Thrift,
}

/// Whose tokens ask the platform, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readers {
    /// Who reads the change.
    pub change: Fact<Account>,
    /// Who reads settings; `None` if the same token does.
    pub settings: Option<Fact<Account>>,
}

/// An open connection to one platform about one subject.
pub struct Host {
    session: Session,
    /// How the policy was asked for.
    policy: Option<PolicyWanted>,
}

#[expect(clippy::large_enum_variant, reason = "there is one for the whole run")]
enum Session {
    Github(github::Session),
    Gitlab(gitlab::Session),
}

impl Host {
    /// Builds the client. No request is made.
    ///
    /// # Errors
    /// A certificate bundle or an address that cannot be used.
    pub fn new(mut setup: Setup) -> anyhow::Result<Self> {
        // One token given twice is one token, and is asked once.
        if setup.settings_token.as_ref() == Some(&setup.token) {
            setup.settings_token = None;
        }
        let session = match setup.place.platform {
            crate::facts::Platform::Github => Session::Github(github::Session::new(setup)?),
            crate::facts::Platform::Gitlab => Session::Gitlab(gitlab::Session::new(setup)?),
        };
        Ok(Self {
            session,
            policy: None,
        })
    }

    /// The same as part of a run over several repositories of one owner, which saves
    /// requests: see [`Thrift::Requests`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn in_fleet(mut setup: Setup, fleet: &Fleet) -> anyhow::Result<Self> {
        setup.thrift = Thrift::Requests;
        let mut host = Self::new(setup)?;
        match &mut host.session {
            Session::Github(session) => session.join(fleet),
            // Nothing is shared: GitLab's questions about settings are answered a project at a time.
            Session::Gitlab(_) => {}
        }
        Ok(host)
    }

    /// Asks ahead what each of them is opened with, as many at once as fit together.
    pub async fn ask_openings_ahead(hosts: &[Self], policy: &PolicyWanted) {
        let sessions: Vec<&github::Session> = hosts.iter().filter_map(Self::github).collect();
        github::openings(&sessions, policy).await;
    }

    /// Asks ahead about the settings of each of them, after [`Self::open`].
    pub async fn ask_settings_ahead(open: &[(&Self, &Snapshot, &Needs)]) {
        let sessions: Vec<_> = open
            .iter()
            .filter_map(|(host, snapshot, needs)| Some((host.github()?, *snapshot, *needs)))
            .collect();
        github::settings_ahead(&sessions).await;
    }

    fn github(&self) -> Option<&github::Session> {
        match &self.session {
            Session::Github(session) => Some(session),
            Session::Gitlab(_) => None,
        }
    }

    /// First round: what is the subject, and what is the policy. The snapshot
    /// comes back whatever happens; what could not be read is unknown in it.
    pub async fn open(&mut self, policy: &PolicyWanted) -> Snapshot {
        self.policy = Some(policy.clone());
        self.session.open(policy).await
    }

    /// Second round: fills in the groups that are needed, and no others. A change that
    /// moves meanwhile is opened and read again, at most twice; then it is unknown.
    pub async fn collect(&mut self, snapshot: &mut Snapshot, needs: &Needs) {
        let mut readings = 1;
        loop {
            let why = match self.session.collect(snapshot, needs).await {
                Stood::Still => break,
                Stood::Hidden(unknown) => unknown,
                Stood::Moved => {
                    if readings <= again::MOST
                        && let Some(policy) = &self.policy
                    {
                        self.session.begin_again();
                        let opened = self.session.open(policy).await;
                        if again::take(snapshot, opened) {
                            readings += 1;
                            continue;
                        }
                    }
                    again::restless(readings)
                }
            };
            again::hide(snapshot, needs, &why);
            break;
        }
        snapshot.requests = self.requests();
    }

    /// Asks for the tickets that the change names, where a control needs them: a round
    /// of its own after [`Self::collect`], because what the change says names them.
    pub async fn collect_tickets(
        &mut self,
        snapshot: &mut Snapshot,
        needs: &Needs,
        sources: &TicketSources,
    ) {
        let key = FactKey::ChangeTickets;
        let Some(naming) = needs.tickets().filter(|_| needs.has(key)) else {
            return;
        };
        let asked = match tickets::Asked::of(naming, snapshot) {
            Ok(asked) => asked,
            Err(unknown) => {
                snapshot.tickets = Fact::Unknown(unknown);
                return;
            }
        };
        let answers = match naming.tracker {
            Tracker::Issues => match &self.session {
                Session::Github(session) => Ok(session.tickets(asked.names()).await),
                Session::Gitlab(session) => Ok(session.tickets(asked.names()).await),
            },
            Tracker::Jira => self.jira_tickets(sources, asked.names()).await,
            Tracker::File => match &sources.export {
                Some(export) => Ok(export.tickets(asked.names())),
                None => Err(Unknown::new(
                    key.name(),
                    Why::Failed,
                    "no file of tickets was handed in with `--tickets`",
                )),
            },
        };
        match answers {
            Ok(answers) => tickets::put_into(snapshot, asked, answers),
            Err(unknown) => snapshot.tickets = Fact::Unknown(unknown),
        }
        snapshot.requests = self.requests();
    }

    async fn jira_tickets(
        &self,
        sources: &TicketSources,
        keys: &[String],
    ) -> Result<Vec<Fact<FoundTicket>>, Unknown> {
        let unknown =
            |why, detail: String| Unknown::new(FactKey::ChangeTickets.name(), why, detail);
        let Some(jira) = &sources.jira else {
            return Err(unknown(
                Why::NotPermitted,
                "Jira cannot be asked: its address or its token is not set".to_owned(),
            )
            .needs(tickets::JIRA_NEEDS));
        };
        let (transport, setup) = match &self.session {
            Session::Github(session) => session.surroundings(),
            Session::Gitlab(session) => session.surroundings(),
        };
        let transport = transport
            .beside(setup.ca_bundle.as_deref(), &setup.program, jira.api())
            .map_err(|error| unknown(Why::Failed, format!("{error:#}")))?;
        Ok(jira.tickets(&transport, keys).await)
    }

    /// The rules of a further branch in scope, after [`Self::collect`].
    pub async fn branch_rules(&mut self, branch: &str, needs: &Needs) -> Fact<BranchRules> {
        match &self.session {
            Session::Github(session) => session.branch_rules(branch, needs).await,
            Session::Gitlab(session) => session.branch_rules(branch),
        }
    }

    /// Whether it is known already where the branch stood before, or whether that
    /// does not matter here.
    pub fn knows_previous_tip(&self) -> bool {
        let wanted = match &self.session {
            Session::Github(session) => session.wanted(),
            Session::Gitlab(session) => session.wanted(),
        };
        match wanted {
            Wanted::Commit { before, .. } => before.is_some(),
            Wanted::Change { .. } | Wanted::Group(_) | Wanted::Repository { .. } => true,
        }
    }

    /// Says where the branch stood before and which moves of it were looked at, before
    /// [`Self::collect`].
    pub fn set_previous_tip(&mut self, tip: PreviousTip, told: Option<ToldMoves>) {
        let wanted = match &mut self.session {
            Session::Github(session) => {
                session.set_told_moves(told);
                session.wanted_mut()
            }
            Session::Gitlab(session) => {
                session.set_told_moves(told);
                session.wanted_mut()
            }
        };
        if let Wanted::Commit { before, .. } = wanted {
            *before = Some(tip);
        }
    }

    /// Whose tokens ask, after [`Self::open`]. What the first round told is not asked again.
    pub async fn identity(&mut self) -> Readers {
        match &mut self.session {
            Session::Github(session) => session.identity().await,
            Session::Gitlab(session) => session.identity().await,
        }
    }

    /// What it cost so far.
    pub fn requests(&self) -> Requests {
        match &self.session {
            Session::Github(session) => session.requests(),
            Session::Gitlab(session) => session.requests(),
        }
    }

    /// What a group of a merge queue holds. No other round is needed before.
    pub async fn queue(&mut self, group: &Group) -> Fact<QueueResult> {
        match &mut self.session {
            Session::Github(session) => session.queue(group).await,
            Session::Gitlab(_) => Fact::Unknown(Unknown::new(
                FactKey::ChangeQueue.name(),
                Why::NotSupported,
                "GitLab has trains, and each of their changes is judged in its own pipeline",
            )),
        }
    }

    /// Another round, only when the change touches the policy file: one request for the
    /// file at the change's head.
    pub async fn collect_proposed_policy(&mut self, snapshot: &mut Snapshot, path: &str) {
        match &mut self.session {
            Session::Github(session) => session.collect_proposed_policy(snapshot, path).await,
            Session::Gitlab(session) => session.collect_proposed_policy(snapshot, path).await,
        }
    }

    /// Third round, only when somebody wrote an override command: who may, and who pushed last.
    pub async fn collect_override_people(&mut self, snapshot: &mut Snapshot, teams: &[String]) {
        match &mut self.session {
            Session::Github(session) => session.collect_override_people(snapshot, teams).await,
            Session::Gitlab(session) => session.collect_override_people(snapshot, teams).await,
        }
    }

    /// Another round, only where the policy lets approvals in environments count and somebody asked
    /// for an override: who let the run that judges pass.
    pub async fn collect_run_approvals(&mut self, snapshot: &mut Snapshot, run: OwnRun) {
        match (&mut self.session, run) {
            (Session::Github(session), OwnRun::Workflow(run)) => {
                session.collect_run_approvals(snapshot, run).await;
            }
            (Session::Gitlab(session), OwnRun::Job { id, environment }) => {
                session
                    .collect_run_approvals(snapshot, id, &environment)
                    .await;
            }
            (Session::Github(_), OwnRun::Job { .. })
            | (Session::Gitlab(_), OwnRun::Workflow(_)) => {
                snapshot.run_approvals = Fact::Unknown(Unknown::new(
                    RUN_APPROVALS,
                    Why::NotSupported,
                    "the run that judges is another platform's",
                ));
            }
        }
    }

    /// Another round, only where a signature is by a key that the policy does not list and the policy
    /// lets published keys count: what the platform publishes for these accounts.
    pub async fn collect_published_keys(&mut self, snapshot: &mut Snapshot, accounts: &[Account]) {
        match &mut self.session {
            Session::Github(session) => session.collect_published_keys(snapshot, accounts).await,
            Session::Gitlab(session) => session.collect_published_keys(snapshot, accounts).await,
        }
    }
}

/// The questions are made on the heap: they would need much of the stack, at each level again.
impl Session {
    async fn open(&mut self, policy: &PolicyWanted) -> Snapshot {
        match self {
            Self::Github(session) => Box::pin(session.open(policy)).await,
            Self::Gitlab(session) => Box::pin(session.open(policy)).await,
        }
    }

    async fn collect(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Stood {
        match self {
            Self::Github(session) => Box::pin(session.collect(snapshot, needs)).await,
            Self::Gitlab(session) => Box::pin(session.collect(snapshot, needs)).await,
        }
    }

    /// Forgets what was read, and writes down that it is read again.
    fn begin_again(&mut self) {
        match self {
            Self::Github(session) => session.begin_again(),
            Self::Gitlab(session) => session.begin_again(),
        }
    }
}

/// Default cap on the whole time spent on requests, waiting included.
pub const DEFAULT_TOTAL: Duration = Duration::from_secs(60);
