//! GitHub: three rounds of questions about one subject, each answered with
//! facts. This file decides what is asked and in which round; what the answers
//! mean stands in the modules below. It judges nothing.

mod app;
mod arrivals;
mod association;
mod branch;
mod bypass;
mod checks;
mod client;
mod commits;
mod committing;
#[cfg(test)]
mod committing_tests;
mod conditions;
mod conversation;
mod files;
mod first_round;
mod fleet;
mod foresight;
mod form;
mod graph;
mod identity;
mod layer;
mod leap;
mod notice;
mod opening;
mod origin;
mod pages;
mod people;
mod permissions;
mod population;
mod posting;
mod proposal;
mod protection;
mod queries;
mod queue;
mod reach;
mod rule_demands;
mod rulesets;
mod run_approvals;
mod scanning;
mod server;
mod settings;
mod signatures;
mod signing_keys;
mod tickets;
mod wire;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

use crate::facts::{
    Account, Association, Discussion, Fact, FactKey, Identity, Needs, OverridePeople, Push,
    QueueResult, Server, Snapshot, Source, TeamMembers, Thread, Unknown, Why,
};

use super::Setup;
use super::access;
use super::again::Stood;
use super::first_parents::ToldMoves;
use super::join;
use super::transport::Transport;

use client::Client;
use pages::Pages;
use queries::Part;

pub use app::{AppKey, app_token};
pub use committing::{CommitAnswer, CommitWanted, commit_on_branch};
pub use fleet::Fleet;
pub(super) use notice::{own_notices, write_notice};
pub use permissions::permissions;
pub use population::population;
pub(super) use posting::post_comment;

pub(super) use foresight::{openings, settings as settings_ahead};

/// The account that a workflow's own token acts for.
const WORKFLOW_ACCOUNT: &str = "github-actions[bot]";

/// A session about one subject.
pub(super) struct Session {
    setup: Setup,
    owner: String,
    name: String,
    transport: Transport,
    change: Client,
    settings: Option<Client>,
    /// Whether the change token is the plain workflow token.
    workflow_token: bool,
    /// The account that the change token acts for.
    viewer: Fact<Account>,
    heads: Option<Vec<wire::RulesetHead>>,
    /// The commit that tests the change's present head together with its target.
    test_merge: Option<String>,
    about: opening::About,
    server: Fact<Server>,
    default_branch: Option<String>,
    /// The commit at the tip of the target branch.
    tip: Option<String>,
    releases_exist: Fact<bool>,
    identity: Fact<Identity>,
    association: Fact<Association>,
    head_repository: Option<String>,
    /// The run over several repositories that this is part of.
    fleet: Option<Fleet>,
    /// What the first answer told about the branch that it looked at.
    opened: Option<branch::Opened>,
    /// The moves of the branch that the ledger tells of, if it told where to begin.
    told_moves: Option<ToldMoves>,
}

impl Session {
    pub(super) fn new(setup: Setup) -> anyhow::Result<Self> {
        let (owner, name) = setup
            .place
            .repository
            .split_once('/')
            .filter(|(owner, name)| !owner.is_empty() && !name.is_empty() && !name.contains('/'))
            .with_context(|| {
                format!(
                    "`{}` is not a GitHub repository: write it as `owner/name`",
                    setup.place.repository
                )
            })?;
        let (owner, name) = (owner.to_owned(), name.to_owned());
        let transport = Transport::new(
            setup.ca_bundle.as_deref(),
            setup.limits,
            &setup.program,
            &setup.place.api,
        )?;
        #[cfg(test)]
        let transport = transport.without_waiting();
        let change = Client::new(&setup.place, &setup.token, &transport)?;
        let settings = setup
            .settings_token
            .as_ref()
            .map(|token| Client::new(&setup.place, token, &transport))
            .transpose()?;
        Ok(Self {
            owner,
            name,
            transport,
            change,
            settings,
            workflow_token: false,
            viewer: Fact::Unknown(Unknown::not_collected(identity::VIEWER)),
            heads: None,
            test_merge: None,
            about: opening::About::default(),
            server: Fact::Unknown(Unknown::not_collected("server")),
            default_branch: None,
            tip: None,
            releases_exist: not_collected(FactKey::RepositoryReleases),
            identity: not_collected(FactKey::ChangeIdentity),
            association: not_collected(FactKey::ChangeAssociation),
            head_repository: None,
            fleet: None,
            opened: None,
            told_moves: None,
            setup,
        })
    }

    /// Makes it part of a run over several repositories.
    pub(super) fn join(&mut self, fleet: &Fleet) {
        self.change.set_shelf(&fleet.change);
        if let Some(settings) = &mut self.settings {
            settings.set_shelf(&fleet.settings);
        }
        self.fleet = Some(fleet.clone());
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

    /// Forgets what was read.
    pub(super) fn begin_again(&mut self) {
        self.transport.begin_again();
    }

    pub(super) async fn collect(&mut self, snapshot: &mut Snapshot, needs: &Needs) -> Stood {
        self.transport.begin_wave();
        if needs.has(FactKey::ChangeIdentity) {
            snapshot.identity = self.identity.clone();
        }
        if needs.has(FactKey::ChangeAssociation) {
            snapshot.association = self.association.clone();
        }
        if needs.has(FactKey::ChangeQueue) && !snapshot.queue.is_known() {
            // A group is asked about before its changes are, and handed to each of them.
            snapshot.queue = Fact::known_without_source(None);
        }
        let parts: Vec<Part> = Part::ALL
            .into_iter()
            .filter(|part| needs.has(pages::key(*part)))
            .collect();
        let rules_needed = needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass]);
        let head = self.head(snapshot);
        let target = snapshot.subject.target.clone();
        let (((mut found, mut stood), moves), teams, rules, arrived, analyses, settings) = tokio::join!(
            async {
                let read = self.parts(snapshot, &head, &parts).await;
                let moves = self.moves(snapshot, &head, read.0.get(&Part::Files)).await;
                (read, moves)
            },
            self.teams(needs),
            async {
                if !rules_needed {
                    return None;
                }
                Some(Box::pin(self.rules(&target, needs)).await)
            },
            Box::pin(arrivals::collect(self, snapshot, needs)),
            join::when(needs.has(FactKey::ScanChangeAnalyses), || {
                scanning::analyses::ask(self, snapshot, needs)
            }),
            Box::pin(settings::collect(self, snapshot, needs)),
        );
        if let Some(arrived) = arrived {
            snapshot.arrivals = arrived.arrivals;
            snapshot.arrived_changes = arrived.changes;
            snapshot.bypasses = arrived.bypasses;
        }
        if let Some(analyses) = analyses {
            snapshot.change_analyses = analyses;
        }
        snapshot.settings.take_from(settings);
        if needs.has(FactKey::TeamMembers) {
            snapshot.teams = Fact::known_without_source(teams);
        }
        if let Some(rules) = rules {
            snapshot.branch_rules = rules;
        }
        settings::follow(snapshot, needs);
        for part in parts {
            let Some(pages) = found.remove(&part) else {
                continue;
            };
            match part {
                Part::Commits => snapshot.commits = fact(part, pages, commits::commits),
                Part::Reviews => snapshot.reviews = fact(part, pages, conversation::reviews),
                Part::Pushes => snapshot.pushes = fact(part, pages, conversation::pushes),
                Part::Comments => snapshot.comments = fact(part, pages, conversation::comments),
                Part::Files => {
                    snapshot.files = fact(part, pages, |nodes, source| {
                        files::files(nodes, source, &moves)
                    });
                }
                Part::Threads => {
                    let threads = fact(part, pages, conversation::threads);
                    snapshot.discussion = match threads.known() {
                        Ok(_) => Fact::known_without_source(discussion(threads)),
                        Err(unknown) => Fact::Unknown(unknown),
                    };
                }
                Part::Signatures => {
                    snapshot.signatures = fact(part, pages, signatures::signatures);
                }
                // Not among what a group is made of.
                Part::Targets => {}
                Part::Checks => {
                    snapshot.checks = fact(part, pages, |nodes, _| checks::checks(nodes, &head));
                }
            }
        }
        if needs.has(FactKey::ChangeOriginals) {
            snapshot.originals = Box::pin(arrivals::originals::collect(self, snapshot)).await;
        }
        self.finish(snapshot);
        if moves.are_of_another_head {
            stood = Stood::Moved;
        }
        stood
    }

    pub(super) async fn collect_override_people(
        &mut self,
        snapshot: &mut Snapshot,
        teams: &[String],
    ) {
        self.transport.begin_wave();
        let head = self.head(snapshot);
        let source_branch = match &self.identity {
            Fact::Known { value, .. } => Some(value.source_branch.clone()),
            Fact::Unknown(_) => None,
        };
        let log_path = match (&self.head_repository, &source_branch) {
            (Some(repository), Some(branch)) => repository
                .split_once('/')
                .map(|(owner, name)| association::log_path(&repository_path(owner, name), branch)),
            _ => None,
        };
        let mut wanted = vec![Part::Targets];
        wanted.extend((!snapshot.pushes.is_known()).then_some(Part::Pushes));
        let (members, log, (mut found, _)) = tokio::join!(
            join::all(teams.iter().map(|team| self.members(people::PEOPLE, team))),
            async {
                match &log_path {
                    Some(path) => Some(self.change.get(path).await),
                    None => None,
                }
            },
            self.parts(snapshot, &head, &wanted),
        );
        let pushes: Fact<Vec<Push>> = match found.remove(&Part::Pushes) {
            Some(pages) => fact(Part::Pushes, pages, conversation::pushes),
            None => snapshot.pushes.clone(),
        };
        let (last_pusher, head_since) = people::last_push(
            log.as_ref(),
            &pushes,
            source_branch.as_deref().unwrap_or_default(),
            &head,
        );
        let targets = match found.remove(&Part::Targets) {
            Some(pages) => fact(Part::Targets, pages, conversation::targets),
            None => Fact::Unknown(Unknown::not_collected(people::PEOPLE)),
        };
        let head_since = people::at_this_target_since(head_since, &targets);
        let people = OverridePeople {
            members: teams.iter().cloned().zip(members).collect(),
            last_pusher,
            head_since,
        };
        snapshot.override_people = Fact::known_without_source(people);
        self.finish(snapshot);
    }

    pub(super) async fn collect_published_keys(
        &mut self,
        snapshot: &mut Snapshot,
        accounts: &[Account],
    ) {
        let keys = signing_keys::collect(self, accounts).await;
        snapshot.published_keys = Fact::known_without_source(keys);
        self.finish(snapshot);
    }

    pub(super) async fn collect_run_approvals(&mut self, snapshot: &mut Snapshot, run: u64) {
        snapshot.run_approvals = run_approvals::collect(self, run).await;
        self.finish(snapshot);
    }

    pub(super) async fn queue(&self, group: &super::Group) -> Fact<QueueResult> {
        self.transport.begin_wave();
        queue::ask(self, group).await
    }

    pub(super) async fn collect_proposed_policy(&mut self, snapshot: &mut Snapshot, path: &str) {
        self.transport.begin_wave();
        let head = self.head(snapshot);
        snapshot.proposed_policy = proposal::proposed(self, &head, path).await;
        self.finish(snapshot);
    }

    /// The members of every team that the policy's controls name.
    async fn teams(&self, needs: &Needs) -> Vec<TeamMembers> {
        if !needs.has(FactKey::TeamMembers) {
            return Vec::new();
        }
        let fact = FactKey::TeamMembers.name();
        join::all(needs.teams().iter().map(|team| async move {
            TeamMembers {
                team: team.clone(),
                members: self.members(fact, team).await,
            }
        }))
        .await
    }

    /// Where moved files of the change were before.
    async fn moves(&self, snapshot: &Snapshot, head: &str, pages: Option<&Pages>) -> files::Moves {
        match (pages, snapshot.subject.change) {
            (Some(Ok((nodes, _))), Some(number)) => {
                let path = format!("{}/pulls/{number}", self.repository_path());
                files::moves(&self.change, &path, head, nodes).await
            }
            (Some(Ok(_) | Err(_)) | None, _) => files::Moves::default(),
        }
    }

    async fn members(&self, fact: &str, team: &str) -> Fact<Vec<String>> {
        let Some(path) = people::members_path(team) else {
            return Fact::Unknown(Unknown::new(
                fact,
                Why::NotSupported,
                format!("`{team}` is not a team: write it as `@organization/team`"),
            ));
        };
        if self.workflow_token && self.settings.is_none() {
            return Fact::Unknown(
                Unknown::new(
                    fact,
                    Why::NotPermitted,
                    format!(
                        "a workflow token cannot see the members of `{team}`, so it was not asked"
                    ),
                )
                .needs(permissions::MEMBERS),
            );
        }
        let client = self.settings.as_ref().unwrap_or(&self.change);
        people::members(fact, &client.get_all(&path, None).await)
    }

    /// The rules of a further branch.
    pub(super) async fn branch_rules(
        &self,
        branch: &str,
        needs: &Needs,
    ) -> Fact<crate::facts::BranchRules> {
        self.rules(branch, needs).await
    }

    /// What it cost so far.
    pub(super) fn requests(&self) -> crate::facts::Requests {
        self.transport.requests()
    }

    async fn rules(&self, target: &str, needs: &Needs) -> Fact<crate::facts::BranchRules> {
        if target.is_empty() {
            return Fact::Unknown(Unknown::new(
                FactKey::BranchRules.name(),
                Why::Failed,
                "the target branch is not known, so its rules cannot be asked for",
            ));
        }
        branch::ask(&branch::Question {
            repository_path: self.repository_path(),
            branch: target,
            default_branch: self.default_branch.as_deref(),
            server: &self.server,
            change: &self.change,
            settings: self.settings.as_ref(),
            workflow_token: self.workflow_token,
            heads: self.heads.as_deref(),
            needs,
            transport: &self.transport,
            thrift: self.setup.thrift,
            opened: self
                .opened
                .as_ref()
                .filter(|opened| opened.branch == target),
        })
        .await
    }

    /// The connections of the change, and whether it stood still meanwhile. Without a
    /// change there is nothing to ask.
    async fn parts(
        &self,
        snapshot: &Snapshot,
        head: &str,
        wanted: &[Part],
    ) -> (BTreeMap<Part, Pages>, Stood) {
        let mut stood = Stood::Still;
        let number = snapshot.subject.change;
        let askable = |part: Part| match part {
            Part::Checks => !head.is_empty(),
            Part::Commits
            | Part::Reviews
            | Part::Pushes
            | Part::Targets
            | Part::Comments
            | Part::Files
            | Part::Threads
            | Part::Signatures => number.is_some() && self.identity.is_known(),
        };
        let asked: Vec<Part> = wanted
            .iter()
            .copied()
            .filter(|part| askable(*part))
            .collect();
        let mut found = if asked.is_empty() {
            BTreeMap::new()
        } else {
            let subject = pages::Subject {
                owner: &self.owner,
                name: &self.name,
                number,
                head,
                target: &snapshot.subject.target,
                moved: AtomicBool::new(false),
            };
            let found = pages::gather(&self.change, &self.transport, &subject, &asked).await;
            if subject.moved.load(Ordering::Relaxed) {
                stood = Stood::Moved;
            }
            found
        };
        for part in wanted.iter().copied().filter(|part| !askable(*part)) {
            let why = match &self.identity {
                Fact::Unknown(why) => why.clone(),
                Fact::Known { .. } => no_change(&self.association),
            };
            found.insert(part, Err(renamed(&why, pages::key(part).name())));
        }
        (found, stood)
    }

    /// The commit whose results count: the change's own head, else the commit judged.
    fn head(&self, snapshot: &Snapshot) -> String {
        match &self.identity {
            Fact::Known { value, .. } => value.head.clone(),
            Fact::Unknown(_) => snapshot.subject.head.clone(),
        }
    }

    fn repository_path(&self) -> String {
        repository_path(&self.owner, &self.name)
    }

    fn finish(&self, snapshot: &mut Snapshot) {
        snapshot.requests = self.transport.requests();
        let heard = self.fleet.as_ref().and_then(|fleet| fleet.change.heard());
        let heard = heard.and_then(|heard| heard.time);
        snapshot.platform_time = match self.transport.platform_time().or(heard) {
            Some(time) => Fact::known_without_source(time),
            None => Fact::Unknown(Unknown::new(
                "platform.time",
                Why::HiddenOrAbsent,
                "no answer of the platform carried its time",
            )),
        };
    }
}

fn repository_path(owner: &str, name: &str) -> String {
    format!("/repos/{}/{}", access::encode(owner), access::encode(name))
}

fn not_collected<T>(key: FactKey) -> Fact<T> {
    Fact::Unknown(Unknown::not_collected(key.name()))
}

fn renamed(why: &Unknown, name: &str) -> Unknown {
    let mut why = why.clone();
    name.clone_into(&mut why.fact);
    why
}

/// Why there is no change to look at, for a commit.
fn no_change(association: &Fact<Association>) -> Unknown {
    let fact = FactKey::ChangeIdentity.name();
    match association {
        Fact::Unknown(why) => renamed(why, fact),
        Fact::Known { .. } => Unknown::new(
            fact,
            Why::HiddenOrAbsent,
            "the commit came to the branch through no pull request",
        ),
    }
}

/// Threads, and what this platform tells with the reviews.
fn discussion(threads: Fact<Vec<Thread>>) -> Discussion {
    let sources = threads.sources().to_vec();
    Discussion {
        held: Fact::seen_in(None, sources.clone()),
        requesting_changes: Fact::seen_in(Vec::new(), sources),
        approval_notes: Fact::Unknown(Unknown::new(
            FactKey::ChangeThreads.name(),
            Why::NotSupported,
            "GitHub writes no notes about approvals: its reviews are all there is",
        )),
        threads,
    }
}

fn fact<T>(
    part: Part,
    pages: Pages,
    translate: impl FnOnce(&[serde_json::Value], &Source) -> Result<Vec<T>, String>,
) -> Fact<Vec<T>> {
    let (nodes, sources) = match pages {
        Ok(pages) => pages,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let name = pages::key(part).name();
    let first = sources.first().cloned().unwrap_or_else(|| Source {
        endpoint: "POST /graphql".to_owned(),
        digest: String::new(),
    });
    match translate(&nodes, &first) {
        Ok(list) => Fact::seen_in(list, sources),
        Err(detail) => Fact::Unknown(access::malformed(name, &first.endpoint, 200, &detail)),
    }
}
