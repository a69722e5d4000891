"""Own scenarios, run directly: a blocked, an allowed, an overridden and a pending change on each platform."""
import subprocess

from . import forge

# change -> (what it is, exit codes, decisions); the pending one is held by the platform's own rules (0) or not (4).
CASES = {
    1: ("blocked", {1}, {"block"}),
    2: ("allowed", {0}, {"allow"}),
    3: ("overridden", {0}, {"allow"}),
    4: ("pending", {0, 4}, {"pending"}),
}


def run(tally, binary, _double):
    for platform in ("github", "gitlab"):
        for change, (word, codes, decisions) in CASES.items():
            _case(tally, binary, platform, change, f"{platform} {word}", codes, decisions)


def variables(double, platform, secrets):
    if platform == "github":
        return double.github() | {"GITHUB_TOKEN": secrets["job"], "CCGATE_SETTINGS_TOKEN": secrets["settings"]}
    return double.gitlab() | {"CI_JOB_TOKEN": secrets["job"], "CCGATE_SETTINGS_TOKEN": secrets["settings"]}


def _case(tally, binary, platform, change, name, codes, decisions):
    scenario = forge.load(forge.SCENARIOS / f"{platform}.json")
    # GitLab is asked once more where the change stands, behind everything else.
    waves = (3 if platform == "gitlab" else 2) + (1 if change == 3 else 0)

    def judged(latency_ms):
        with forge.Forge(scenario, latency_ms=latency_ms) as double:
            given = variables(double, platform, forge.secrets(scenario))
            result = forge.check(binary, given, "--platform", platform, "--repo", "orchard/fees", "--change", change,
                                 "--ledger", "dir:ledger", "--output", "sarif=out.sarif", "--output", "markdown=out.md",
                                 "--output", "human=out.txt")
            return result, double.stats()

    result, stats = forge.in_waves(waves, judged)
    tally.check(f"{name}: exit code in {sorted(codes)}", result.code in codes, result.story())
    decision = result.decision or {}
    if not tally.check(f"{name}: decides {'/'.join(decisions)}", decision.get("decision") in decisions,
                       str([(c["code"], c["verdict"], c["summary"]) for c in decision.get("controls", [])])):
        return
    if change == 4:
        tally.check(f"{name}: 0 only where the platform holds the merge", (result.code == 0) == decision["held_by_platform"])
    tally.check(f"{name}: nothing unmodelled", not forge.unexpected(stats["unmodelled"]), str(stats["unmodelled"]))
    tally.check(f"{name}: at most {waves} waves", stats["sequential_depth"] <= waves, str(stats["sequential_depth"]))
    tally.check(f"{name}: files are written", all((result.folder / f).is_file() for f in ("out.sarif", "out.md", "out.txt")))
    verify = subprocess.run([binary, "ledger", "verify", "dir:ledger"], cwd=result.folder, capture_output=True, text=True, timeout=30)
    tally.check(f"{name}: the ledger holds together", verify.returncode == 0, verify.stdout + verify.stderr)
    chg04 = result.control("CHG-04")
    if change == 1:
        tally.check(f"{name}: CHG-04 fails and names the co-author", chg04.get("verdict") == "fail" and "chen" in str(chg04), str(chg04))
        tally.check(f"{name}: says what to do next", bool(chg04.get("next")), str(chg04))
    if change == 3:
        _overridden(tally, result, name, chg04)


def _overridden(tally, result, name, chg04):
    accepted = [o for o in result.decision["overrides"] if o["state"] == "accepted"]
    tally.check(f"{name}: one override is accepted, by @dora for INC-7",
                [(o["by"], o["ticket"], o["code"]) for o in accepted] == [("dora", "INC-7", "CHG-04")], str(result.decision["overrides"]))
    tally.check(f"{name}: the control still fails, and is overridden", (chg04.get("verdict"), chg04.get("disposition")) == ("fail", "overridden"), str(chg04))
    records = forge.ledger_payloads(result.folder / "ledger")
    telling = [text for text in records if all(word in text for word in ("dora", "INC-7", "charged twice"))]
    tally.check(f"{name}: the ledger names who, which ticket and why", bool(telling), str(records)[:800])
    tally.check(f"{name}: the human text says so", "overrid" in (result.folder / "out.txt").read_text().lower())
