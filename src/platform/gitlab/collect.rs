//! The second round: asks for everything that the needed groups hang on, all
//! at once, and hands the answers to the translations.

use std::collections::BTreeMap;

use crate::facts::{
    Association, ChangeState, Fact, FactKey, Needs, Snapshot, Source, TeamMembers, Unknown, Why,
};

use super::super::{access, again, join};
use super::checks::Wanted;
use super::client::Client;
use super::lookups::{add_approvers, authors, gone, members, results, the_branch};
use super::people::{Directory, names};
use super::wire::{
    Approvals, Note, Pages, Project, Read, Reply, Reviewer, Version, WireCommit, list, object,
};
use super::{
    Session, approvals, arrivals, association, branch, change, checks, discussion, files,
    overrides, permissions, settings, signatures, train,
};

/// Level of maintainers, the lowest that may read protected branches.
const MAINTAINER: u32 = 40;
pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, needs: &Needs) {
    session.transport.begin_wave();
    let number = snapshot.subject.change;
    let has = |key| needs.has(key) && number.is_some();
    let reviews = has(FactKey::ChangeReviews);
    let pushes = has(FactKey::ChangePushes);
    let commits = has(FactKey::ChangeCommits);
    let threads = has(FactKey::ChangeThreads);
    let rules = needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass])
        && !snapshot.subject.target.is_empty();
    let wanted = if has(FactKey::ChangeChecks) {
        checks::wanted(session.opened.merge_request.as_ref().ok().map(|(mr, _)| mr))
    } else {
        Wanted::default()
    };
    let mr = |rest: &str| {
        session.path(&format!(
            "/merge_requests/{}{rest}",
            number.unwrap_or_default()
        ))
    };
    let of = &session.settings;
    let subject = snapshot.subject.clone();
    let weak = weaker_than_maintainer(&session.opened.project);
    let target = access::encode(&snapshot.subject.target);
    // A project that may not be read at all means a job token: it has the
    // list of branches, but not the single branch.
    let flag_path = if session.opened.project.is_ok() {
        session.path(&format!("/repository/branches/{target}"))
    } else {
        session.path(&format!(
            "/repository/branches?search={target}&per_page=100"
        ))
    };
    let setting_path = if weak {
        session.path("/approvals")
    } else {
        session.path("/merge_request_approval_setting")
    };
    let (
        versions,
        approvals,
        commit_list,
        authors,
        notes,
        results,
        entries,
        flag,
        setting,
        approval_rules,
        push_rule,
        members,
        reviewers,
        changed,
        signed,
        teams,
        arrived,
        (),
    ) = tokio::join!(
        pages(pushes, of, mr("/versions")),
        one(reviews, of, mr("/approvals")),
        pages(commits, of, mr("/commits")),
        authors(commits || reviews, session, number),
        pages(
            has(FactKey::ChangeComments) || pushes || reviews || threads,
            &session.change,
            mr("/notes?sort=asc&order_by=created_at")
        ),
        results(session, &wanted),
        async {
            if rules && !weak {
                Some(session.protected_branches().await)
            } else {
                None
            }
        },
        one(rules && weak, &session.change, flag_path),
        one(rules, of, setting_path),
        async {
            if rules {
                Some(session.approval_rules().await)
            } else {
                None
            }
        },
        async {
            if needs.has(FactKey::BranchRules) && rules {
                Some(session.push_rule().await)
            } else {
                None
            }
        },
        members(
            reviews,
            needs.any_of(&[
                FactKey::RepositoryCodeOwners,
                FactKey::AccessCollaborators,
                FactKey::OrganizationOutside,
            ]),
            session
        ),
        pages(threads, of, mr("/reviewers")),
        async {
            if has(FactKey::ChangeFiles) {
                Some(files::collect(session, &mr("/diffs")).await)
            } else {
                None
            }
        },
        async {
            match number {
                Some(number) if has(FactKey::ChangeSignatures) => {
                    Some(signatures::collect(session, number).await)
                }
                Some(_) | None => None,
            }
        },
        teams(session, needs),
        Box::pin(arrivals::collect(session, &subject, needs)),
        Box::pin(settings::collect(session, snapshot, needs)),
    );
    if session.setup.place.train.is_some() || needs.has(FactKey::ChangeQueue) {
        snapshot.queue = train::queue(session, snapshot, needs).await;
    }
    if needs.has(FactKey::TeamMembers) {
        snapshot.teams = Fact::known_without_source(teams);
    }
    if let Some(arrived) = arrived {
        snapshot.arrivals = arrived.arrivals;
        snapshot.arrived_changes = arrived.changes;
        snapshot.bypasses = arrived.bypasses;
    }
    if let Some(changed) = changed {
        snapshot.files = changed;
    }
    if let Some(signed) = signed {
        snapshot.signatures = signed;
    }

    let note_list: Read<Vec<Note>> = match &notes {
        Some(pages) => list(FactKey::ChangeComments.name(), permissions::CHANGE, pages),
        None => Err(Unknown::not_collected(FactKey::ChangeComments.name())),
    };
    let approvals: Option<Read<Approvals>> =
        approvals.map(|reply| object(FactKey::ChangeReviews.name(), permissions::CHANGE, &reply));
    let members = match members {
        Some((mut read, more)) => {
            if more {
                add_approvers(session, &mut read, approvals.as_ref()).await;
            }
            Some(read)
        }
        None => None,
    };
    let by_id = match &members {
        Some(Ok((members, _))) => names(members),
        Some(Err(_)) | None => BTreeMap::new(),
    };
    if rules {
        let paid =
            matches!(&approvals, Some(Ok((answer, _))) if answer.approvals_required.is_some());
        let fact = FactKey::BranchRules.name();
        let seen = branch::Seen {
            branch: snapshot.subject.target.clone(),
            entries: match entries {
                Some(pages) => list(fact, permissions::SETTINGS, pages),
                None => Err(not_for_this_role(&session.opened.project)),
            },
            flag: flag.map(|reply| the_branch(&reply, &snapshot.subject.target)),
            project: session.opened.project.clone().map_err(|unknown| Unknown {
                fact: fact.to_owned(),
                ..unknown
            }),
            setting: in_plan(session, paid, setting.as_ref().and_then(gone), || {
                optional(
                    setting
                        .as_ref()
                        .map(|reply| object(fact, permissions::SETTINGS, reply)),
                )
            }),
            rules: in_plan(session, paid, approval_rules.and_then(gone), || {
                optional(approval_rules.map(|pages| list(fact, permissions::APPROVAL_RULES, pages)))
            }),
            push_rule: in_plan(session, paid, push_rule.and_then(gone), || {
                optional(push_rule.map(|reply| object(fact, permissions::SETTINGS, reply)))
            }),
            members: by_id.clone(),
        };
        snapshot.branch_rules = branch::rules(&seen);
        // Kept for the other branches in scope; asked for once only, so never set twice.
        let _ = session.seen_of_branch.set(seen);
    }
    if needs.has(FactKey::ChangeAssociation) {
        snapshot.association = associated(session, snapshot);
    }
    if needs.has(FactKey::ScanChangeAnalyses) {
        snapshot.change_analyses = Fact::Unknown(handed_over_as_files());
    }
    if number.is_none() {
        no_change(snapshot, &needs.without(&[FactKey::ScanChangeAnalyses]));
        return;
    }
    let host = session.setup.place.api.host_str();
    let directory = Directory {
        members: by_id,
        host: host.unwrap_or_default().to_owned(),
        ..authors
    };
    if let Some(pages) = &commit_list {
        let read: Read<Vec<WireCommit>> =
            list(FactKey::ChangeCommits.name(), permissions::CHANGE, pages);
        snapshot.commits = change::commits(&read, &directory);
    }
    if let (Some(approvals), Some(members)) = (&approvals, &members) {
        snapshot.reviews = approvals::reviews(approvals, &note_list, members, &directory.approvers);
    }
    if let Some(pages) = &versions {
        let read: Read<Vec<Version>> =
            list(FactKey::ChangePushes.name(), permissions::CHANGE, pages);
        snapshot.pushes = change::pushes(&read, &note_list);
    }
    if needs.has(FactKey::ChangeComments) {
        snapshot.comments = change::comments(&note_list);
    }
    if let Some(pages) = &reviewers {
        let read: Read<Vec<Reviewer>> =
            list(FactKey::ChangeThreads.name(), permissions::CHANGE, pages);
        snapshot.discussion =
            discussion::discussion(&note_list, &read, &session.opened.merge_request);
    }
    if needs.has(FactKey::ChangeChecks) {
        let merge_request = session
            .opened
            .merge_request
            .clone()
            .map_err(|unknown| Unknown {
                fact: FactKey::ChangeChecks.name().to_owned(),
                ..unknown
            });
        snapshot.checks = checks::checks(&merge_request, &results);
    }
    if needs.has(FactKey::ChangeOriginals) {
        snapshot.originals = Box::pin(arrivals::originals::collect(session, snapshot)).await;
    }
}

/// The members of every group that the policy's controls name.
async fn teams(session: &Session, needs: &Needs) -> Vec<TeamMembers> {
    if !needs.has(FactKey::TeamMembers) {
        return Vec::new();
    }
    join::all(needs.teams().iter().map(|team| async move {
        TeamMembers {
            team: team.clone(),
            members: overrides::group(FactKey::TeamMembers.name(), session, team).await,
        }
    }))
    .await
}

async fn pages(wanted: bool, client: &Client, path: String) -> Option<Pages> {
    if wanted {
        Some(client.get_all(&path, None).await)
    } else {
        None
    }
}

async fn one(wanted: bool, client: &Client, path: String) -> Option<Reply> {
    if wanted {
        Some(client.get(&path).await)
    } else {
        None
    }
}

/// Whether the token is known not to be a maintainer's. A project that cannot
/// be read means the same; a role that is not told means nothing.
pub(super) fn weaker_than_maintainer(project: &Read<Project>) -> bool {
    match project {
        Ok((project, _)) => project.role().is_some_and(|role| role < MAINTAINER),
        Err(_) => true,
    }
}

fn not_for_this_role(project: &Read<Project>) -> Unknown {
    let fact = FactKey::BranchRules.name();
    match project {
        Ok((project, sources)) => {
            let unknown = Unknown::new(
                fact,
                Why::NotPermitted,
                format!(
                    "protected branches are shown to maintainers (level {MAINTAINER}); this token has level {}",
                    project.role().unwrap_or_default()
                ),
            )
            .needs(permissions::SETTINGS);
            match sources.first() {
                Some(source) => unknown.at(source.endpoint.clone(), Some(200)),
                None => unknown,
            }
        }
        Err(unknown) => Unknown {
            fact: fact.to_owned(),
            needs: Some(permissions::SETTINGS.to_owned()),
            ..unknown.clone()
        },
    }
}

/// What the tier does not sell is answered like what is hidden: 404. Beside a
/// project that this token can read, and approvals without a required number,
/// it means the tier.
fn in_plan<T>(
    session: &Session,
    paid: bool,
    gone: Option<Source>,
    read: impl FnOnce() -> Read<Option<T>>,
) -> Read<Option<T>> {
    match (gone, &session.opened.project) {
        (Some(source), Ok(_)) if !paid => Ok((None, vec![source])),
        _ => read(),
    }
}

fn optional<T>(read: Option<Read<T>>) -> Read<Option<T>> {
    match read {
        Some(Ok((value, sources))) => Ok((Some(value), sources)),
        Some(Err(unknown)) => Err(unknown),
        None => Err(Unknown::not_collected(FactKey::BranchRules.name())),
    }
}

fn associated(session: &Session, snapshot: &Snapshot) -> Fact<Association> {
    match (&session.opened.commit, &snapshot.identity) {
        (Some((changes, events)), _) => association::association(
            &snapshot.subject.head,
            &snapshot.subject.target,
            changes,
            events.as_ref(),
        ),
        (None, Fact::Known { value, sources }) => Fact::seen_in(
            if value.state == ChangeState::Merged {
                Association::Change {
                    number: value.number,
                    target_branch: value.target_branch.clone(),
                }
            } else {
                Association::NotMerged
            },
            sources.clone(),
        ),
        (None, Fact::Unknown(unknown)) => Fact::Unknown(unknown.clone()),
    }
}

/// Scanners run as jobs here, and the platform keeps no word of its own on what they
/// found in a change that every tier and role could read.
fn handed_over_as_files() -> Unknown {
    Unknown::new(
        FactKey::ScanChangeAnalyses.name(),
        Why::NotSupported,
        "scanners leave their findings as report artifacts of the pipeline, which its API does not give out: let each keep its report under `artifacts: paths` as well, and hand it in with `--scan`",
    )
}

/// Groups about a change, when a commit is judged that no change is known for.
fn no_change(snapshot: &mut Snapshot, needs: &Needs) {
    let why = Unknown::new(
        FactKey::ChangeIdentity.name(),
        Why::HiddenOrAbsent,
        "no merged change is known for this commit",
    );
    again::hide(snapshot, needs, &why);
}
