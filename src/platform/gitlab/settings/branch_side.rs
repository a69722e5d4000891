//! Settings that stand in the repository and around its branches, and which
//! server answers. Says which group is asked; each file beside it says how.

use crate::facts::{
    CodeOwners, Fact, FactKey, InScopeBranch, MergedHead, Needs, PipelineDefinition, Releases,
    Server, Settings, Subject, TagProtection, Unknown, Why,
};

use super::super::Session;
use super::{definition, history, inventory, owners, server, tags};

/// What was seen of each group; `None`: nobody needs it.
pub(super) struct BranchSide {
    server: Option<Fact<Server>>,
    branches: Option<Fact<Vec<InScopeBranch>>>,
    tags: Option<Fact<Vec<TagProtection>>>,
    releases: Option<Fact<Releases>>,
    code_owners: Option<Fact<CodeOwners>>,
    paths: Option<Fact<Vec<String>>>,
    merged_heads: Option<Fact<Vec<MergedHead>>>,
    definition: Option<Fact<PipelineDefinition>>,
}

/// Asks for the needed groups, all at once.
pub(super) async fn collect(session: &Session, subject: &Subject, needs: &Needs) -> BranchSide {
    let (server, branches, tags, code_owners, paths, merged_heads, definition) = tokio::join!(
        wanted(needs.any_of(Settings::KEYS), async {
            server::server(session).await.clone()
        }),
        wanted(
            needs.has(FactKey::BranchInventory),
            inventory::branches(session, needs.branches())
        ),
        wanted(
            needs.has(FactKey::RepositoryTags),
            tags::protections(session)
        ),
        wanted(
            needs.has(FactKey::RepositoryCodeOwners),
            owners::code_owners(session, subject)
        ),
        wanted(
            needs.has(FactKey::RepositoryPaths),
            inventory::paths(session, subject)
        ),
        wanted(
            needs.has(FactKey::BranchCheckHistory),
            history::merged_heads(session, subject)
        ),
        wanted(
            needs.has(FactKey::PipelineDefinition),
            definition::definition(session, subject)
        ),
    );
    let releases = needs.has(FactKey::RepositoryReleases).then(|| {
        Fact::Unknown(Unknown::new(
            FactKey::RepositoryReleases.name(),
            Why::NotSupported,
            "GitLab has no releases that cannot be changed",
        ))
    });
    BranchSide {
        server,
        branches,
        tags,
        releases,
        code_owners,
        paths,
        merged_heads,
        definition,
    }
}

impl BranchSide {
    /// Puts what was seen into its place.
    pub(super) fn put_into(self, settings: &mut Settings) {
        put(self.server, &mut settings.server);
        put(self.branches, &mut settings.in_scope_branches);
        put(self.tags, &mut settings.tag_protections);
        put(self.releases, &mut settings.releases);
        put(self.code_owners, &mut settings.code_owners);
        put(self.paths, &mut settings.paths);
        put(self.merged_heads, &mut settings.merged_heads);
        put(self.definition, &mut settings.definition);
    }
}

async fn wanted<T>(wanted: bool, ask: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(ask.await) } else { None }
}

fn put<T>(seen: Option<Fact<T>>, place: &mut Fact<T>) {
    if let Some(seen) = seen {
        *place = seen;
    }
}
