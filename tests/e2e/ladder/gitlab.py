"""The GitLab template in a merge request pipeline: gitlab-ci-local on the host, the double as the platform."""
import hashlib
import json
import shutil
import subprocess

from . import forge, tools

CASES = {1: "blocked", 2: "allowed", 3: "overridden"}
SEMGREP, TRIVY = "semgrep-1.182.0.gl-sast-report.json", "trivy-0.76.0.json"
HEADS = {1: "paired2", 2: "clean1", 3: "urgent2"}


def run(tally, binary, _double):
    runner = tools.node(tally, "gitlab-ci-local")
    if runner is None or tools.system(tally, "rsync") is None:
        return
    scenario = forge.load(forge.SCENARIOS / "gitlab.json")
    for change, word in CASES.items():
        got = _pipeline(runner, binary, scenario, change)
        _judge(tally, change, f"template, {word}", got)
    got = _pipeline(runner, binary, scenario, 1, lambda text: text.replace("FEES_TOKEN", "glpat-orchard-bot"))
    tally.check("template, a token instead of a name: refused", got["code"] != 0 and "name of a variable" in got["log"], got["log"][-1500:])
    got = _pipeline(runner, binary, scenario, 1, lambda text: text + "      mode: sometimes\n")
    tally.check("template, an unknown mode: refused", got["code"] != 0 and got["requests"] == 0, got["log"][-1500:])
    _crash(tally, runner, binary, scenario)
    _scans(tally, runner, binary, scenario)
    for rendered in ('a.sarif,b c/*.sarif', '["a.sarif", "b c/*.sarif"]', '["a.sarif","b c/*.sarif"]', 'a.sarif, b c/*.sarif'):
        seen = _arguments("--scan=", CCGATE_IN_SCAN_RESULTS=rendered)
        tally.check(f"template, list as {rendered}", seen == ["--scan=a.sarif", "--scan=b c/*.sarif"], str(seen))
    for rendered in ("", "[]", " "):
        seen = _arguments("--scan=", CCGATE_IN_SCAN_RESULTS=rendered)
        tally.check(f"template, empty list as {rendered!r}", seen == [], str(seen))
    for given, wanted in (("", []), ("a b.json", ["--settings=a b.json"])):
        seen = _arguments("--settings=", CCGATE_IN_SETTINGS=given)
        tally.check(f"template, settings file {given!r}", seen == wanted, str(seen))
    for given, wanted in (("", []), ("a b.csv", ["--tickets=a b.csv"])):
        seen = _arguments("--tickets=", CCGATE_IN_TICKETS=given)
        tally.check(f"template, file of tickets {given!r}", seen == wanted, str(seen))


def _crash(tally, runner, binary, scenario):
    ledger = forge.WORK / "crashed"
    got = _pipeline(runner, tools.killed(binary), scenario, 2, lambda text: text + f"      ledger: dir:{ledger}\n")
    told = tools.recorded(binary, ledger)
    tally.check("template, a run that is killed: fails and leaves a record", got["code"] != 0 and "run-crashed" in told and "1 record" in told, told + got["log"][-2000:])


def _scans(tally, runner, binary, scenario):
    """Reports that semgrep and trivy wrote, as artifacts of an earlier job."""
    folder = forge.scans()
    if folder is None:
        tally.missing("genuine scan reports", "set CCGATE_SCANS")
        return

    scanned = json.loads((folder / TRIVY).read_text())["Metadata"]["Commit"]
    head = hashlib.sha1(f"forge:orchard/fees:{HEADS[2]}".encode()).hexdigest()

    def edit(text, commit=head):
        job = f"""scan:
  stage: test
  rules: [{{if: $CI_PIPELINE_SOURCE == "merge_request_event"}}]
  script:
    - mkdir -p reports
    - cp '{folder / SEMGREP}' reports/{SEMGREP}
    - sed 's/{scanned}/{commit}/' '{folder / TRIVY}' > reports/{TRIVY}
  artifacts: {{paths: [reports/]}}
"""
        return text.replace('["scans/none here.sarif", "scans/*.none"]', '["reports/semgrep*.json", "reports/trivy*.json"]') + job

    for most, verdicts in ((0, ("fail", "fail")), (99, ("pass", "pass"))):
        limits = f"{{max: {{critical: {most}, high: {most}}}}}"
        policy = f"version: 1\ncontrols:\n  sast-clean: {limits}\n  infrastructure-clean: {limits}\n"
        got = _pipeline(runner, binary, forge.with_policy(scenario, "gitlab", policy), 2, edit)
        told = {control["code"]: control["verdict"] for control in got["decision"].get("controls", [])}
        name = f"template, findings of semgrep and trivy where {most} may be"
        tally.check(f"{name}: SCAN-01 and SCAN-06 are {verdicts}", (told.get("SCAN-01"), told.get("SCAN-06")) == verdicts, str(told) + got["log"][-2000:])
        tally.check(f"{name}: the job {'fails' if most == 0 else 'passes'}", (got["code"] != 0) == (most == 0), got["log"][-2000:])
    # The genuine file names the commit that was scanned, which is not this one.
    got = _pipeline(runner, binary, forge.with_policy(scenario, "gitlab", policy), 2, lambda text: edit(text, scanned))
    told = {control["code"]: (control["verdict"], control.get("reason")) for control in got["decision"].get("controls", [])}
    tally.check("template, a scan of another commit: unknown", told.get("SCAN-06") == ("unknown", "stale") and got["code"] != 0, str(told))


def _pipeline(runner, binary, scenario, change, edit=lambda text: text):
    folder = forge.WORK / f"gitlab-{change}"
    pipeline = edit((forge.FIXTURES / "pipeline.yml").read_text().replace("BINARY", str(binary)))
    template = (forge.ROOT / ".gitlab-ci-template.yml").read_text()
    tools.repository(folder, {".gitlab-ci.yml": pipeline, ".gitlab-ci-template.yml": template}, "https://gitlab.example/orchard/fees.git")
    secrets = forge.secrets(scenario)
    head = hashlib.sha1(f"forge:orchard/fees:{HEADS[change]}".encode()).hexdigest()
    with forge.Forge(scenario) as double:
        variables = double.gitlab() | {
            "CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": change, "CI_COMMIT_SHA": head,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_PROJECT_PATH": "orchard/fees",
            "CI_JOB_TOKEN": secrets["job"], "FEES_TOKEN": secrets["settings"],
        }
        command = [runner, "--force-shell-executor", "--shell-isolation", "--ignore-predefined-vars", ",".join(v for v in variables if v.startswith("CI_"))]
        for name, value in variables.items():
            command += ["--variable", f"{name}={value}"]
        done = subprocess.run(list(map(str, command)), cwd=folder, env=tools.environment(), capture_output=True, text=True, timeout=180)
        used = double.stats()["requests"]
    reports = [p for p in folder.rglob("ccgate-report/ccgate.json")]
    decision = json.loads(reports[0].read_text()) if reports else {}
    return {"code": done.returncode, "log": done.stdout + done.stderr, "decision": decision, "requests": used, "secrets": secrets, "folder": folder}


def _judge(tally, change, name, got):
    end, blocked = got["log"][-3000:], change == 1
    # The printed result counts: the exit code alone is not to be trusted in every case.
    tally.check(f"{name}: the job {'fails' if blocked else 'passes'}", (got["code"] != 0) == blocked and ("FAIL" in got["log"]) == blocked, end)
    tally.check(f"{name}: decision", got["decision"].get("decision") == ("block" if blocked else "allow"), str(got["decision"])[:600] or end)
    tally.check(f"{name}: the SARIF report is kept", any(got["folder"].rglob("ccgate-report/ccgate.sarif")), end)
    tally.check(f"{name}: it asked the double", got["requests"] > 0, end)
    accepted = [o for o in got["decision"].get("overrides", []) if o["state"] == "accepted"]
    tally.check(f"{name}: {'one override' if change == 3 else 'no override'} accepted", len(accepted) == (1 if change == 3 else 0), str(accepted))
    if change == 3:
        tally.check(f"{name}: the log says so", "overrid" in got["log"].lower(), end)
    tally.check(f"{name}: no token in the log", not any(secret in got["log"] for secret in got["secrets"].values()))


def _arguments(option, **inputs):
    """What the template's own script makes of its inputs for one option, run with `sh` and a program that prints its arguments."""
    text = (forge.ROOT / ".gitlab-ci-template.yml").read_text()
    block = text.split("    - |\n", 1)[1].split("  artifacts:", 1)[0]
    script = "\n".join(line[6:] for line in block.splitlines())
    folder = forge.WORK / "list"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    program = folder / "program"
    program.write_text('#!/bin/sh\nfor a in "$@"; do printf "%s\\n" "$a"; done\n')
    program.chmod(0o755)
    given = {"CCGATE_IN_MODE": "", "CCGATE_IN_POLICY": "", "CCGATE_IN_LEDGER": "", "CCGATE_IN_TOKEN_VARIABLE": "NONE",
             "CCGATE_IN_SCAN_RESULTS": "", "CCGATE_IN_SETTINGS": "", "CCGATE_IN_TICKETS": "", "CCGATE_IN_BINARY": str(program)} | inputs
    done = subprocess.run(["sh", "-c", script], cwd=folder, env=tools.environment(**given), capture_output=True, text=True, timeout=20)
    return [line for line in done.stdout.splitlines() if line.startswith(option)] if done.returncode == 0 else done.stderr
