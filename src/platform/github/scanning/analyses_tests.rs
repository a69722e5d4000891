//! What is asked about the change, and what the answers mean.

#![expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]

use serde_json::{Value, json};

use super::super::super::graph::testing::{refused, rest};
use super::super::super::settings::reading::testing::{listing, no_listing};
use super::*;

const HEAD: &str = "aa";
const REF: &str = "refs/pull/7/merge";

fn analysis() -> Value {
    json!({"ref": REF, "commit_sha": HEAD, "created_at": "2026-06-01T11:00:00Z", "error": "",
        "category": "language:js", "analysis_key": "a.yml:analyze", "tool": {"name": "CodeQL"}})
}

fn alert() -> Value {
    json!({"number": 12, "created_at": "2026-05-01T00:00:00Z",
        "rule": {"id": "js/x", "severity": "warning", "security_severity_level": "high"},
        "dismissed_by": {"login": "ana"}, "dismissed_at": "2026-05-02T00:00:00Z"})
}

/// All three lists as they come when all is well, with one alert in each list of them.
fn answers() -> Answers {
    Answers {
        analyses: Analyses::All(listing(&json!([analysis()]))),
        open: listing(&json!([alert()])),
        dismissed: Some(listing(&json!([alert()]))),
        on_target: Some(listing(&json!([alert()]))),
    }
}

fn read(answers: &Answers) -> Fact<ChangeAnalyses> {
    answers.read(&Asked {
        reference: REF,
        head: HEAD,
        is_change: answers.dismissed.is_some(),
        test_merge: Some("ee"),
    })
}

fn looked(answers: &Answers) -> Looked {
    match read(answers).known() {
        Ok(ChangeAnalyses::Looked(looked)) => looked.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_analysis_comes_with_its_commit_and_part_and_an_alert_with_who_dismissed_it() {
    let looked = looked(&answers());
    assert_eq!(looked.test_merge.as_deref(), Some("ee"));
    let seen = &looked.analyses[0];
    assert_eq!(
        (seen.tool.as_str(), seen.part.as_str()),
        ("CodeQL", "language:js")
    );
    assert_eq!((seen.commit.as_str(), seen.failed), (HEAD, false));
    assert_eq!(looked.open[0].name, "#12 js/x");
    assert_eq!(looked.open[0].severity, crate::facts::Severity::High);
    let dismissed = &looked.dismissed[0];
    assert_eq!(dismissed.by.as_deref(), Some("ana"));
    assert!(dismissed.at.is_some());
}

#[test]
fn an_error_of_an_analysis_is_kept_as_such_and_a_part_has_a_second_name() {
    let mut broken = analysis();
    broken["error"] = json!("out of memory");
    broken["category"] = json!("");
    let looked = looked(&Answers {
        analyses: Analyses::All(listing(&json!([broken]))),
        ..answers()
    });
    assert!(looked.analyses[0].failed);
    assert_eq!(looked.analyses[0].part, "a.yml:analyze");
}

/// Something left out must not make an analysis look better.
#[test]
fn an_analysis_that_leaves_out_what_decides_or_is_of_another_ref_spoils_the_list() {
    for name in ["ref", "commit_sha", "created_at", "error", "tool"] {
        for hole in [json!(null), json!("")] {
            if hole == json!("") && name != "ref" && name != "commit_sha" {
                continue;
            }
            let mut bad = analysis();
            bad[name] = hole;
            let answers = Answers {
                analyses: Analyses::All(listing(&json!([analysis(), bad]))),
                ..answers()
            };
            assert!(!read(&answers).is_known(), "{name}");
        }
    }
    let mut other = analysis();
    other["ref"] = json!("refs/heads/main");
    let answers = Answers {
        analyses: Analyses::All(listing(&json!([other]))),
        ..answers()
    };
    assert!(!read(&answers).is_known());
}

#[test]
fn off_no_permission_and_no_analysis_are_three_answers() {
    let all = |status, message: &str| {
        read(&Answers {
            analyses: Analyses::All(no_listing(status, message)),
            open: no_listing(status, message),
            dismissed: Some(no_listing(status, message)),
            on_target: Some(no_listing(status, message)),
        })
    };
    let off = "Code scanning is not enabled for this repository.";
    assert_eq!(all(403, off).known(), Ok(&ChangeAnalyses::Off));
    assert_eq!(
        all(404, "no analysis found").known(),
        Ok(&ChangeAnalyses::NothingYet)
    );
    let unknown = all(403, "Resource not accessible by integration")
        .known()
        .unwrap_err();
    assert_eq!(unknown.why, Why::NotPermitted);
    assert_eq!(unknown.needs.as_deref(), Some("Code scanning alerts: read"));
    let none = Answers {
        analyses: Analyses::All(listing(&json!([]))),
        open: listing(&json!([])),
        dismissed: None,
        on_target: None,
    };
    assert_eq!(read(&none).known(), Ok(&ChangeAnalyses::NothingYet));
}

/// The cheat: analyses that can be read beside alerts that cannot, or the other way round.
#[test]
fn one_list_that_is_hidden_leaves_nothing_to_go_by() {
    let hidden = || no_listing(403, "Resource not accessible by integration");
    for answers in [
        Answers {
            analyses: Analyses::All(hidden()),
            ..answers()
        },
        Answers {
            open: hidden(),
            ..answers()
        },
        Answers {
            dismissed: Some(hidden()),
            ..answers()
        },
        Answers {
            open: listing(&json!([{"number": 12}])),
            ..answers()
        },
    ] {
        assert!(!read(&answers).is_known());
    }
}

/// What is open on the target is asked for to tell new from old; without it the rest stands.
#[test]
fn a_target_that_is_hidden_hides_itself_alone() {
    let seen = looked(&answers()).on_target;
    assert_eq!(
        seen.known().map(|open| open.as_ref().map(Vec::len)),
        Ok(Some(1))
    );
    for target in [
        no_listing(403, "Resource not accessible by integration"),
        listing(&json!([{"number": 12}])),
    ] {
        let hidden = looked(&Answers {
            on_target: Some(target),
            ..answers()
        });
        assert!(!hidden.on_target.is_known() && hidden.open.len() == 1);
    }
    let not_asked = Answers {
        on_target: None,
        ..answers()
    };
    assert!(!looked(&not_asked).on_target.is_known());
    let of_branch = looked(&Answers {
        dismissed: None,
        ..not_asked
    });
    assert_eq!(of_branch.on_target.known(), Ok(&None));
}

#[test]
fn of_a_branch_a_page_that_is_full_of_the_commit_alone_is_not_the_whole() {
    let of_branch = |all: Vec<Value>| Answers {
        analyses: Analyses::Newest(rest(&json!(all))),
        dismissed: None,
        on_target: None,
        ..answers()
    };
    let mut page = vec![analysis(); PER_PAGE];
    assert!(!read(&of_branch(page.clone())).is_known());
    page[PER_PAGE - 1]["commit_sha"] = json!("bb");
    assert_eq!(looked(&of_branch(page)).analyses.len(), PER_PAGE);
    assert_eq!(looked(&of_branch(vec![analysis()])).analyses.len(), 1);
    let refused = Answers {
        analyses: Analyses::Newest(refused(404, "no analysis found")),
        ..answers()
    };
    assert_eq!(read(&refused).known(), Ok(&ChangeAnalyses::NothingYet));
}

mod asked {
    use super::super::super::super::settings::tests::{session, snapshot};
    use super::*;
    use crate::platform::transport::testing::{Reply, Server};

    async fn lines(wanted: Wanted, head: &str) -> (Fact<ChangeAnalyses>, Vec<String>) {
        lines_with(wanted, head, &Needs::none()).await
    }

    async fn lines_with(
        wanted: Wanted,
        head: &str,
        needs: &Needs,
    ) -> (Fact<ChangeAnalyses>, Vec<String>) {
        let server = Server::start(|_, request| {
            Reply::json(&if request.line.contains("/analyses?") {
                json!([]).to_string()
            } else {
                json!([alert()]).to_string()
            })
        })
        .await;
        let mut session = session(&server, None);
        *session.wanted_mut() = wanted;
        session.test_merge = Some("ee".to_owned());
        let mut snapshot = snapshot();
        snapshot.subject.change = Some(7);
        head.clone_into(&mut snapshot.subject.head);
        let fact = ask(&session, &snapshot, needs).await;
        let mut lines: Vec<String> = server
            .received()
            .into_iter()
            .map(|request| request.line)
            .collect();
        lines.sort();
        (fact, lines)
    }

    #[tokio::test]
    async fn a_change_is_asked_about_by_its_number_and_a_commit_by_its_branch() {
        let change = || Wanted::Change {
            number: 7,
            head: None,
            target: None,
        };
        let (_, asked) = lines(change(), HEAD).await;
        let base = "GET /repos/acme/app/code-scanning";
        let pull = "ref=refs%2Fpull%2F7%2Fmerge&per_page=100";
        assert_eq!(
            asked,
            [
                format!("{base}/alerts?state=dismissed&{pull}"),
                format!("{base}/alerts?state=open&{pull}"),
                format!("{base}/analyses?{pull}"),
            ]
        );
        let both = Needs::none().with_target_alerts(true);
        let (_, asked) = lines_with(change(), HEAD, &both).await;
        let target = format!("{base}/alerts?state=open&ref=refs%2Fheads%2Fmain&per_page=100");
        assert_eq!((asked.len(), asked.get(1)), (4, Some(&target)));
        let commit = || Wanted::Commit {
            sha: None,
            branch: None,
            before: None,
        };
        let (_, asked) = lines(commit(), HEAD).await;
        let branch = "ref=refs%2Fheads%2Fmain&per_page=100";
        assert_eq!(
            asked,
            [
                format!("{base}/alerts?state=open&{branch}"),
                format!("{base}/analyses?{branch}"),
            ]
        );
        let (fact, asked) = lines(commit(), "").await;
        assert!(!fact.is_known() && asked.is_empty());
    }

    /// The cheat: the only analysis that failed stands on the second page.
    #[tokio::test]
    async fn a_second_page_of_a_change_is_read_and_one_that_is_refused_hides_all() {
        for status in [200, 403] {
            let server = Server::start(move |_, request| {
                if !request.line.contains("/analyses?") {
                    return Reply::json("[]");
                }
                if request.line.contains("page=2") {
                    let mut broken = analysis();
                    broken["error"] = json!("out of memory");
                    return Reply::Full(status, Vec::new(), json!([broken]).to_string());
                }
                let next = "</repos/acme/app/code-scanning/analyses?ref=x&page=2>; rel=\"next\"";
                Reply::json(&json!([analysis()]).to_string()).header("link", next)
            })
            .await;
            let mut session = session(&server, None);
            *session.wanted_mut() = Wanted::Change {
                number: 7,
                head: None,
                target: None,
            };
            let mut snapshot = snapshot();
            snapshot.subject.change = Some(7);
            HEAD.clone_into(&mut snapshot.subject.head);
            match (
                status,
                ask(&session, &snapshot, &Needs::none()).await.known(),
            ) {
                (200, Ok(ChangeAnalyses::Looked(looked))) => {
                    assert!(looked.analyses[1].failed);
                }
                (403, Err(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
