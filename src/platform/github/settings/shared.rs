//! Answers that more than one group reads: each is asked for once, by whoever
//! comes first, and only if somebody does. Knows nothing of what they mean.

use tokio::sync::OnceCell;

use crate::facts::{FactKey, Needs};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::Session;
use super::super::client::Client;
use super::document::Document;

/// Answers of one collection.
pub(super) struct Shared<'a> {
    session: &'a Session,
    needs: Needs,
    pub(super) document: Document<'a>,
    collaborators: OnceCell<Result<Listing, NoAnswer>>,
    teams: OnceCell<Result<Listing, NoAnswer>>,
    organization: OnceCell<Result<Answer, NoAnswer>>,
    deploy_keys: OnceCell<Result<Listing, NoAnswer>>,
    repository: OnceCell<Result<Answer, NoAnswer>>,
    default_setup: OnceCell<Result<Answer, NoAnswer>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(session: &'a Session, target: &str, needs: &Needs) -> Self {
        Self {
            session,
            needs: needs.clone(),
            document: Document::new(session, target, needs),
            collaborators: OnceCell::new(),
            teams: OnceCell::new(),
            organization: OnceCell::new(),
            deploy_keys: OnceCell::new(),
            repository: OnceCell::new(),
            default_setup: OnceCell::new(),
        }
    }

    /// The token that sees more: the one for settings, if there is one.
    pub(super) fn client(&self) -> &'a Client {
        self.session
            .settings
            .as_ref()
            .unwrap_or(&self.session.change)
    }

    /// Whether that token is a plain workflow token, which sees no administration.
    pub(super) fn blind(&self) -> bool {
        self.session.workflow_token && self.session.settings.is_none()
    }

    /// Whether the group is needed in this collection.
    pub(super) fn needs(&self, key: FactKey) -> bool {
        self.needs.has(key)
    }

    /// Everybody who can reach the repository, by whatever way.
    /// `depth`: how many answers of this round it had to wait for.
    pub(super) async fn collaborators(&self, depth: u32) -> &Result<Listing, NoAnswer> {
        self.collaborators
            .get_or_init(|| self.list("collaborators", depth))
            .await
    }

    /// The teams of the repository.
    pub(super) async fn teams(&self, depth: u32) -> &Result<Listing, NoAnswer> {
        self.teams.get_or_init(|| self.list("teams", depth)).await
    }

    /// The deploy keys: readable for just those who may read administration.
    pub(super) async fn deploy_keys(&self) -> &Result<Listing, NoAnswer> {
        self.deploy_keys.get_or_init(|| self.list("keys", 0)).await
    }

    /// The record of the organisation.
    pub(super) async fn organization(&self) -> &Result<Answer, NoAnswer> {
        let path = format!("/orgs/{}", access::encode(&self.session.owner));
        self.record(&self.organization, &path).await
    }

    /// The record of the repository.
    pub(super) async fn repository(&self) -> &Result<Answer, NoAnswer> {
        let path = self.session.repository_path();
        self.record(&self.repository, &path).await
    }

    /// The default set-up of code scanning.
    pub(super) async fn default_setup(&self) -> &Result<Answer, NoAnswer> {
        let path = format!(
            "{}/code-scanning/default-setup",
            self.session.repository_path()
        );
        self.record(&self.default_setup, &path).await
    }

    async fn record<'c>(
        &self,
        cell: &'c OnceCell<Result<Answer, NoAnswer>>,
        path: &str,
    ) -> &'c Result<Answer, NoAnswer> {
        cell.get_or_init(|| async { self.client().get(path).await })
            .await
    }

    async fn list(&self, name: &str, depth: u32) -> Result<Listing, NoAnswer> {
        let path = format!("{}/{name}", self.session.repository_path());
        let client = self.client();
        match depth {
            0 => client.get_all(&path, None).await,
            _ => client.get_all_behind(&path, None).await,
        }
    }
}
