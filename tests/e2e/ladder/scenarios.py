"""Every scenario of the double with every token it names: the verdicts it states, within the budget of requests."""
import hashlib
import json

from . import forge
from .expectations import agrees, all_of, meaning

TWO_APPROVALS = "version: 1\ncontrols:\n  approvals-required: {min: 2}\n"
APPROVAL_NOTED = """version: 1
extends: [soc2-all]
custom:
  - id: approval-noted
    criteria: [CC8.1]
    assert: >-
      change.approval_notes.exists(note, has(note.author)
      && note.author.login != change.author.login && !note.pushed_since)
"""
RELEASES = "version: 1\nbranches: [main, \"release/*\"]\ncontrols:\n  branch-protected: {}\n"


def run(tally, binary, double):
    skipped = set()
    print(f"{'scenario':36} {'token':12} {'run':10} {'requests':>8} {'waves':>5}")
    for path in sorted((double / "scenarios").glob("*.json")):
        scenario = json.loads(path.read_text())
        for who, sentences in scenario["expect"].items():
            _token(tally, binary, scenario, path, who.removeprefix("with token "), sentences, skipped)
    for sentence in sorted(skipped):
        print(f"skipped, no control built: {sentence}")


def _token(tally, binary, scenario, path, token, sentences, skipped):
    results = {}
    for sentence, expected in sentences.items():
        name = f"{path.stem} / {token} / {sentence}"
        found = meaning(sentence)
        if found == "outside":
            skipped.add(sentence)
            continue
        if found == "counted":
            continue
        if not tally.check(f"{name}: the sentence is known", found is not None):
            continue
        codes, how = found
        key = tuple(sorted(how.items())) if set(how) & {"commit", "two", "release", "outside", "may", "queue", "noted"} else (("change", how.get("change", "7")),)
        if key not in results:
            results[key] = _check(tally, binary, scenario, path, token, dict(key))
        result = results[key]
        verdicts = [result.verdicts().get(code) for code in codes]
        got = all_of(verdicts)
        proven = expected == "unknown" and got == "fail" and any(
            result.control(code).get("verdict") == "fail" and result.control(code).get("observed") for code in codes
        )
        detail = "; ".join(f"{code} {result.control(code).get('verdict')}: {result.control(code).get('summary')}" for code in codes)
        if proven:
            print(f"     stricter: {name}: fail, proven by {detail}")
        tally.check(f"{name}: {expected}", agrees(expected, got, "part" in how) or proven, f"got {got}: {detail or result.story()} [{result.story() if not result.decision else ''}]")


def _with_outside_administrator(platform):
    """The sentence is about the organisation: the repository where it matters, and a commit of it."""
    insiders = {member["login"] for organization in platform["organizations"] for member in organization["members"]}
    for repository in platform["repositories"]:
        if any(person["login"] not in insiders and person.get("permission", person.get("role")) == "admin" for person in repository.get("collaborators", [])):
            return repository["full_name"], repository["branches"][0]["sha"]
    raise ValueError("nobody from outside administers any repository of this scenario")


def _check(tally, binary, scenario, path, token, how):
    github = "github" in scenario
    platform = scenario["github" if github else "gitlab"]
    secret = forge.secrets(scenario)[token]
    place = platform["repositories"][0]["full_name"] if github else platform["projects"][0]["path_with_namespace"]
    if "outside" in how:
        place, commit = _with_outside_administrator(platform)
        how = how | {"commit": commit}
    policy = "soc2-all"
    if "two" in how:
        policy = forge.WORK / "two-approvals.yml"
        policy.write_text(TWO_APPROVALS)
    if "release" in how:
        policy = forge.WORK / "releases.yml"
        policy.write_text(RELEASES)
    if "noted" in how:
        policy = forge.WORK / "approval-noted.yml"
        policy.write_text(APPROVAL_NOTED)
    arguments = ["--platform", "github" if github else "gitlab", "--repo", place, "--policy", policy]
    def sha(alias):
        return hashlib.sha1(f"forge:{place}:{alias}".encode()).hexdigest()

    if "queue" in how:
        entry = platform["repositories"][0]["merge_queue"]["entries"][0]
        how = {"commit": entry["head_sha"]}
    if "commit" in how:
        arguments += ["--ref", "main", "--head", sha(how["commit"])]
    elif "may" in how:
        # The scenarios begin with one commit of April.
        arguments += ["--ref", "main", "--since", sha("m0")]
    else:
        arguments += ["--change", how.get("change", "7")]
    # A commit that no change claims is looked up in the log of pushes: one more.
    # What came onto the branch is known in the second round, the changes it came through in the third.
    # GitLab is asked behind everything else whether the change stood still. On GitHub the
    # tickets that a change names are read back behind everything else.
    named = policy == "soc2-all" or "noted" in how
    waves = 4 if "may" in how else 3 if "commit" in how or named or not github else 2

    def judged(latency_ms):
        with forge.Forge(path, latency_ms=latency_ms) as double:
            variables = double.github() if github else double.gitlab()
            if token != "job":
                variables |= {"CCGATE_TOKEN": secret, "CCGATE_SETTINGS_TOKEN": secret}
            else:
                variables |= {"GITHUB_TOKEN" if github else "CI_JOB_TOKEN": secret}
            return forge.check(binary, variables, *arguments), double.stats()

    result, stats = forge.in_waves(waves, judged)
    run_name = "since m0" if "may" in how else " ".join(f"{key}={value}" for key, value in how.items())
    label = f"{path.stem} / {token} / {run_name}"
    print(f"{path.stem:36} {token:12} {run_name:10} {stats['requests']:>8} {stats['sequential_depth']:>5}", flush=True)
    rulesets = 0
    if github:
        rulesets = sum(len(owner.get("rulesets", [])) for owner in platform["repositories"][:1] + platform.get("organizations", []))
        rulesets += len((platform.get("enterprise") or {}).get("rulesets", []))
    most = 50 if not github else 17 if token == "job" else 47 + rulesets
    # What came onto the branch: its commits, its log, who went around its rules and who asked to, the changes; of one
    # commit less.
    most += 5 if "may" in how else 3 if "commit" in how else 0
    spent = f"{stats['requests']} requests: {json.dumps(stats['by_endpoint'])}"
    tally.check(f"{label}: at least one request", stats["requests"] > 0, result.story())
    tally.check(f"{label}: at most {most} requests", stats["requests"] <= most, spent)
    tally.check(f"{label}: at most {waves} waves", stats["sequential_depth"] <= waves, f"{stats['sequential_depth']} waves; {spent}")
    odd = forge.unexpected(stats["unmodelled"])
    tally.check(f"{label}: asks for nothing unknown to the double but what only the platforms have", not odd, str(odd))
    tally.check(f"{label}: no token in an address", stats["tokens_in_urls"] == 0)
    tally.check(f"{label}: a decision is printed", result.decision is not None, result.story())
    tally.check(f"{label}: no token in any output", secret not in result.out + result.err)
    return result
