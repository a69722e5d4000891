//! What the tests of branch requirements share: one requirement over a few
//! layers, and a branch whose plan lacks something.

use crate::controls::control::Control;
use crate::controls::testing::{branch, demand, hidden, seen, verdict_of};
use crate::facts::{
    BranchRules, Combine, Fact, MergeMethod, OwnerStatus, OwnersDialect, OwnersFile,
    RepositorySettings, RequiredCheck, Requirement, Snapshot, Visibility,
};

/// Where a requirement stands among the rules.
pub(crate) type Field<T> = fn(&mut BranchRules) -> &mut Requirement<T>;

/// Where a requirement that is on or off stands.
pub(crate) type Switch = Field<bool>;

/// Rules where each layer makes this demand (`None`: it could not be read), and
/// one layer that makes it is enough.
pub(crate) fn demanding<T: Clone>(field: Field<T>, layers: &[Option<T>]) -> Snapshot {
    branch(|rules| {
        *field(rules) = any_layer(layers);
    })
}

/// One requirement, as [`demanding`] has it.
pub(crate) fn any_layer<T: Clone>(layers: &[Option<T>]) -> Requirement<T> {
    Requirement::any_layer(
        layers
            .iter()
            .map(|value| demand("r", value.clone().map_or_else(hidden, seen)))
            .collect(),
    )
}

/// The verdict on a requirement that these layers switch on or off.
pub(crate) fn switched<C: Control>(control: &C, switch: Switch, layers: &[Option<bool>]) -> String {
    verdict_of(control, &demanding(switch, layers))
}

/// The verdict where nothing is demanded, no layer stands, and the plan lacks the feature.
pub(crate) fn plan<C: Control>(control: &C, feature: &str) -> String {
    let mut facts = branch(|_| {});
    let mut rules = BranchRules::without_demands("main", Vec::new(), Combine::AnyLayer);
    rules.not_in_plan = vec![feature.to_owned()];
    facts.branch_rules = Fact::known_without_source(rules);
    verdict_of(control, &facts)
}

/// A file of code owners that the platform has nothing to say against.
pub(crate) fn owners_file(text: &str, dialect: OwnersDialect) -> OwnersFile {
    OwnersFile {
        path: "CODEOWNERS".to_owned(),
        digest: String::new(),
        size: u64::try_from(text.len()).expect("a short text"),
        text: text.to_owned(),
        dialect,
        platform_errors: seen(Vec::new()),
    }
}

/// Owners that exist and may write.
pub(crate) fn owners(names: &[&str]) -> Vec<OwnerStatus> {
    names
        .iter()
        .map(|&name| OwnerStatus {
            name: name.to_owned(),
            exists: seen(true),
            can_write: seen(true),
        })
        .collect()
}

/// Required checks of any app.
pub(crate) fn checks(names: &[&str]) -> Vec<RequiredCheck> {
    names
        .iter()
        .map(|&name| RequiredCheck {
            name: name.to_owned(),
            app: None,
        })
        .collect()
}

/// A private repository that allows these ways to merge.
pub(crate) fn repository(
    merge_methods: Fact<Vec<MergeMethod>>,
    auto_merge: Fact<bool>,
) -> RepositorySettings {
    RepositorySettings {
        visibility: seen(Visibility::Private),
        archived: seen(false),
        last_activity: seen(None),
        merge_methods,
        auto_merge,
        public_pipelines: seen(false),
    }
}
