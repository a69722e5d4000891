//! Who owns what the gate is made of: its definition, the policy, and the file of
//! code owners itself; and whether anybody has to ask them.

use crate::controls::guarding::{Owning, Runs, lies_elsewhere};
use crate::facts::{CodeOwners, Fact, FactKey, Snapshot, Unknown, all_of};

use super::guard::some;
use super::{Area, Finding, State};

/// Who owns the definition, the policy and the file of code owners itself.
pub(super) fn code_owners(facts: &Snapshot, check: &str, policy: &str) -> Finding {
    const AREA: Area = Area::CodeOwners;
    let owners = match &facts.settings.code_owners {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => {
            return Finding::unseen(AREA, "whether the gate's files are owned", unknown);
        }
    };
    let Some(file) = &owners.file else {
        return Finding::new(
            AREA,
            State::Bad,
            "there is no file of code owners: anyone can edit this gate",
        )
        .next(format!(
            "own the gate's definition, {policy} and the file of code owners itself"
        ));
    };
    let mut paths = vec![policy.to_owned(), file.path.clone()];
    let mut hidden = None;
    match &facts.settings.definition {
        Fact::Known { value, .. } => {
            if !lies_elsewhere(value, &facts.subject.repository) {
                let runs = Runs::of(value, check);
                paths.extend(runs.jobs.iter().map(|at| at.path.to_owned()));
            }
        }
        Fact::Unknown(unknown) => hidden = Some(unknown.clone()),
    }
    paths.sort();
    paths.dedup();
    owned(facts, owners, &paths, hidden)
}

/// How it stands with the paths. What is proven not to be owned comes first.
fn owned(
    facts: &Snapshot,
    owners: &CodeOwners,
    paths: &[String],
    hidden: Option<Unknown>,
) -> Finding {
    const AREA: Area = Area::CodeOwners;
    let owning = Owning::of(owners);
    let each: Vec<(&str, Fact<bool>)> = paths
        .iter()
        .map(|path| (path.as_str(), owning.is_owned(path)))
        .collect();
    let free: Vec<&str> = each
        .iter()
        .filter(|(_, owned)| owned.known() == Ok(&false))
        .map(|(path, _)| *path)
        .collect();
    if !free.is_empty() {
        return Finding::new(
            AREA,
            State::Bad,
            format!(
                "nobody who can act owns {}: anyone can edit this gate",
                some(&free)
            ),
        )
        .next("give them owners who can write");
    }
    let asked = match &facts.branch_rules {
        Fact::Known { value, .. } => value.code_owner_review_required.holds(|on| *on),
        Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
    };
    let names: Vec<&str> = paths.iter().map(String::as_str).collect();
    if asked.known() == Ok(&false) {
        return Finding::new(
            AREA,
            State::Weak,
            format!("{} have owners, and nobody has to ask them", some(&names)),
        )
        .next("require a review by code owners");
    }
    if let Some(unknown) = hidden {
        return Finding::unseen(
            AREA,
            &format!(
                "which definition runs the gate is not seen ({})",
                FactKey::PipelineDefinition.name()
            ),
            &unknown,
        );
    }
    match all_of(each.into_iter().map(|(_, owned)| owned).chain([asked])) {
        Fact::Unknown(unknown) => Finding::unseen(
            AREA,
            &format!("whether owners have to approve {}", some(&names)),
            &unknown,
        ),
        // A known `false` was told above.
        Fact::Known { .. } => Finding::new(
            AREA,
            State::Ok,
            format!("owners have to approve {}", some(&names)),
        ),
    }
}
