//! GitLab: which questions to ask, in which round, with which token. Each part
//! asks in `open`, `collect` and `overrides`, and translates in a pure function
//! of its own file. Does not judge, and asks for no group that is not needed.

mod approvals;
mod arrivals;
mod association;
mod branch;
mod change;
mod checks;
mod client;
mod collect;
mod discussion;
mod files;
mod identity;
mod lookups;
mod notice;
mod open;
mod overrides;
mod people;
mod permissions;
mod posting;
mod run_approvals;
mod settings;
mod signatures;
mod signing_keys;
mod tickets;
mod train;
mod wire;

use std::sync::OnceLock;

use tokio::sync::OnceCell;

use crate::facts::{Account, BranchRules, Fact, Needs, Server, Snapshot, Source, Unknown, Why};

use super::again::{READ_AFTER_OPENING, Stood};
use super::first_parents::ToldMoves;
use super::transport::Transport;
use super::{PolicyWanted, Setup, access};
use client::Client;
pub(super) use notice::{own_notices, write_notice};
pub use permissions::permissions;
pub(super) use posting::post_comment;
use wire::{Event, MergeRequest, Pages, Project, Read, Reply};

/// A session about one subject.
pub(super) struct Session {
    setup: Setup,
    transport: Transport,
    /// With the token for the change: what a job token may read.
    change: Client,
    /// With the token for settings if there is one, else the same: everything else.
    settings: Client,
    /// What the first round brought that the second needs again.
    opened: Opened,
    /// Which server answers; asked once, when first wanted.
    server: OnceCell<Fact<Server>>,
    /// Lists that several groups of facts hang on; each asked once, when first wanted.
    protected_branches: OnceCell<Pages>,
    all_members: OnceCell<Pages>,
    /// What was read about the subject's branch; most of it holds for every branch.
    seen_of_branch: OnceLock<branch::Seen>,
    group_members: OnceCell<Pages>,
    groups: OnceCell<Vec<Reply>>,
    approval_rules: OnceCell<Pages>,
    push_rule: OnceCell<Reply>,
    /// The moves of the branch that the ledger tells of, if it told where to begin.
    told_moves: Option<ToldMoves>,
}

/// Answers of the first round.
struct Opened {
    project: Read<Project>,
    merge_request: Read<MergeRequest>,
    /// Merge requests of the commit and pushes to its branch, when a commit is judged.
    commit: Option<Index>,
}

/// Which changes hold a commit, and who pushed lately where that is not settled.
type Index = (Read<Vec<MergeRequest>>, Option<Read<Vec<Event>>>);

impl Session {
    pub(super) fn new(setup: Setup) -> anyhow::Result<Self> {
        let transport = Transport::new(
            setup.ca_bundle.as_deref(),
            setup.limits,
            &setup.program,
            &setup.place.api,
        )?;
        #[cfg(test)]
        let transport = transport.without_waiting();
        let change = Client::new(&setup.place, &setup.token, &transport)?;
        let settings = match &setup.settings_token {
            Some(token) => Client::new(&setup.place, token, &transport)?,
            None => change.clone(),
        };
        Ok(Self {
            setup,
            transport,
            change,
            settings,
            opened: Opened {
                project: Err(Unknown::not_collected("repository")),
                merge_request: Err(Unknown::not_collected("change.identity")),
                commit: None,
            },
            server: OnceCell::new(),
            protected_branches: OnceCell::new(),
            all_members: OnceCell::new(),
            seen_of_branch: OnceLock::new(),
            group_members: OnceCell::new(),
            groups: OnceCell::new(),
            approval_rules: OnceCell::new(),
            push_rule: OnceCell::new(),
            told_moves: None,
        })
    }

    pub(super) async fn open(&mut self, policy: &PolicyWanted) -> Snapshot {
        let snapshot = open::open(self, policy).await;
        self.with_costs(snapshot)
    }

    /// What is judged.
    pub(super) fn wanted(&self) -> &super::Wanted {
        &self.setup.place.wanted
    }

    /// What is judged, to say more about it.
    pub(super) fn wanted_mut(&mut self) -> &mut super::Wanted {
        &mut self.setup.place.wanted
    }

    /// Takes the moves of the branch that the ledger tells of.
    pub(super) fn set_told_moves(&mut self, told: Option<ToldMoves>) {
        self.told_moves = told;
    }

    pub(super) async fn collect(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Stood {
        collect::collect(self, snapshot, needs).await;
        self.stood(snapshot, needs).await
    }

    /// Whether the change is where it was when it was opened. Asked behind everything
    /// else: no list of GitLab's tells the head that it belongs to. What was merged
    /// stands still.
    async fn stood(&self, snapshot: &Snapshot, needs: &Needs) -> Stood {
        let (Some(number), Ok((before, _)), true) = (
            snapshot.subject.change,
            &self.opened.merge_request,
            needs.any_of(&READ_AFTER_OPENING),
        ) else {
            return Stood::Still;
        };
        if before.state.as_deref() == Some("merged") {
            return Stood::Still;
        }
        self.transport.begin_wave();
        match open::merge_request(self, number).await {
            Ok((now, _)) if now.sha == before.sha && now.target_branch == before.target_branch => {
                Stood::Still
            }
            Ok(_) => Stood::Moved,
            Err(unknown) => Stood::Hidden(unknown),
        }
    }

    /// Forgets what was read.
    pub(super) fn begin_again(&mut self) {
        self.transport.begin_again();
        self.protected_branches = OnceCell::new();
        self.all_members = OnceCell::new();
        self.seen_of_branch = OnceLock::new();
        self.group_members = OnceCell::new();
        self.groups = OnceCell::new();
        self.approval_rules = OnceCell::new();
        self.push_rule = OnceCell::new();
    }

    /// What it cost so far.
    pub(super) fn requests(&self) -> crate::facts::Requests {
        self.transport.requests()
    }

    /// The rules of another branch, from what was read for the subject's: no request.
    pub(super) fn branch_rules(&self, branch: &str) -> Fact<BranchRules> {
        match self.seen_of_branch.get() {
            Some(seen) => branch::rules(&branch::Seen {
                branch: branch.to_owned(),
                // What the subject's branch says of itself holds for no other one.
                flag: None,
                ..seen.clone()
            }),
            None => Fact::Unknown(Unknown::not_collected("branch.rules")),
        }
    }

    pub(super) async fn collect_override_people(
        &mut self,
        snapshot: &mut Snapshot,
        teams: &[String],
    ) {
        overrides::collect(self, snapshot, teams).await;
        snapshot.requests = self.transport.requests();
    }

    pub(super) async fn collect_published_keys(
        &mut self,
        snapshot: &mut Snapshot,
        accounts: &[Account],
    ) {
        let keys = signing_keys::collect(self, accounts).await;
        snapshot.published_keys = Fact::known_without_source(keys);
        snapshot.requests = self.transport.requests();
    }

    /// Of a job and the environment that it deploys to.
    pub(super) async fn collect_run_approvals(
        &mut self,
        snapshot: &mut Snapshot,
        job: u64,
        environment: &str,
    ) {
        let subject = &snapshot.subject;
        snapshot.run_approvals = run_approvals::collect(self, subject, job, environment).await;
        snapshot.requests = self.transport.requests();
    }

    pub(super) async fn collect_proposed_policy(&mut self, snapshot: &mut Snapshot, path: &str) {
        self.transport.begin_wave();
        snapshot.proposed_policy = open::proposed(self, &snapshot.subject.head, path).await;
        snapshot.requests = self.transport.requests();
    }

    fn with_costs(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.requests = self.transport.requests();
        snapshot.platform_time = match self.transport.platform_time() {
            Some(time) => Fact::known_without_source(time),
            None => Fact::Unknown(Unknown::new(
                "platform.time",
                Why::Failed,
                "no answer carried a `Date` header",
            )),
        };
        snapshot
    }

    /// Protected-branch entries of project and groups.
    async fn protected_branches(&self) -> &Pages {
        let path = self.path("/protected_branches");
        self.protected_branches
            .get_or_init(|| self.settings.get_all(&path, None))
            .await
    }

    /// Everybody who can reach the project, over groups too.
    async fn all_members(&self) -> &Pages {
        let path = self.path("/members/all");
        self.all_members
            .get_or_init(|| self.settings.get_all(&path, None))
            .await
    }

    /// The project's approval rules.
    async fn approval_rules(&self) -> &Pages {
        let path = self.path("/approval_rules");
        self.approval_rules
            .get_or_init(|| self.settings.get_all(&path, None))
            .await
    }

    /// What pushes to the project have to keep to.
    async fn push_rule(&self) -> &Reply {
        let path = self.path("/push_rule");
        self.push_rule
            .get_or_init(|| self.settings.get(&path))
            .await
    }

    /// Path of something under the project.
    fn path(&self, rest: &str) -> String {
        let project = access::encode_path(&self.setup.place.repository);
        format!("/projects/{project}{rest}")
    }
}

/// A field that an answer left out, or whose shape is not understood.
fn left_out(fact: &str, field: &str, sources: &[Source]) -> Unknown {
    let unknown = Unknown::new(
        fact,
        Why::HiddenOrAbsent,
        format!("the answer carries no usable `{field}`"),
    );
    match sources.first() {
        Some(source) => unknown.at(source.endpoint.clone(), Some(200)),
        None => unknown,
    }
}
