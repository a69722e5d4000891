"""action.yml on a runner: act on the host, a workflow that uses the action by commit, the double as the platform."""
import hashlib
import json
import re
import shutil
import subprocess

from . import forge, tools

CASES = {1: "blocked", 2: "allowed", 3: "overridden"}
HEADS = {1: "paired1", 2: "clean1", 3: "urgent1"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def run(tally, binary, _double):
    act = tools.python(tally, "act")
    if act is None:
        return
    action = forge.WORK / "action"
    tools.repository(action, {name: (forge.ROOT / name).read_text() for name in ("action.yml", "dist/checksums.txt")}, "https://github.com/orchard/ccgate")
    scenario = forge.load(forge.SCENARIOS / "github.json")
    for change, word in CASES.items():
        outcome = _job(act, action, binary, scenario, change)
        _judge(tally, change, f"action, {word}", outcome)
    _refusals(tally, act, action, binary, scenario)
    _crash(tally, act, action, binary, scenario)
    _scans(tally, act, action, binary, scenario)


def _job(act, action, binary, scenario, change, edit=lambda text: text):
    secrets = forge.secrets(scenario)
    folder = forge.WORK / f"act-{change}"
    outputs = forge.WORK / f"act-{change}.outputs"
    outputs.unlink(missing_ok=True)
    workflow = (forge.FIXTURES / "workflow.yml").read_text()
    for mark, value in (("ACTION_COMMIT", COMMIT), ("BINARY", binary), ("OUTPUTS_FILE", outputs)):
        workflow = workflow.replace(mark, str(value))
    tools.repository(folder, {".github/workflows/gate.yml": edit(workflow)}, "https://github.com/orchard/fees")
    head = hashlib.sha1(f"forge:orchard/fees:{HEADS[change]}".encode()).hexdigest()
    event = {"action": "synchronize", "number": change, "repository": {"full_name": "orchard/fees", "default_branch": "main"},
             "pull_request": {"number": change, "head": {"sha": head, "ref": HEADS[change][:-1]}, "base": {"ref": "main"}}}
    event_file = forge.WORK / f"act-{change}.event.json"
    event_file.write_text(json.dumps(event))
    with forge.Forge(scenario) as double:
        command = [act, "pull_request", "-e", event_file, "-P", "ubuntu-24.04=-self-hosted", "--no-cache-server",
                   "--local-repository", f"orchard/ccgate@{COMMIT}={action}", "-s", f"GITHUB_TOKEN={secrets['job']}",
                   "-s", f"SETTINGS_TOKEN={secrets['settings']}"]
        for name, value in double.github().items():
            command += ["--env", f"{name}={value}"]
        done = subprocess.run(list(map(str, command)), cwd=folder, env=tools.environment(), capture_output=True, text=True, timeout=180)
        used = double.stats()["requests"]
    lines = outputs.read_text().splitlines() if outputs.is_file() else []
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    log = done.stdout + done.stderr
    # act prints a step's summary behind this word, up to its next own line.
    summary = "".join(re.findall(r"Summary - (.*?)(?=^\[gate/gate\])", log, re.S | re.M))
    return {"code": done.returncode, "log": log, "outputs": pairs, "summary": summary, "requests": used, "secrets": secrets}


def _judge(tally, change, name, got):
    outputs, end = got["outputs"], got["log"][-3000:]
    blocked = change == 1
    tally.check(f"{name}: the job {'fails' if blocked else 'passes'}", (got["code"] != 0) == blocked, end)
    if not tally.check(f"{name}: later steps see the outputs", bool(outputs), end):
        return
    tally.check(f"{name}: result", outputs["result"] == ("block" if blocked else "allow"), str(outputs))
    tally.check(f"{name}: exit-code", outputs["exit-code"] == ("1" if blocked else "0"), str(outputs))
    tally.check(f"{name}: evidence-digest", outputs["digest"].startswith("sha256:"), str(outputs))
    tally.check(f"{name}: failed-controls {'without' if change == 2 else 'with'} CHG-04", ("CHG-04" in outputs["failed"]) == (change != 2), str(outputs))
    tally.check(f"{name}: overrides {'name CHG-04' if change == 3 else 'are empty'}", ("CHG-04" in outputs["overrides"]) == (change == 3), str(outputs))
    for key in ("report", "sarif"):
        tally.check(f"{name}: the path of the {key} is given", outputs[key].startswith("ccgate-report/"), str(outputs))
    tally.check(f"{name}: the job summary is written", "ccgate" in got["summary"], got["summary"][:300])
    if change == 3:
        tally.check(f"{name}: log and summary say so", "overrid" in got["log"].lower() and "overrid" in got["summary"].lower(), end)
    tally.check(f"{name}: it asked the double", got["requests"] > 0)
    tally.check(f"{name}: no token in the log", not any(secret in got["log"] for secret in got["secrets"].values()))


def _crash(tally, act, action, binary, scenario):
    ledger = forge.WORK / "crashed"
    got = _job(act, action, tools.killed(binary), scenario, 2, lambda text: text.replace("          settings-token:", f"          ledger: dir:{ledger}\n          settings-token:"))
    told = tools.recorded(binary, ledger)
    tally.check("action, a run that is killed: fails and leaves a record", got["code"] != 0 and "run-crashed" in told and "1 record" in told, told + got["log"][-2000:])
    tally.check("action, a run that is killed: result undecided", got["outputs"].get("result") == "undecided", str(got["outputs"]))


def _scans(tally, act, action, binary, scenario):
    """A report that semgrep wrote, left by an earlier step of the job."""
    folder = forge.scans()
    if folder is None:
        tally.missing("genuine scan reports", "set CCGATE_SCANS")
        return
    report = folder / "semgrep-1.182.0.sarif"

    def edit(text):
        earlier = f"    steps:\n      - run: mkdir -p reports && cp '{report}' reports/semgrep.sarif\n"
        given = text.replace("            scans/none here.sarif\n            scans/*.none\n", "            reports/*.sarif\n")
        return given.replace("    steps:\n", earlier)

    for most, blocked in ((0, True), (5, False)):
        policy = f"version: 1\ncontrols:\n  sast-clean: {{max: {{critical: 0, high: {most}}}}}\n"
        got = _job(act, action, binary, forge.with_policy(scenario, "github", policy), 2, edit)
        name = f"action, 5 high findings of semgrep where {most} may be"
        tally.check(f"{name}: the job {'fails' if blocked else 'passes'}", (got["code"] != 0) == blocked, got["log"][-3000:])
        tally.check(f"{name}: SCAN-01 is {'named' if blocked else 'not named'}", ("SCAN-01" in got["outputs"].get("failed", "")) == blocked, str(got["outputs"]))
        tally.check(f"{name}: nothing is unknown", not got["outputs"].get("unknown"), str(got["outputs"]))


def _refusals(tally, act, action, binary, scenario):
    """Inputs that are not built, and a missing program, close the gate and say why."""
    for what, wanted, change in (
        ("status", "not built in this version", lambda t: t.replace("          settings-token:", "          status: true\n          settings-token:")),
        ("comment", "not built in this version", lambda t: t.replace("          settings-token:", "          comment: always\n          settings-token:")),
        ("no binary", "checksums.txt", lambda t: t.replace(f"          binary: {binary}\n", "")),
        ("a binary that is not there", "names no executable file", lambda t: t.replace(f"binary: {binary}", "binary: ./nowhere")),
    ):
        got = _job(act, action, binary, scenario, 2, change)
        tally.check(f"action, {what}: fails and says why", got["code"] != 0 and wanted in got["log"], got["log"][-1500:])
        tally.check(f"action, {what}: result undecided, exit-code 2",
                    (got["outputs"].get("result"), got["outputs"].get("exit-code")) == ("undecided", "2"), str(got["outputs"]))
        tally.check(f"action, {what}: nothing was asked", got["requests"] == 0)
    shutil.rmtree(forge.WORK / "home", ignore_errors=True)
