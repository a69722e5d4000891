"""A ledger handed over: the pack verifies with what an auditor has, and every change of it is found by three verifiers."""
import contextlib
import datetime
import importlib.util
import io
import json
import os
import pathlib
import shutil
import subprocess
import types

from . import forge, own, stamps, tools

# Those at the end are signed. CCGATE_LEDGER_RECORDS=300 gives full tiles.
RECORDS, SIGNED = int(os.environ.get("CCGATE_LEDGER_RECORDS", "40")), 4
GO_PACKAGES = "/usr/share/gocode"
SWEEP = pathlib.Path(__file__).resolve().parent.parent / "sweep"


def run(tally, binary, _double):
    if tools.system(tally, "ssh-keygen") is None or tools.system(tally, "sha256sum") is None:
        return
    folder = forge.WORK / "ledger"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    ours = Ours(binary, folder)
    _records(tally, ours)
    stamped = stamps.run(tally, ours, RECORDS)
    done = ours.run("ledger", "export", "dir:ledger", "--out", "pack")
    if not tally.check("ledger export: writes a pack", done.returncode == 0 and (folder / "pack" / "MANIFEST.sha256").is_file(), done.stdout + done.stderr):
        return
    verifiers = _verifiers(tally, ours)
    _pack(tally, ours, verifiers)
    if stamped:
        stamps.pack(tally, ours)
        stamps.levels(tally, ours)
    counts = {name: [0, 0] for name in verifiers}
    for what, arguments in _mutations(folder):
        for name, verifier in verifiers.items():
            counts[name][0] += 1
            counts[name][1] += not verifier(**arguments)
            if counts[name][0] - counts[name][1]:
                tally.check(f"ledger, {name}: {what} is found", False)
                return
    for name, (made, found) in counts.items():
        print(f"     ledger of {RECORDS} records, {name}: {found} of {made} changes found", flush=True)
        tally.check(f"ledger, {name}: every change is found", made > 250 and made == found, f"{found} of {made}")
    _sweep(tally)


def _sweep(tally):
    """Every bit of a very small ledger, for all three, and a part of one with full tiles; `tests/e2e/sweep` alone does the whole."""
    program = forge.TARGET / "debug" / "examples" / "ledger-sweep"
    if not program.is_file():
        tally.missing("ledger-sweep", "`cargo build --example ledger-sweep` makes it")
        return
    for records, step, bits, disk in ((3, 1, 8, 1), (300, 12000, 1, 8)):
        command = [SWEEP, program, "--records", records, "--step", step, "--bits", bits, "--disk", disk]
        command = [str(word) for word in command]
        done = subprocess.run(command, env=tools.environment(), capture_output=True, text=True, timeout=900)
        print("".join(f"     {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
        tally.check(f"ledger sweep of {records} records: every change is found by each verifier", done.returncode == 0, done.stdout + done.stderr)


class Ours:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def run(self, *arguments, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        return subprocess.run([self.binary, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)


def snapshot(ours):
    """The facts of one change, saved beside the ledgers."""
    scenario = forge.load(forge.SCENARIOS / "github.json")
    with forge.Forge(scenario) as double:
        given = own.variables(double, "github", forge.secrets(scenario))
        result = forge.check(ours.binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--save-snapshot", "snapshot.json")
    return json.loads((result.folder / "snapshot.json").read_text())


def seen_at(ours, facts, moment):
    """The same facts as if they had been read at another moment: another record."""
    facts["observed_at"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    if facts["platform_time"]["state"] == "known":
        facts["platform_time"]["value"] = facts["observed_at"]
    (ours.folder / "snapshot.json").write_text(json.dumps(facts))


def key(ours):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", "key"], cwd=ours.folder, check=True)
    return (ours.folder / "key").read_text()


def _records(tally, ours):
    """One saved snapshot, decided at as many moments as there shall be records."""
    facts, secret = snapshot(ours), key(ours)
    # The last one a day ago: a record later than its time-stamp would be found.
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=29 * RECORDS)
    for number in range(RECORDS):
        seen_at(ours, facts, begin + datetime.timedelta(hours=29 * number))
        signed = {"CCGATE_LEDGER_KEY": secret} if number >= RECORDS - SIGNED else {}
        ours.run("check", "--snapshot", "snapshot.json", "--ledger", "dir:ledger", **signed)
    (ours.folder / "signers").write_text((ours.folder / "ledger" / "keys" / "allowed_signers").read_text())
    shown = ours.run("ledger", "show", "dir:ledger").stdout
    tally.check(f"ledger: {RECORDS} records were made", f"{RECORDS} records" in shown, shown[-300:])


def _verifiers(tally, ours):
    """Name and a function that says whether it accepts `pack/ledger`."""
    folder, ledger = ours.folder, ours.folder / "pack" / "ledger"

    def own_verifier(trusted=None):
        more = ["--trusted-checkpoint", trusted] if trusted else []
        return ours.run("ledger", "verify", f"dir:{ledger}", "--allowed-signers", "signers", *more).returncode == 0

    spec = importlib.util.spec_from_file_location("verify", folder / "pack" / "verify.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def python(trusted=None):
        options = types.SimpleNamespace(ledger=str(ledger), allowed_signers=str(folder / "signers"), trusted=trusted and str(folder / trusted))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                script.verify(options)
        except (script.Broken, ValueError, KeyError, TypeError, AttributeError, OSError):
            return False
        return True

    found = {"ccgate": own_verifier, "verify.py": python}
    if tools.system(tally, "go") is None or not pathlib.Path(GO_PACKAGES, "src/golang.org/x/mod").is_dir():
        tally.missing("x/mod of Go", f"not below {GO_PACKAGES}")
        return found
    environment = tools.environment(GO111MODULE="off", GOPATH=GO_PACKAGES, GOFLAGS="", GOCACHE=str(forge.WORK / "go-cache"))
    built = subprocess.run(["go", "build", "-o", folder / "verify-go", folder / "pack" / "verify.go"], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    if not tally.check("ledger, verify.go: is built", built.returncode == 0, built.stderr):
        return found

    def go(trusted=None):
        more = ["-trusted", folder / trusted] if trusted else []
        return subprocess.run([folder / "verify-go", "-allowed-signers", folder / "signers", *more, ledger], capture_output=True, timeout=60).returncode == 0

    return found | {"verify.go": go}


def _pack(tally, ours, verifiers):
    pack = ours.folder / "pack"
    done = subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST.sha256"], cwd=pack, capture_output=True, text=True)
    tally.check("ledger pack: sha256sum accepts it", done.returncode == 0, done.stdout + done.stderr)
    expected = (pack / "expected.txt").read_text()
    commands = {"verify.py": ["python3", "-B", "verify.py", "ledger"], "verify.go": [ours.folder / "verify-go", "ledger"]}
    for name, command in commands.items():
        if name in verifiers:
            done = subprocess.run(command, cwd=pack, capture_output=True, text=True, timeout=120)
            tally.check(f"ledger pack, {name}: prints what is expected", done.returncode == 0 and done.stdout == expected, done.stdout + done.stderr)
    origin = expected.split(":")[0]
    command = ["ssh-keygen", "-Y", "verify", "-f", "ledger/keys/allowed_signers", "-I", origin, "-n", "ccgate-ledger", "-s", f"ledger/anchors/{RECORDS}.sig"]
    with open(pack / "ledger" / "anchors" / f"{RECORDS}.note") as note:
        done = subprocess.run(command, cwd=pack, stdin=note, capture_output=True, text=True)
    tally.check("ledger pack: ssh-keygen accepts the checkpoint", done.returncode == 0, done.stdout + done.stderr)
    signers = ours.folder / "signers"
    line = signers.read_text()
    for name, verifier in verifiers.items():
        tally.check(f"ledger, {name}: accepts what nobody changed", verifier())
        for what, other in _lists_without_the_key(line, origin):
            signers.write_text(other)
            tally.check(f"ledger, {name}: the key is not allowed {what}", not verifier())
        signers.write_text(line.replace(origin, "elsewhere,ccgate/github/*"))
        tally.check(f"ledger, {name}: the key is allowed by a pattern", verifier())
        signers.write_text(line)


def _lists_without_the_key(line, origin):
    """Lists of signers in which the key stands and may not sign this ledger."""
    namespaces = 'namespaces="ccgate-ledger"'
    yield "in a comment", f"# gone: {line}"
    yield "for another ledger", line.replace(origin, f"{origin}2")
    yield "for another purpose", line.replace(namespaces, 'namespaces="ccgate-settings,git"')
    yield "after its time", line.replace(namespaces, 'namespaces="ccgate-ledger,git",valid-before="20200101"')
    yield "for certificates", line.replace(namespaces, f"cert-authority,{namespaces}")


def _mutations(folder):
    """Changes one thing of the pack's ledger at a time; it is as before after each."""
    ledger = folder / "pack" / "ledger"
    files = sorted(path for path in ledger.rglob("*") if path.is_file())
    records = [path for path in files if "records" in path.parts]
    # A token has parts that nobody signed; `stamps.py` changes it under its own rules.
    files = [path for path in files if path.suffix != ".tsr"]
    for path in [path for path in files if path not in records] + records[:: max(1, len(records) // 10)]:
        name, was = path.relative_to(ledger), path.read_bytes()
        step = max(1, len(was) // 5)
        for at in range(0, len(was), step):
            path.write_bytes(was[:at] + bytes([was[at] ^ 1 << at % 8]) + was[at + 1 :])
            yield f"a bit of byte {at} of {name}", {}
            path.write_bytes(was[:at])
            yield f"{name} cut to {at}", {}
        path.unlink()
        yield f"{name} deleted", {}
        path.write_bytes(was)
    stranger = ledger / "records" / "stranger.json"
    stranger.write_text("{}")
    yield "a file that no record has", {}
    stranger.unlink()
    yield from _structure(folder, ledger)


def _structure(folder, ledger):
    width = RECORDS % 256
    bundle = ledger / "log" / "tile" / "entries" / f"{RECORDS // 256:03}.p" / str(width)
    was = bundle.read_bytes()
    entries, at = [], 0
    while at < len(was):
        end = at + 2 + int.from_bytes(was[at : at + 2], "big")
        entries.append(was[at:end])
        at = end
    for what, changed in (
        ("two entries swapped", [entries[1], entries[0], *entries[2:]]),
        ("an entry dropped", entries[1:]),
        ("an entry doubled", [*entries, entries[-1]]),
        ("an entry put in the place of another", [entries[1], *entries[1:]]),
    ):
        bundle.write_bytes(b"".join(changed))
        yield what, {}
    bundle.write_bytes(was)
    checkpoint = ledger / "log" / "checkpoint"
    newest = checkpoint.read_bytes()
    checkpoint.write_bytes((ledger / "anchors" / f"{RECORDS - 1}.note").read_bytes())
    yield "an older checkpoint played again", {}
    checkpoint.write_bytes(newest)
    # A whole older ledger holds in itself; somebody who kept a later checkpoint sees it.
    (folder / "kept").write_bytes(newest.replace(f"\n{RECORDS}\n".encode(), f"\n{RECORDS + 1}\n".encode()))
    yield "a tip that was rolled back", {"trusted": "kept"}
    signers = (folder / "signers").read_text()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", folder / "other"], check=True)
    other = (folder / "other.pub").read_text().split()[1]
    (folder / "signers").write_text(signers.split("ssh-ed25519")[0] + f"ssh-ed25519 {other}\n")
    yield "a key that nobody allowed", {}
    (folder / "signers").write_text(signers)
