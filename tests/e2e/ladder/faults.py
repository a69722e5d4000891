"""The same change while the platform misbehaves: never allowed unless the verdicts are those without fault,
always with a clear text, never longer than the cap."""
import json
import time

from . import forge

FIRST = {"nth": {"to": 1}}
HTML = "<html>Bad Gateway</html>"

# name -> (platforms, faults)
FAULTS = {
    "one 502": ("both", [{"match": FIRST, "action": {"status": 502, "body": HTML}}]),
    "502 for ever": ("both", [{"match": {}, "action": {"status": 502, "body": HTML}}]),
    "429 with Retry-After": ("both", [{"match": FIRST, "action": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "slow down"}}}]),
    "429 for an hour": ("both", [{"match": {}, "action": {"status": 429, "headers": {"Retry-After": "3600"}, "body": {"message": "slow down"}}}]),
    "401": ("both", [{"match": {}, "action": {"status": 401, "body": {"message": "Bad credentials"}}}]),
    "cut-off bodies": ("both", [{"match": {}, "action": {"truncate_at": 40}}]),
    "invalid JSON": ("both", [{"match": {}, "action": {"invalid_json": True}}]),
    "wrong shape": ("both", [{"match": {}, "action": {"status": 200, "body": {"surprise": [1, 2]}}}]),
    "an empty object": ("both", [{"match": {}, "action": {"status": 200, "body": {}}}]),
    "a list where an object belongs": ("both", [{"match": {}, "action": {"status": 200, "body": []}}]),
    "a login page": ("both", [{"match": {}, "action": {"status": 200, "body": "<html>sign in</html>"}}]),
    "dropped connections": ("both", [{"match": {}, "action": {"drop": "before"}}]),
    "redirect to another host": ("both", [{"match": {}, "action": {"redirect": "http://127.0.0.2:9/steal"}}]),
    "pages that repeat": ("both", [{"match": {}, "action": {"repeat_page": True}}]),
    "bypass actors hidden": ("github", [{"match": {"path": "/rulesets/"}, "action": {"patch": {"bypass_actors": "__delete__"}}}]),
    "an unknown enforcement": ("github", [{"match": {"path": "/rulesets/"}, "action": {"patch": {"enforcement": "perhaps"}}}]),
    "reviews hidden": ("github", [{"match": {"graphql_field": "^(reviews|latestOpinionatedReviews)$"}, "action": {"patch": {"data.repository.pullRequest.reviews": None, "data.repository.pullRequest.latestOpinionatedReviews": None}}}]),
    "an unknown mergeable state": ("github", [{"match": {"graphql_field": "^pullRequest$"}, "action": {"patch": {"data.repository.pullRequest.state": "TELEPORTED"}}}]),
    "approvals hidden": ("gitlab", [{"match": {"path": "/approvals$"}, "action": {"patch": {"approved_by": "__delete__"}}}]),
    "merge request state unknown": ("gitlab", [{"match": {"path": "/merge_requests/2$"}, "action": {"patch": {"state": "teleported"}}}]),
}
# After these the very same verdicts are expected: they go by.
PASSING = {"one 502", "429 with Retry-After"}
CAP_S = 20
# Every fault must matter, so what the baseline only warns about blocks here.
POLICY = """version: 1
extends: [soc2-baseline]
controls:
  administrators-bound: {enforce: block}
  bypass-limited: {enforce: block}
"""


def run(tally, binary, _double):
    for platform in ("github", "gitlab"):
        scenario = forge.load(forge.SCENARIOS / f"{platform}.json")
        calm = _check(binary, platform, scenario, None)[0]
        tally.check(f"{platform} without fault: allowed", calm.code == 0, calm.story())
        for name, (where, faults) in FAULTS.items():
            if where in ("both", platform):
                _fault(tally, binary, platform, scenario, calm, name, faults)


def _check(binary, platform, scenario, faults):
    secrets = forge.secrets(scenario)
    policy = forge.WORK / "faults-policy.yml"
    policy.write_text(POLICY)
    with forge.Forge(scenario, faults) as double:
        given = double.github() if platform == "github" else double.gitlab()
        given |= {"CCGATE_TOKEN": secrets["settings"], "CCGATE_SETTINGS_TOKEN": secrets["settings"]}
        start = time.monotonic()
        result = forge.check(binary, given, "--platform", platform, "--repo", "orchard/fees", "--change", "2", "--policy", policy,
                             "--ledger", "dir:ledger", "--timeout", CAP_S)
        took = time.monotonic() - start
        requests = double.requests()
    return result, took, requests, secrets["settings"]


def _fault(tally, binary, platform, scenario, calm, fault, faults):
    result, took, requests, secret = _check(binary, platform, scenario, faults)
    name = f"{platform}, {fault}"
    hit = [r for r in requests if r.get("fault")]
    if not hit and fault not in ("dropped connections",):
        print(f"     not met: {name}: no request matched")
        return
    same = result.verdicts() == calm.verdicts() and result.verdicts() != {}
    print(f"     {name}: exit {result.code} after {took:.1f} s, {len(requests)} requests, {len(hit)} hit")
    tally.check(f"{name}: opens only with the verdicts of a calm run", result.code != 0 or same, result.story())
    lost = [c for c, v in result.verdicts().items() if v in ("pass", "not_applicable") and calm.verdicts().get(c) not in (v, None)]
    tally.check(f"{name}: nothing turned into pass or not applicable", not lost, str(lost))
    tally.check(f"{name}: an expected exit code", result.code in (0, 1, 2, 3, 4), result.story())
    tally.check(f"{name}: within the cap", took < CAP_S + 5, f"{took:.1f} s")
    tally.check(f"{name}: a text that says something", len((result.err + result.out).strip()) > 40 and "panicked" not in result.err, result.story())
    tally.check(f"{name}: no token in any output", secret not in result.out + result.err)
    if fault in PASSING:
        tally.check(f"{name}: goes by", result.code == 0 and same, result.story())
    if result.decision and result.code == 3:
        unknown = [u for c in result.decision["controls"] for u in c["unknown"]]
        tally.check(f"{name}: says what could not be seen", bool(unknown or result.decision.get("problem")), json.dumps(result.decision)[:600])
