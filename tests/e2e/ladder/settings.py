"""The settings lane: settings written with a strong token, used with the job's own, compared, and what that costs."""
import json
import os
import pathlib
import re
import subprocess
import tempfile

from . import forge

# Scenario -> (platform, token that reads settings, repository, change).
LANES = {
    "github-compliant": ("github", "full-app", "acme/app", 7),
    "github-classic-only": ("github", "full-app", "acme/app", 7),
    "gitlab-compliant-premium": ("gitlab", "project-bot", "acme/app", 7),
}
# Fewer than these. "settings" stands for every control of settings; `soc2-all` asks for the platform's own scans and
# their alerts as well, which GitHub tells a repository at a time.
FEWER_PER_REPOSITORY = {"soc2-baseline": 12, "settings": 12, "soc2-all": 14}
OF_SETTINGS = ("ORG", "ACC", "BR", "PIPE", "DEP")
# What the same repository says by itself and among others may differ in these: where and when it was read.
HOW_IT_WAS_READ = {"api", "sources", "requests", "observed_at", "platform_time", "endpoint", "status", "at"}


def run(tally, binary, double):
    for name, lane in LANES.items():
        _lane(tally, binary, double / "scenarios" / f"{name}.json", *lane)
    _app(tally, binary, double / "scenarios" / "github-compliant.json")
    _organization(tally, binary, double / "scenarios" / "org-small.json")


def _ccgate(binary, variables, *arguments, folder=None):
    folder = folder or pathlib.Path(tempfile.mkdtemp(prefix="settings-", dir=forge.WORK))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run([str(binary), *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done, folder


def _lane(tally, binary, path, platform, token, repository, change):
    scenario = json.loads(path.read_text())
    tokens = forge.secrets(scenario)
    place = ["--platform", platform, "--repo", repository, "--policy", "soc2-all"]

    def strong_token(double):
        base = double.github() if platform == "github" else double.gitlab()
        return base | {"CCGATE_TOKEN": tokens[token], "CCGATE_SETTINGS_TOKEN": tokens[token]}

    def read(latency_ms):
        with forge.Forge(path, latency_ms=latency_ms) as double:
            return *_ccgate(binary, strong_token(double), "snapshot", "--settings", "--out", "s.json", *place), double.stats()

    waves = forge.in_waves(2, read)[-1]["sequential_depth"]
    # The file says which server it is about: it is written anew for this one.
    with forge.Forge(path) as double:
        strong = strong_token(double)
        written, folder = _ccgate(binary, strong, "snapshot", "--settings", "--out", "s.json", *place)
        base = double.github() if platform == "github" else double.gitlab()
        tally.check(f"{path.stem}: settings are written", written.returncode == 0, written.stdout + written.stderr)
        tally.check(f"{path.stem}: in at most 2 waves", waves <= 2, f"{waves} waves; {written.stdout}")
        print(f"{path.stem:36} {token:12} settings   {written.stdout.strip()[:160]}", flush=True)
        name = "GITHUB_TOKEN" if platform == "github" else "CI_JOB_TOKEN"
        job = base | {name: tokens["job"]} if "job" in tokens else strong
        weak = forge.check(binary, job, *place, "--change", change)
        used = forge.check(binary, job, *place, "--change", change, "--settings", folder / "s.json")
        live = forge.check(binary, strong, *place, "--change", change)
        other = forge.check(binary, job, *place[:2], "--repo", repository + "-other", *place[4:], "--change", change, "--settings", folder / "s.json")
    tally.check(f"{path.stem}: the file is used and recorded", used.decision and used.decision.get("settings", {}) and used.decision["settings"]["digest"].startswith("sha256:"), used.story())
    settings = [code for code in live.verdicts() if code.startswith(OF_SETTINGS)]
    wrong = {code: (live.verdicts()[code], used.verdicts().get(code)) for code in settings if live.verdicts()[code] != used.verdicts().get(code)}
    tally.check(f"{path.stem}: with the file the job's token comes to the verdicts of the strong one", not wrong, str(wrong))
    gained = [code for code in settings if weak.verdicts().get(code) == "unknown" != used.verdicts().get(code)]
    tally.check(f"{path.stem}: the file settles what the job's token could not", bool(gained) or "job" not in tokens, str(weak.verdicts()))
    foreign = [code for code in settings if other.verdicts().get(code) == "pass"]
    tally.check(f"{path.stem}: the file opens nothing for another repository", not foreign, str(foreign))
    _tampered(tally, binary, path, job, place, change, folder)
    same, _ = _ccgate(binary, {}, "snapshot", "diff", "s.json", "s.json", folder=folder)
    tally.check(f"{path.stem}: nothing changed against itself", same.returncode == 0 and "nothing changed" in same.stdout, same.stdout + same.stderr)


def _tampered(tally, binary, path, job, place, change, folder):
    text = (folder / "s.json").read_text()
    (folder / "t.json").write_text(text.replace('"platform"', '"platforn"', 0).replace("false", "true", 1))
    with forge.Forge(path) as double:
        base = double.github() if "github" in path.stem else double.gitlab()
        result = forge.check(binary, job | base, *place, "--change", change, "--settings", folder / "t.json")
    organization = [code for code, verdict in result.verdicts().items() if code.startswith("ORG") and verdict == "pass" and code != "ORG-18"]
    tally.check(f"{path.stem}: a file that somebody changed opens nothing", not organization and "digest does not fit" in result.out, f"{organization} {result.story()}")


def _app(tally, binary, path):
    """An App's key alone, made for this run."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="app-", dir=forge.WORK))
    made = subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(folder / "key")], capture_output=True, text=True)
    if not tally.check("an App's key can be made", made.returncode == 0, made.stderr):
        return
    with forge.Forge(path, latency_ms=forge.LATENCY_MS) as double:
        given = double.github() | {"CCGATE_APP_ID": "900001", "CCGATE_APP_PRIVATE_KEY": (folder / "key").read_text()}
        written, folder = _ccgate(binary, given, "snapshot", "--settings", "--platform", "github", "--repo", "acme/app", "--policy", "soc2-all", "--out", "s.json", folder=folder)
        asked = double.requests()
    tally.check("an App's key alone reads settings", written.returncode == 0, written.stdout + written.stderr)
    minted = [entry for entry in asked if entry["path"].endswith("/access_tokens")]
    tally.check("one token is made", len(minted) == 1, str(minted))
    text = written.stdout + written.stderr + (folder / "s.json").read_text()
    tally.check("neither key nor token in any output", "PRIVATE KEY" not in text and "ghs_full_app" not in text)


def _organization(tally, binary, path):
    """The settings of 25 repositories of one organisation."""
    scenario = json.loads(path.read_text())
    names = [repository["full_name"] for repository in scenario["github"]["repositories"]]
    token = forge.secrets(scenario)["full-app"]
    only_settings = _controls_of_settings()
    for policy, limit in FEWER_PER_REPOSITORY.items():
        snapshots, stats = _snapshots(tally, binary, path, token, names, only_settings if policy == "settings" else policy)
        count = stats["requests"] / len(names)
        print(f"org-small {policy}: {len(names)} repositories, {stats['requests']} requests, {count:.2f} each", flush=True)
        tally.check(f"org-small {policy}: every repository is in the file", sorted(snapshots) == sorted(names))
        tally.check(f"org-small {policy}: fewer than {limit} requests a repository", count < limit, f"{count:.2f}: {json.dumps(stats['by_endpoint'])}")
    _counts(tally, scenario, snapshots)
    _population(tally, binary, path, scenario, names)
    # One of each kind: with a ruleset and code owners, with a ruleset, open, public, with classic protection.
    for name in ("acme/app", "acme/svc-01", "acme/svc-02", "acme/svc-09", "acme/svc-10"):
        alone, _ = _snapshots(tally, binary, path, token, [name], "soc2-all")
        differences = list(_differences(alone[name], snapshots[name], ""))
        tally.check(f"org-small: {name} is seen among others as it is alone", not differences, "; ".join(differences)[:600])


def _controls_of_settings():
    """A policy with every control of settings."""
    table = (pathlib.Path(__file__).parents[3] / "docs" / "controls.md").read_text()
    ids = [name for code, name in re.findall(r"^\| \[(\w+-\d+)\]\(\S+\) \| `([\w-]+)` \|", table, re.MULTILINE) if code.startswith(OF_SETTINGS)]
    policy = forge.WORK / "settings.yml"
    policy.write_text("version: 1\ncontrols:\n" + "".join(f"  {name}: {{enforce: warn}}\n" for name in ids))
    return policy


def _snapshots(tally, binary, path, token, names, policy):
    with forge.Forge(path) as double:
        given = double.github() | {"CCGATE_TOKEN": token, "CCGATE_SETTINGS_TOKEN": token}
        repositories = [word for name in names for word in ("--repo", name)]
        written, folder = _ccgate(binary, given, "snapshot", "--settings", "--platform", "github", *repositories, "--policy", policy, "--out", "s.json")
        stats = double.stats()
    tally.check(f"org-small: settings of {len(names)} are written", written.returncode == 0, written.stdout + written.stderr)
    snapshots = json.loads((folder / "s.json").read_text())["snapshots"]
    return {snapshot["repository"]: snapshot for snapshot in snapshots}, stats


def _population(tally, binary, path, scenario, names):
    """Which repositories there are: all of them, or nothing for a token that cannot be certain."""
    tokens = forge.secrets(scenario)
    for token in ("full-app", "job"):
        with forge.Forge(path) as double:
            given = double.github() | {"CCGATE_TOKEN": tokens[token]}
            written, folder = _ccgate(binary, given, "snapshot", "--settings", "--platform", "github", "--owner", "acme", "--policy", "soc2-baseline", "--out", "s.json")
        if token == "full-app":
            found = [snapshot["repository"] for snapshot in json.loads((folder / "s.json").read_text())["snapshots"]]
            tally.check("org-small: every repository of the organisation is found", sorted(found) == sorted(names), written.stdout + written.stderr)
        else:
            unknown = written.returncode == 3 and not (folder / "s.json").exists() and "organization.repositories" in written.stderr
            tally.check("org-small: a workflow token cannot tell which repositories there are", unknown, f"{written.returncode} {written.stdout} {written.stderr}")


def _counts(tally, scenario, snapshots):
    """The numbers that the scenario says of the organisation, counted from what was read."""
    def required(snapshot, demand):
        return any(layer["value"].get("value") is True for branch in snapshot["branches"] for layer in branch[demand]["demands"])

    counted = {
        "repositories in scope": len(snapshots),
        "repositories whose main requires a pull request": sum(required(snapshot, "pull_request_required") for snapshot in snapshots.values()),
        "repositories with an unprotected main": sum(not required(snapshot, "protected") for snapshot in snapshots.values()),
    }
    said = scenario["expect"]["with token full-app"]
    for sentence, count in counted.items():
        tally.check(f"org-small: {sentence}: {said[sentence]}", count == said[sentence], str(count))


def _differences(alone, among, place):
    """Where the two differ, but for how they were read and for what was rightly not asked."""
    if isinstance(alone, dict) and isinstance(among, dict):
        if among.get("why") == "not_collected" and "identity token" in among.get("detail", ""):
            return
        for key in sorted((alone.keys() | among.keys()) - HOW_IT_WAS_READ):
            if key == "detail" and "does not model" in str(alone.get(key)):
                continue
            yield from _differences(alone.get(key), among.get(key), f"{place}/{key}")
    elif isinstance(alone, list) and isinstance(among, list) and len(alone) == len(among):
        for number, (one, other) in enumerate(zip(alone, among)):
            yield from _differences(one, other, f"{place}/{number}")
    elif alone != among:
        yield f"{place}: {alone} | {among}"
