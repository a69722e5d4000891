"""Genuine reports of scanners, whose counts are known: every file is read, and counted as its truth says.

The files are $CCGATE_SCANS, else ../shared/data/scans; they stay outside of the repository."""
import collections
import datetime
import hashlib
import json
import pathlib
import re
import subprocess
import tempfile

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
        for name in ("semgrep-1.182.0.sarif", "semgrep-1.182.0.gl-sast-report.json"):
            _policy(tally, binary, given, folder / name)


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


def _policy(tally, binary, given, path):
    """What a policy makes of single findings: accepted, expired, called mild, there before."""
    work = pathlib.Path(tempfile.mkdtemp(prefix="findings-", dir=forge.WORK))
    day = lambda days: (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")
    listed = subprocess.run([binary, "scan", "findings", "--format", "json", path], cwd=work, capture_output=True, text=True, timeout=30)
    bad = [f for f in json.loads(listed.stdout or "[]") if f["severity"] in ("critical", "high") and f.get("state", "open") == "open"]
    if not tally.check(f"{path.name}: findings are listed", listed.returncode == 0 and bool(bad), listed.stderr):
        return
    tool = bad[0]["tool"].split()[0].lower()

    def judged(what, verdict, words, entry="", rest=""):
        policy = work / (re.sub("[^a-z]+", "-", what) + ".yml")
        policy.write_text(f"version: 1\ncontrols: {{sast-clean: {{}}}}\nscans:\n  - {{tool: {tool}, path: \"{path}\"{entry}}}\n{rest}")
        result = forge.check(binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--policy", policy,
                             "--ledger", "dir:ledger")
        control = result.control("SCAN-01")
        tally.check(f"{path.name}, {what}: {verdict}", control.get("verdict") == verdict, f"{control} {result.story()}")
        told = json.dumps(result.decision)
        tally.check(f"{path.name}, {what}: says {words!r}", words in told, told[:2000])
        return result

    def accepting(expires):
        text = "accepted_findings:\n"
        for print_, count in collections.Counter(f["fingerprint"] for f in bad).items():
            text += (f"  - {{tool: {tool}, fingerprint: \"{print_}\", count: {count}, severity: critical, status: affected, reason: \"an example\", "
                     f"owner: \"@ana\", approved_by: \"@li\", ticket: SEC-1, expires: {expires}}}\n")
        return text

    judged("as reported", "fail", "0 allowed")
    accepted = judged("accepted", "pass", f"{len(bad)} accepted", rest=accepting(day(30)))
    states = {a["state"] for a in (accepted.decision or {}).get("accepted_findings", [])}
    tally.check(f"{path.name}, accepted: each one acts", states == {"applied"}, str(states))
    records = forge.ledger_payloads(accepted.folder / "ledger")
    tally.check(f"{path.name}, accepted: the ledger names who and which ticket",
                any("@li" in text and "SEC-1" in text for text in records), str(records)[:800])
    judged("accepted until yesterday", "fail", "expired on", rest=accepting(day(-1)))
    judged("accepted for good", "fail", "it does not count", rest=accepting(day(400)))
    rules = json.dumps({f["rule"]: "low" for f in bad})
    judged("called mild", "pass", "within the thresholds", entry=f", severity_map: {{rules: {rules}}}")
    baseline = work / "known.json"
    made = subprocess.run([binary, "scan", "baseline", "--out", baseline, path], cwd=work, capture_output=True, text=True, timeout=30)
    digest = "sha256:" + hashlib.sha256(baseline.read_bytes()).hexdigest()
    tally.check(f"{path.name}: a baseline is written with its digest", made.returncode == 0 and digest in made.stdout, made.stdout + made.stderr)
    stored = lambda digest, expires: f", new: {{none: 0}}, baseline: {{path: \"{baseline}\", digest: \"{digest}\", expires: {expires}}}"
    judged("there before", "pass", "within the thresholds", entry=stored(digest, day(1)))
    judged("another baseline", "fail", "another file than the policy means", entry=stored("sha256:" + "0" * 64, day(1)))
    judged("an expired baseline", "fail", "every finding counts as new", entry=stored(digest, day(-1)))


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
