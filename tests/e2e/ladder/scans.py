"""Genuine reports of scanners, whose counts are known: every file is read, and counted as its truth says.

The files are $CCGATE_SCANS, else ../shared/data/scans; they stay outside of the repository."""
import collections
import json

from . import forge, own

# The report's own words, as ccgate rates them. Without a rating a finding counts as high.
WORDS = {
    "critical": "critical", "high": "high", "error": "high", "failure": "high", "unrated": "high",
    "medium": "medium", "moderate": "medium", "warning": "medium", "low": "low", "note": "low", "info": "low",
}
# Reports without a finding: control, verdict, and a word of the summary or reason.
ZEROS = {
    "njsscan-1.0.2.failed-run.sarif": ("SCAN-01", "unknown", "ran and failed"),
    "pip-audit-2.10.1.no-advisory-data.json": ("SCAN-02", "unknown", "could not be looked up"),
    "gitleaks-8.30.1.clean.sarif": ("SCAN-03", "pass", "0 open findings"),
}


def run(tally, binary, _double):
    folder = forge.scans()
    if folder is None:
        tally.missing("genuine scan reports", "set CCGATE_SCANS")
        return
    truth = json.loads((folder / "TRUTH.json").read_text())
    scenario = forge.load(forge.SCENARIOS / "github.json")
    with forge.Forge(scenario) as double:
        given = own.variables(double, "github", forge.secrets(scenario))
        for name, expected in truth.items():
            _file(tally, binary, given, folder / name, expected)


def _file(tally, binary, given, path, expected):
    result = forge.check(binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--policy", "soc2-all",
                         "--scan", path, "--save-snapshot", "snapshot.json", "--ledger", "dir:ledger")
    snapshot = result.folder / "snapshot.json"
    if not tally.check(f"{path.name}: is judged", result.decision is not None and snapshot.is_file(), result.story()):
        return
    reports = _find(json.loads(snapshot.read_text()), "reports")
    runs = reports[0]["runs"].get("Ok") if reports else None
    if not tally.check(f"{path.name}: is read", runs is not None, str(reports)):
        return
    got = collections.Counter()
    for each in runs:
        for count in each["counts"]:
            got[count["severity"]] += count["open"] + count["suppressed"]
    tally.check(f"{path.name}: {expected['total']} findings by severity", got == _rated(expected), f"{got}, not {_rated(expected)}")
    tally.check(f"{path.name}: {expected['total']} findings", sum(got.values()) == expected["total"], str(got))
    if path.name in ZEROS:
        code, verdict, words = ZEROS[path.name]
        control = result.control(code)
        tally.check(f"{path.name}: {code} is {verdict}", control.get("verdict") == verdict and words in json.dumps(control), str(control))


def _rated(expected):
    rated = collections.Counter()
    if expected.get("security_severity"):
        for score, number in expected["security_severity"].items():
            rated[_band(float(score))] += number
    else:
        for word, number in expected["by_severity"].items():
            rated[WORDS[word.lower()]] += number
    return +rated


def _band(score):
    return "critical" if score >= 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"


def _find(value, key):
    """The list under a key, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get(key), list):
            return value[key]
        value = list(value.values())
    for each in value if isinstance(value, list) else []:
        found = _find(each, key)
        if found is not None:
            return found
    return None
