"""Alerts of the platform's own scans: off, never looked, no permission, clean and overdue are five answers."""
import datetime
import json

from . import forge, own

RIGHTS = ("security_events", "vulnerability_alerts", "secret_scanning_alerts")


def _ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _watched(code=(), secrets=()):
    """A repository whose services are on and have looked."""
    return {
        "code_scanning": {"state": "on", "alerts": list(code), "default_setup": {"state": "configured"},
                          "analyses": [{"commit_sha": "a" * 40, "ref": "refs/heads/main", "created_at": _ago(1)}]},
        "dependabot": {"alerts": []},
        "secret_scanning": {"state": "on", "alerts": list(secrets)},
        "security_and_analysis": {"secret_scanning": True, "secret_scanning_push_protection": True},
    }


def _cases():
    late = {"rule": "js/sql-injection", "security_severity_level": "high", "created_at": _ago(40)}
    young = {**late, "created_at": _ago(3)}
    bypass = {"secret_type": "some_token", "created_at": _ago(2), "push_protection_bypassed": True,
              "push_protection_bypassed_by": "chen", "push_protection_bypassed_at": _ago(40)}
    never = _watched() | {"code_scanning": {"state": "no_analysis"}}
    off = {"code_scanning": {"state": "off"}, "dependabot": {"state": "off"}, "secret_scanning": {"state": "off"}}
    elsewhere = _watched()
    elsewhere["code_scanning"]["analyses"][0]["ref"] = "refs/heads/other"
    # What it is, the repository, and of SCAN-13, SCAN-04 and SCAN-16 the verdict and a word of what is said.
    return [
        ("clean", _watched(), ("pass", "no alert"), ("pass", "refused"), ("pass", "default set-up")),
        ("young", _watched([young]), ("pass", "no alert"), ("pass", ""), ("pass", "")),
        ("overdue", _watched([late], [bypass]), ("fail", "js/sql-injection"), ("fail", "chen"), ("pass", "")),
        ("off", off, ("fail", "is off"), ("fail", "not refused"), ("fail", "")),
        ("never looked", never, ("unknown", "has not looked yet"), ("pass", ""), ("fail", "")),
        ("another branch", elsewhere, ("unknown", "has not looked yet"), ("pass", ""), ("pass", "")),
    ]


def run(tally, binary, _double):
    for name, repository, *expected in _cases():
        _case(tally, binary, name, repository, True, expected)
    nothing = ("unknown", "not_permitted"), ("unknown", ""), ("pass", "")
    _case(tally, binary, "no permission", _watched(), False, nothing)


def _case(tally, binary, name, repository, allowed, expected):
    scenario = forge.load(forge.SCENARIOS / "github.json")
    scenario["github"]["repositories"][0].update(repository)
    for token in scenario["github"]["tokens"].values():
        if token["name"] == "settings" and allowed:
            token["permissions"].update({right: "read" for right in RIGHTS})
    with forge.Forge(scenario) as double:
        given = own.variables(double, "github", forge.secrets(scenario))
        result = forge.check(binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--policy", "soc2-all")
        stats = double.stats()
    if not tally.check(f"{name}: is judged", result.decision is not None, result.story()):
        return
    for code, (verdict, words) in zip(("SCAN-13", "SCAN-04", "SCAN-16"), expected, strict=True):
        control = result.control(code)
        told = control.get("verdict") == verdict and words in json.dumps(control)
        tally.check(f"{name}: {code} is {verdict}", told, str(control))
    tally.check(f"{name}: nothing unmodelled", not forge.unexpected(stats["unmodelled"]), str(stats["unmodelled"]))
    tally.check(f"{name}: no secret comes out", "redacted-by-forge" not in result.out, "")
