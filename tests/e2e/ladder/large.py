"""Very large changes, with the controls over the change switched on: what they cost, and that nothing is cut off."""
import json

from . import forge

MOST_REQUESTS, MOST_WAVES = 12, 3

POLICY = """version: 1
controls:
  change-through-pull-request: {}
  approvals-sufficient: {}
  approval-covers-head: {}
  approver-is-independent: {}
  identities-resolved: {}
  approver-may-write: {from: ["@acme/maintainers"]}
  review-settled: {}
  agent-changes-approved: {}
  ticket-linked: {}
  commits-signed: {}
  checks-succeeded: {}
  description-filled: {}
  gate-changes-approved: {owners: ["@acme/maintainers"]}
  sensitive-paths-approved:
    areas: [{paths: ["folder/2999.txt", "old/*"], owners: ["@acme/maintainers"]}]
  merger-recorded: {}
"""


def run(tally, binary, double):
    policy = forge.WORK / "large.yml"
    policy.write_text(POLICY)
    for name, scenario, waves in (
        ("a large change", _large(double), MOST_WAVES),
        # Where moved files were is told in REST's list only, behind everything else.
        ("a large change with moved files", _large(double, moved=(150, 2500)), MOST_WAVES + 1),
    ):
        result, stats = _check(binary, scenario, policy, waves)
        requests = result.decision["requests"] if result.decision else {}
        spent = f"{stats['requests']} requests, {stats['sequential_depth']} waves: {json.dumps(stats['by_endpoint'])}"
        print(f"     {name}: {spent}")
        tally.check(f"{name}: at most {MOST_REQUESTS} requests", 0 < stats["requests"] <= MOST_REQUESTS, spent)
        tally.check(f"{name}: at most {waves} waves", stats["sequential_depth"] <= waves and requests.get("waves", 99) <= waves, f"{spent}; {requests}")
        for code, verdict in (("CHG-04", "pass"), ("CHG-06", "pass"), ("CHG-07", "pass"), ("CHG-12", "pass"), ("CHG-13", "pass"), ("CHG-17", "pass")):
            control = result.control(code)
            tally.check(f"{name}: {code} is {verdict}", control.get("verdict") == verdict, str(control) or result.story())
    over = _large(double, files=3001)
    result, _ = _check(binary, over, policy, MOST_WAVES)
    for code in ("CHG-16", "CHG-17"):
        control = result.control(code)
        tally.check(f"3,001 files: {code} is unknown", control.get("verdict") == "unknown", str(control) or result.story())
    for owner, moved, verdict in (("@rita", True, "pass"), ("@olga", True, "fail"), ("@olga", False, "not_applicable")):
        _gitlab(tally, binary, double, owner, moved, verdict)


def _gitlab(tally, binary, double, owner, moved, verdict):
    """Merge request 7 with 1,000 files, one of them moved out of a sensitive folder."""
    scenario = json.loads((double / "scenarios" / "gitlab-compliant-premium.json").read_text())
    project = scenario["gitlab"]["projects"][0]
    change = next(one for one in project["merge_requests"] if one["iid"] == 7)
    change["changes"] = [f"folder/{number}.txt" for number in range(1000)]
    if moved:
        change["changes"][999] = {"old_path": "auth/login.rs", "new_path": "misc/login.rs", "renamed_file": True}
    policy = forge.WORK / "areas.yml"
    policy.write_text(f"version: 1\ncontrols:\n  review-settled: {{}}\n  sensitive-paths-approved:\n    areas: [{{paths: [\"auth/**\"], owners: [\"{owner}\"]}}]\n")

    def judged(latency_ms):
        with forge.Forge(scenario, latency_ms=latency_ms) as running:
            variables = running.gitlab() | {"CCGATE_TOKEN": forge.secrets(scenario)["maintainer"]}
            result = forge.check(binary, variables, "--platform", "gitlab", "--repo", project["path_with_namespace"], "--change", "7", "--policy", policy)
            return result, running.stats()

    result, stats = forge.in_waves(MOST_WAVES, judged)
    name = f"1,000 files on GitLab, {'one moved out of' if moved else 'none of'} the area of {owner}"
    print(f"     {name}: {stats['requests']} requests, {stats['sequential_depth']} waves")
    control = result.control("CHG-17")
    tally.check(f"{name}: CHG-17 is {verdict}", control.get("verdict") == verdict, str(control) or result.story())
    tally.check(f"{name}: CHG-07 is pass", result.control("CHG-07").get("verdict") == "pass", str(result.control("CHG-07")) or result.story())
    tally.check(f"{name}: at most {MOST_WAVES} waves", stats["sequential_depth"] <= MOST_WAVES, str(stats["by_endpoint"]))


def _check(binary, scenario, policy, waves):
    def judged(latency_ms):
        with forge.Forge(scenario, latency_ms=latency_ms) as double:
            variables = double.github() | {"GITHUB_TOKEN": forge.secrets(scenario)["full-app"]}
            result = forge.check(binary, variables, "--platform", "github", "--repo", "acme/app", "--change", "7", "--policy", policy)
            return result, double.stats()

    return forge.in_waves(waves, judged)


def _large(double, files=3000, commits=250, checks=300, reviews=100, moved=()):
    """Change 7 of the compliant repository, grown."""
    scenario = json.loads((double / "scenarios" / "github-compliant.json").read_text())
    repository = scenario["github"]["repositories"][0]
    change = next(one for one in repository["pull_requests"] if one["number"] == 7)
    head = next(one for one in repository["commits"] if one["sha"] == "f1")
    chain = [f"c{number}" for number in range(commits - 1)]
    parents = head.get("parents", [])
    for sha in chain:
        repository["commits"].append({"sha": sha, "parents": parents, "author": "bob", "date": "2026-05-30T09:00:00Z", "message": "Go on", "verification": True})
        parents = [sha]
    head["parents"] = parents
    change["commits"] = [*chain, "f1"]
    change["files"] = [{"filename": f"folder/{number}.txt", "status": "modified"} for number in range(files)]
    for number in moved:
        change["files"][number] = {"filename": f"folder/{number}.txt", "status": "renamed", "previous_filename": f"old/{number}.txt"}
    remarks = [{"author": "alice", "state": "COMMENTED", "submitted_at": "2026-05-31T07:00:00Z"} for _ in range(reviews - len(change["reviews"]))]
    change["reviews"] = [*remarks, *change["reviews"]]
    repository["check_runs"] += [{"name": f"part {number}", "app": "github-actions", "head_sha": "f1", "conclusion": "success", "started_at": "2026-05-30T09:10:00Z"} for number in range(checks - 1)]
    return scenario
