//! GitHub: three rounds of questions about one subject, each answered with
//! facts. This file decides what is asked and in which round; what the answers
//! mean stands in the modules below. It judges nothing.

mod association;
mod branch;
mod checks;
mod client;
mod commits;
mod conversation;
mod graph;
mod join;
mod layer;
mod opening;
mod origin;
mod pages;
mod people;
mod permissions;
mod protection;
mod queries;
mod rulesets;
mod wire;

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::json;

use crate::facts::{
    Association, ChangeState, Fact, FactKey, Identity, Needs, OverridePeople, PolicyDocument, Push,
    Snapshot, Source, Subject, Unknown, Why,
};

use super::access;
use super::context::Wanted;
use super::transport::{GraphqlAnswer, NoAnswer, Transport};
use super::{PolicyWanted, Setup};

use client::Client;
use pages::Pages;
use queries::Part;

pub use permissions::permissions;

/// The account that a workflow's own token acts for.
const WORKFLOW_ACCOUNT: &str = "github-actions[bot]";

/// A session about one subject.
pub struct Session {
    setup: Setup,
    owner: String,
    name: String,
    transport: Transport,
    change: Client,
    settings: Option<Client>,
    /// Whether the change token is the plain workflow token.
    workflow_token: bool,
    heads: Option<Vec<wire::RulesetHead>>,
    identity: Fact<Identity>,
    association: Fact<Association>,
    head_repository: Option<String>,
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
            heads: None,
            identity: not_collected(FactKey::ChangeIdentity),
            association: not_collected(FactKey::ChangeAssociation),
            head_repository: None,
            setup,
        })
    }

    pub(super) async fn open(&mut self, policy: &PolicyWanted) -> Snapshot {
        self.transport.begin_wave();
        let mut snapshot = Snapshot::all_unknown(
            Subject {
                platform: self.setup.place.platform,
                repository: self.setup.place.repository.clone(),
                change: None,
                head: String::new(),
                target: String::new(),
            },
            self.setup.now,
            self.setup.program.clone(),
        );
        let path = match policy {
            PolicyWanted::AtTarget(path) => Some(path.as_str()),
            PolicyWanted::Given(_) => None,
        };
        let mut variables = json!({"owner": self.owner, "name": self.name});
        if let Some(path) = path {
            variables["path"] = json!(path);
        }
        match self.setup.place.wanted.clone() {
            Wanted::Change {
                number,
                head,
                target,
            } => {
                snapshot.subject.change = Some(number);
                snapshot.subject.head = head.unwrap_or_default();
                snapshot.subject.target = target.unwrap_or_default();
                variables["number"] = json!(number);
                let query = queries::open_change(path.is_some());
                let answer = self.change.graphql("CcgateOpen", &query, variables).await;
                if let Some(answer) = self.opened(&mut snapshot, answer) {
                    self.read_change(&mut snapshot, &answer);
                    read_policy(
                        &mut snapshot,
                        &answer,
                        path,
                        &["repository", "pullRequest", "baseRef"],
                    );
                }
            }
            Wanted::Commit { sha, branch } => {
                snapshot.subject.head = sha.clone().unwrap_or_default();
                snapshot.subject.target = branch.clone().unwrap_or_default();
                if let Some(branch) = &branch {
                    variables["branch"] = json!(format!("refs/heads/{branch}"));
                }
                if let Some(sha) = &sha {
                    variables["commit"] = json!(sha);
                }
                let query = queries::open_commit(path.is_some(), branch.is_some(), sha.is_some());
                let answer = self.change.graphql("CcgateOpen", &query, variables).await;
                if let Some(answer) = self.opened(&mut snapshot, answer) {
                    let place: &[&str] = if branch.is_some() {
                        &["repository", "branch"]
                    } else {
                        &["repository", "defaultBranchRef"]
                    };
                    read_policy(&mut snapshot, &answer, path, place);
                    self.read_commit(&mut snapshot, &answer, sha.as_deref(), place)
                        .await;
                }
            }
        }
        if let PolicyWanted::Given(document) = policy {
            snapshot.policy.target = Fact::known_without_source(Some(document.clone()));
            snapshot.policy.floor = Fact::known_without_source(None);
        }
        self.finish(&mut snapshot);
        snapshot
    }

    /// What every first answer tells; `None` if there is no answer at all, in
    /// which case everything that depends on it says so.
    fn opened(
        &mut self,
        snapshot: &mut Snapshot,
        answer: Result<GraphqlAnswer, NoAnswer>,
    ) -> Option<GraphqlAnswer> {
        match answer {
            Ok(answer) => {
                self.workflow_token = opening::viewer(&answer).as_deref() == Some(WORKFLOW_ACCOUNT);
                self.heads = opening::rulesets(&answer);
                snapshot.repository.default_branch = opening::branch_name(
                    &answer,
                    &["repository", "defaultBranchRef"],
                    "repository.default_branch",
                );
                Some(answer)
            }
            Err(refusal) => {
                let why = |fact: &str, needs: &str| access::refused(fact, needs, &refusal);
                let contents = permissions::CONTENTS;
                snapshot.repository.default_branch =
                    Fact::Unknown(why("repository.default_branch", contents));
                snapshot.policy.target = Fact::Unknown(why("policy.target", contents));
                snapshot.policy.floor = Fact::Unknown(why("policy.floor", contents));
                let of = |key: FactKey| why(key.name(), permissions::needs(key));
                self.identity = Fact::Unknown(of(FactKey::ChangeIdentity));
                self.association = Fact::Unknown(of(FactKey::ChangeAssociation));
                None
            }
        }
    }

    fn read_change(&mut self, snapshot: &mut Snapshot, answer: &GraphqlAnswer) {
        match opening::pull(answer) {
            Ok(pull) => self.take_pull(&pull, answer),
            Err(unknown) => self.identity = Fact::Unknown(unknown),
        }
        match &self.identity {
            Fact::Known { value, sources } => {
                // The platform's word counts, not the event's: the head may have moved.
                snapshot.subject.head.clone_from(&value.head);
                snapshot.subject.target.clone_from(&value.target_branch);
                let association = if value.state == ChangeState::Merged {
                    Association::Change {
                        number: value.number,
                        target_branch: value.target_branch.clone(),
                    }
                } else {
                    Association::NotMerged
                };
                self.association = Fact::seen_in(association, sources.clone());
            }
            Fact::Unknown(why) => {
                self.association = Fact::Unknown(renamed(why, FactKey::ChangeAssociation.name()));
            }
        }
    }

    fn take_pull(&mut self, pull: &wire::Pull, answer: &GraphqlAnswer) {
        self.identity = opening::identity(pull, answer, &self.setup.place.repository);
        self.head_repository = pull
            .head_repository
            .as_ref()
            .and_then(|home| home.name_with_owner.clone());
    }

    async fn read_commit(
        &mut self,
        snapshot: &mut Snapshot,
        answer: &GraphqlAnswer,
        sha: Option<&str>,
        place: &[&str],
    ) {
        if snapshot.subject.target.is_empty()
            && let Fact::Known { value, .. } = &snapshot.repository.default_branch
        {
            snapshot.subject.target.clone_from(value);
        }
        let commit_path: Vec<&str> = match sha {
            Some(_) => vec!["repository", "commit"],
            None => place.iter().copied().chain(["target"]).collect(),
        };
        let found = origin::Origin::find(
            &origin::Question {
                client: &self.change,
                transport: &self.transport,
                owner: &self.owner,
                name: &self.name,
                repository_path: &self.repository_path(),
                branch: &snapshot.subject.target,
                given: sha,
            },
            answer,
            &commit_path,
        )
        .await;
        if let Some(sha) = found.sha {
            snapshot.subject.head = sha;
        }
        self.association = found.association;
        match found.pull {
            Some((pull, answer)) => {
                self.take_pull(&pull, &answer);
                snapshot.subject.change = pull.number;
            }
            None => self.identity = Fact::Unknown(no_change(&self.association)),
        }
    }

    pub(super) async fn collect(&mut self, snapshot: &mut Snapshot, needs: &Needs) {
        self.transport.begin_wave();
        if needs.has(FactKey::ChangeIdentity) {
            snapshot.identity = self.identity.clone();
        }
        if needs.has(FactKey::ChangeAssociation) {
            snapshot.association = self.association.clone();
        }
        let parts: Vec<Part> = [
            Part::Commits,
            Part::Reviews,
            Part::Pushes,
            Part::Comments,
            Part::Checks,
        ]
        .into_iter()
        .filter(|part| needs.has(pages::key(*part)))
        .collect();
        let rules_needed = needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass]);
        let head = self.head(snapshot);
        let target = snapshot.subject.target.clone();
        let (mut found, rules) = tokio::join!(self.parts(snapshot, &head, &parts), async {
            if !rules_needed {
                return None;
            }
            Some(self.rules(&target, needs).await)
        });
        if let Some(rules) = rules {
            snapshot.branch_rules = rules;
        }
        for part in parts {
            let Some(pages) = found.remove(&part) else {
                continue;
            };
            match part {
                Part::Commits => snapshot.commits = fact(part, pages, commits::commits),
                Part::Reviews => snapshot.reviews = fact(part, pages, conversation::reviews),
                Part::Pushes => snapshot.pushes = fact(part, pages, conversation::pushes),
                Part::Comments => snapshot.comments = fact(part, pages, conversation::comments),
                Part::Checks => {
                    snapshot.checks = fact(part, pages, |nodes, _| checks::checks(nodes, &head));
                }
            }
        }
        self.finish(snapshot);
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
        let pushes_missing = !snapshot.pushes.is_known();
        let wanted: &[Part] = if pushes_missing { &[Part::Pushes] } else { &[] };
        let (members, log, mut found) = tokio::join!(
            join::all(teams.iter().map(|team| self.members(team))),
            async {
                match &log_path {
                    Some(path) => Some(self.change.get(path).await),
                    None => None,
                }
            },
            self.parts(snapshot, &head, wanted),
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
        let people = OverridePeople {
            members: teams.iter().cloned().zip(members).collect(),
            last_pusher,
            head_since,
        };
        snapshot.override_people = Fact::known_without_source(people);
        self.finish(snapshot);
    }

    async fn members(&self, team: &str) -> Fact<Vec<String>> {
        let Some(path) = people::members_path(team) else {
            return Fact::Unknown(Unknown::new(
                people::PEOPLE,
                Why::NotSupported,
                format!("`{team}` is not a team: write it as `@organization/team`"),
            ));
        };
        if self.workflow_token && self.settings.is_none() {
            return Fact::Unknown(
                Unknown::new(
                    people::PEOPLE,
                    Why::NotPermitted,
                    format!(
                        "a workflow token cannot see the members of `{team}`, so it was not asked"
                    ),
                )
                .needs(permissions::MEMBERS),
            );
        }
        let client = self.settings.as_ref().unwrap_or(&self.change);
        people::members(&client.get_all(&path, None).await)
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
            change: &self.change,
            settings: self.settings.as_ref(),
            workflow_token: self.workflow_token,
            heads: self.heads.as_deref(),
            needs,
            transport: &self.transport,
        })
        .await
    }

    /// The connections of the change. Without a change there is nothing to ask.
    async fn parts(
        &self,
        snapshot: &Snapshot,
        head: &str,
        wanted: &[Part],
    ) -> BTreeMap<Part, Pages> {
        let number = snapshot.subject.change;
        let askable = |part: Part| match part {
            Part::Checks => !head.is_empty(),
            Part::Commits | Part::Reviews | Part::Pushes | Part::Comments => {
                number.is_some() && self.identity.is_known()
            }
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
            };
            pages::gather(&self.change, &self.transport, &subject, &asked).await
        };
        for part in wanted.iter().copied().filter(|part| !askable(*part)) {
            let why = match &self.identity {
                Fact::Unknown(why) => why.clone(),
                Fact::Known { .. } => no_change(&self.association),
            };
            found.insert(part, Err(renamed(&why, pages::key(part).name())));
        }
        found
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
        snapshot.platform_time = match self.transport.platform_time() {
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

/// The policy at the tip of the target branch and of the default branch.
fn read_policy(
    snapshot: &mut Snapshot,
    answer: &GraphqlAnswer,
    path: Option<&str>,
    target: &[&str],
) {
    let Some(path) = path else {
        return;
    };
    let read = |place: &[&str], fact: &str| -> Fact<Option<PolicyDocument>> {
        opening::policy(answer, place, path, fact)
    };
    snapshot.policy.target = read(target, "policy.target");
    snapshot.policy.floor = read(&["repository", "defaultBranchRef"], "policy.floor");
}
