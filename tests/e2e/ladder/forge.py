"""Starts the double on loopback, and ccgate against it with a clean environment.

Nothing here judges: it gives exit code, decision, texts and the double's own count of requests."""
import base64
import dataclasses
import datetime
import json
import os
import pathlib
import re
import select
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = ROOT / "target"
COPY = TARGET / "forge"
WORK = TARGET / "e2e"
SCENARIOS = ROOT / "tests" / "e2e" / "scenarios"
# Long enough for the requests of one wave to overlap on a busy machine too, so that waves can be told apart.
LATENCY_MS = 250
FIXTURES = ROOT / "tests" / "e2e" / "fixtures"


def prepare(tally):
    """Copies the double under target/ and installs its packages; None if that is impossible."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    source = pathlib.Path(os.environ.get("CCGATE_FORGE") or ROOT.parent / "shared" / "forge")
    if source.is_dir():
        shutil.copytree(source, COPY, dirs_exist_ok=True, copy_function=_writable_copy, ignore=shutil.ignore_patterns("node_modules"))
        COPY.chmod(0o755)
        _let_users_be_asked_for(COPY / "gitlab-graphql.mjs")
    if not (COPY / "server.mjs").is_file():
        tally.missing("the double", f"not at {source}; set CCGATE_FORGE")
        return None
    if not (COPY / "node_modules" / "graphql").is_dir():
        command = ["npm", "install", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"]
        done = subprocess.run(command, cwd=COPY, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            tally.missing("the double's packages", done.stderr[-500:])
            return None
    return COPY


def _let_users_be_asked_for(module):
    """GitLab's GraphQL answers `users(ids:)`; the copy of a double that does not is taught it."""
    text = module.read_text()
    head = "type: 'Query', "
    if "users: (a)" not in text and head in text:
        users = "users: (a) => page([...ctx.gitlab.users.values()].filter((u) => (a.ids ?? []).includes(gid('User', u.id))), a, (u) => user(ctx, u.username)), "
        module.write_text(text.replace(head, head + users, 1))


def _writable_copy(source, target):
    shutil.copyfile(source, target)
    return target


class Forge:
    """A running double; a context manager that ends it by its own process."""

    def __init__(self, scenario, faults=None, latency_ms=0):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="forge-", dir=WORK))
        self.log = self.folder / "requests.jsonl"
        if isinstance(scenario, dict):
            path = self.folder / "scenario.json"
            path.write_text(json.dumps(scenario))
        else:
            path = scenario
        self.command = ["node", "server.mjs", "--scenario", str(path), "--log", str(self.log), "--latency-ms", str(latency_ms)]
        if faults:
            file = self.folder / "faults.json"
            file.write_text(json.dumps(faults))
            self.command += ["--faults", str(file)]

    def __enter__(self):
        errors = open(self.folder / "stderr.txt", "w")
        self.process = subprocess.Popen(self.command, cwd=COPY, stdout=subprocess.PIPE, stderr=errors, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.__exit__()
            raise RuntimeError("the double did not start: " + (self.folder / "stderr.txt").read_text()[-800:])
        self.urls = json.loads(line)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def github(self):
        api = self.urls["github_api"]
        return {"GITHUB_API_URL": api, "GITHUB_GRAPHQL_URL": self.urls["github_graphql"], "GITHUB_SERVER_URL": api.split("/api/")[0]}

    def gitlab(self):
        api = self.urls["gitlab_api"]
        return {"CI_API_V4_URL": api, "CI_SERVER_URL": api.split("/api/")[0]}

    def stats(self):
        """The double's own sums over its log."""
        done = subprocess.run(["node", "stats.mjs", str(self.log), "--json"], cwd=COPY, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout)

    def requests(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line]


@dataclasses.dataclass
class Result:
    code: int
    decision: dict | None
    out: str
    err: str
    folder: pathlib.Path

    def verdicts(self):
        return {c["code"]: c["verdict"] for c in (self.decision or {}).get("controls", [])}

    def control(self, code):
        return next((c for c in (self.decision or {}).get("controls", []) if c["code"] == code), {})

    def story(self):
        return f"exit {self.code}: {(self.err or self.out).strip()[-1200:]}"


def check(binary, variables, *arguments, timeout=90):
    """`ccgate check` with JSON on stdout, in an empty folder and with these variables only."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="check-", dir=WORK))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    command = [str(binary), "check", "--format", "json", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout)
    try:
        decision = json.loads(done.stdout)
    except ValueError:
        decision = None
    return Result(done.returncode, decision, done.stdout, done.stderr, folder)


def in_waves(most, run):
    """What `run(latency_ms)` returns; the double's sums come last in it. A slow machine can pull the requests of one
    wave apart, never together: more waves than expected are counted again with answers that take longer."""
    for latency_ms in (LATENCY_MS, 6 * LATENCY_MS):
        outcome = run(latency_ms)
        if outcome[-1]["sequential_depth"] <= most:
            break
    return outcome


def load(path):
    """A scenario. `@-26h` stands for a moment that long before now, so that nothing in it gets old."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)

    def moment(match):
        unit = {"d": "days", "h": "hours", "m": "minutes"}[match[2]]
        at = now - datetime.timedelta(**{unit: int(match[1])})
        return at.strftime('"%Y-%m-%dT%H:%M:%SZ"')

    return json.loads(re.sub(r'"@-(\d+)([dhm])"', moment, pathlib.Path(path).read_text()))


def with_policy(scenario, platform, policy):
    """The scenario with another policy on the target branch."""
    scenario = json.loads(json.dumps(scenario))
    place = scenario[platform]["repositories" if platform == "github" else "projects"][0]
    place["files"][".ccgate.yml"] = policy
    return scenario


def scans():
    """The folder of genuine scan reports, None where there is none."""
    folder = pathlib.Path(os.environ.get("CCGATE_SCANS") or ROOT.parent / "shared" / "data" / "scans")
    return folder if (folder / "TRUTH.json").is_file() else None


# What the platforms have and the double does not model: it answers 501, and the facts are unknown.
ONLY_ON_THE_PLATFORMS = [
    r"/actions/runner-groups$", r"/code-security/configurations/defaults$", r"/personal-access-tokens$", r"/bypass-requests/push-rules$",
    r"/actions/oidc/customization/sub$", r"/actions/organization-secrets$", r"/actions/secrets$", r"/environments/[^/]+/secrets$",
    r"^Organization\.(domains|ipAllowListEnabledSetting|notificationDeliveryRestrictionEnabledSetting)$",
    r"/groups/[^ ]+/(access_tokens|billable_members|deploy_tokens|hooks|integrations|variables|runners)$",
    r"/projects/[^ ]+/(access_tokens|ci/lint|triggers|runners/\d+)$", r"^GitLab MergeRequest\.headPipeline$", r"^GitLab Commit\.signature$",
    r"/projects/[^ ]+/security_settings$", r"^GitLab Project\.(scanExecutionPolicies|securityScanners|vulnerabilities)$",
]


def unexpected(unmodelled):
    """What was asked for that is neither modelled nor known not to be."""
    return [what for what in unmodelled if not any(re.search(pattern, what) for pattern in ONLY_ON_THE_PLATFORMS)]


def secrets(scenario):
    """Token names of a scenario and their secrets."""
    platform = scenario.get("github") or scenario.get("gitlab")
    return {token["name"]: secret for secret, token in platform["tokens"].items()}


def ledger_payloads(folder):
    """The texts that the signed envelopes of a ledger carry."""
    texts = []
    for file in sorted((folder / "records").rglob("*.json")):
        _payloads(json.loads(file.read_text()), texts)
    return texts


def _payloads(value, texts):
    if isinstance(value, dict):
        if isinstance(value.get("payload"), str):
            texts.append(base64.b64decode(value["payload"]).decode())
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _payloads(part, texts)
