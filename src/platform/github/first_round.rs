//! The first round: what the subject is, which policy applies, and how a commit
//! came to its branch. What the answers mean stands in `opening` and `origin`.

use serde_json::{Value, json};

use crate::facts::{Association, ChangeState, Fact, FactKey, PolicyDocument, Snapshot, Subject};
use crate::platform::context::{Group, Wanted};
use crate::platform::transport::{GraphqlAnswer, NoAnswer};
use crate::platform::{PolicyWanted, access};

use super::{
    Session, WORKFLOW_ACCOUNT, branch, form, graph, identity, no_change, opening, origin,
    permissions, queries, renamed, server, wire,
};
use form::Asked;
use queries::Extent;

impl Session {
    pub(in crate::platform) async fn open(&mut self, policy: &PolicyWanted) -> Snapshot {
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
        let path = path(policy);
        let mut variables = self.variables(path);
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
                let answer = self.ask(path, queries::open_change, variables).await;
                if let Some(answer) = self.opened(&mut snapshot, answer) {
                    self.read_change(&mut snapshot, &answer);
                    let place = ["repository", "pullRequest", "baseRef"];
                    self.tip = opening::tip(&answer, &place);
                    read_policy(&mut snapshot, &answer, path, &place);
                }
            }
            // A group is seen from its branch; its changes are opened one by one.
            Wanted::Group(Group { branch, .. }) => {
                self.setup.place.wanted = Wanted::Repository {
                    branch: Some(branch),
                };
                return Box::pin(self.open(policy)).await;
            }
            Wanted::Repository { branch } => {
                snapshot.subject.target = branch.clone().unwrap_or_default();
                let place: &[&str] = match &branch {
                    Some(_) => &["repository", "branch"],
                    None => &["repository", "defaultBranchRef"],
                };
                let query = |extent| queries::open_repository(extent, branch.is_some()).text();
                let variables = self.variables_of_repository(path, branch.as_deref());
                let answer = self.ask(path, query, variables).await;
                if let Some(answer) = self.opened(&mut snapshot, answer) {
                    self.tip = opening::tip(&answer, place);
                    read_policy(&mut snapshot, &answer, path, place);
                    if snapshot.subject.target.is_empty()
                        && let Fact::Known { value, .. } = &snapshot.repository.default_branch
                    {
                        snapshot.subject.target.clone_from(value);
                    }
                    self.opened = Some(branch::Opened {
                        branch: snapshot.subject.target.clone(),
                        unguarded: opening::unguarded(&answer),
                        source: answer.source.clone(),
                    });
                }
            }
            Wanted::Commit { sha, branch, .. } => {
                snapshot.subject.head = sha.clone().unwrap_or_default();
                snapshot.subject.target = branch.clone().unwrap_or_default();
                if let Some(branch) = &branch {
                    variables["branch"] = json!(format!("refs/heads/{branch}"));
                }
                if let Some(sha) = &sha {
                    variables["commit"] = json!(sha);
                }
                let query = |extent| queries::open_commit(extent, branch.is_some(), sha.is_some());
                let answer = self.ask(path, query, variables).await;
                if let Some(answer) = self.opened(&mut snapshot, answer) {
                    let place: &[&str] = if branch.is_some() {
                        &["repository", "branch"]
                    } else {
                        &["repository", "defaultBranchRef"]
                    };
                    self.tip = opening::tip(&answer, place);
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

    /// What a repository will be opened with; `None` if more than it is looked at.
    pub(super) fn opening(&self, policy: &PolicyWanted) -> Option<Asked> {
        let Wanted::Repository { branch } = &self.setup.place.wanted else {
            return None;
        };
        let path = path(policy);
        let extent = Extent {
            policy: path.is_some(),
            newer: true,
        };
        Some(Asked {
            form: queries::open_repository(extent, branch.is_some()),
            values: self.variables_of_repository(path, branch.as_deref()),
        })
    }

    fn variables(&self, path: Option<&str>) -> Value {
        let mut variables = json!({"owner": self.owner, "name": self.name});
        if let Some(path) = path {
            variables["path"] = json!(path);
        }
        variables
    }

    fn variables_of_repository(&self, path: Option<&str>, branch: Option<&str>) -> Value {
        let mut variables = self.variables(path);
        if let Some(branch) = branch {
            variables["branch"] = json!(format!("refs/heads/{branch}"));
        }
        variables
    }

    /// Asks, and once more for less if the server does not know what is asked: an
    /// older one cannot tell of rulesets, but of the change.
    async fn ask(
        &self,
        path: Option<&str>,
        query: impl Fn(Extent) -> String,
        variables: Value,
    ) -> Result<GraphqlAnswer, NoAnswer> {
        let asked = |newer| {
            let policy = path.is_some();
            query(Extent { policy, newer })
        };
        let client = &self.change;
        let whole = client
            .graphql("CcgateOpen", &asked(true), variables.clone())
            .await;
        match &whole {
            Ok(answer) if graph::is_refused_whole(answer) => {
                self.transport.begin_wave();
                client.graphql("CcgateOpen", &asked(false), variables).await
            }
            Ok(_) | Err(_) => whole,
        }
    }

    /// What every first answer tells; `None` if there is no answer at all, in
    /// which case everything that depends on it says so.
    fn opened(
        &mut self,
        snapshot: &mut Snapshot,
        answer: Result<GraphqlAnswer, NoAnswer>,
    ) -> Option<GraphqlAnswer> {
        let heard = self.fleet.as_ref().and_then(|fleet| fleet.change.heard());
        self.server = match heard {
            Some(heard) => heard.server,
            None => server::server(&self.transport, &self.setup.place.api),
        };
        snapshot.settings.server = self.server.clone();
        match answer {
            Ok(answer) => {
                self.viewer = identity::viewer(&answer);
                self.workflow_token = self
                    .viewer
                    .known()
                    .is_ok_and(|viewer| viewer.login == WORKFLOW_ACCOUNT);
                self.heads = opening::rulesets(&answer);
                self.about = opening::about(&answer);
                self.releases_exist = opening::releases(&answer);
                snapshot.repository.default_branch = opening::branch_name(
                    &answer,
                    &["repository", "defaultBranchRef"],
                    "repository.default_branch",
                );
                self.default_branch = snapshot.repository.default_branch.known().ok().cloned();
                Some(answer)
            }
            Err(refusal) => {
                let why = |fact: &str, needs: &str| access::refused(fact, needs, &refusal);
                let contents = permissions::CONTENTS;
                snapshot.repository.default_branch =
                    Fact::Unknown(why("repository.default_branch", contents));
                snapshot.policy.target = Fact::Unknown(why("policy.target", contents));
                snapshot.policy.floor = Fact::Unknown(why("policy.floor", contents));
                self.viewer = Fact::Unknown(why(identity::VIEWER, ""));
                let of = |key: FactKey| why(key.name(), permissions::needs(key));
                self.identity = Fact::Unknown(of(FactKey::ChangeIdentity));
                self.association = Fact::Unknown(of(FactKey::ChangeAssociation));
                self.releases_exist = Fact::Unknown(of(FactKey::RepositoryReleases));
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
        self.test_merge = opening::test_merge(pull);
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
}

/// Where the policy is, unless it was given by hand.
fn path(policy: &PolicyWanted) -> Option<&str> {
    match policy {
        PolicyWanted::AtTarget(path) => Some(path.as_str()),
        PolicyWanted::Given(_) => None,
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
