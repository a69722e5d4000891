"""A ledger in a bucket of a real server: appends, repeated ones, many writers, killed ones, a bucket that somebody changed, and a server
that does not know the condition on which all of it rests."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.parse

from . import forge, own, tools

BUCKET = "acme-evidence"
SERVER = pathlib.Path(__file__).with_name("bucket_server.py")
# Of this test alone: the server takes any.
KEYS = {"AWS_ACCESS_KEY_ID": "e2e", "AWS_SECRET_ACCESS_KEY": "e2e-canary-one", "AWS_SESSION_TOKEN": "e2e-canary-two", "AWS_REGION": "us-east-1"}
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=e2e/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=e2e"}
# Writers, percent killed, appends of each.
RACES = [(1, 0, 20), (8, 0, 5), (32, 30, 2)]


def run(tally, binary, torture):
    program = tools.python(tally, "moto_server")
    if program is None:
        return
    python = program.with_name("python")
    folder = forge.WORK / "bucket"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Server(python) as server:
        ours = Ours(binary, folder, server)
        if _records(tally, ours):
            _read(tally, ours)
            _changed(tally, ours)
        _refused(tally, ours)
        for race in RACES:
            _race(tally, torture, server, *race)
    with Server(python, "--deaf") as server:
        _deaf(tally, Ours(binary, folder, server), torture)


class Server:
    """The server, and the bucket in the hands of whoever owns it."""

    def __init__(self, python, *arguments):
        self.command = [python, "-B", SERVER, *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        self.ask("PUT", f"/{BUCKET}")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        with contextlib.closing(http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=60)) as connection:
            connection.request(method, path, body=body, headers=SIGNED)
            answer = connection.getresponse()
            return answer.read()

    def names(self, prefix):
        found, after = [], ""
        while True:
            listed = self.ask("GET", f"/{BUCKET}?list-type=2&prefix={prefix}/&start-after={after}").decode()
            keys = re.findall("<Key>([^<]*)</Key>", listed)
            if not keys:
                return found
            found, after = found + keys, keys[-1]

    def count(self):
        return int(self.ask("GET", "/-/count"))

    def variables(self):
        return KEYS | {"AWS_ENDPOINT_URL_S3": self.url}


class Ours:
    def __init__(self, binary, folder, server):
        self.binary, self.folder, self.server = binary, folder, server

    def run(self, *arguments, **variables):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.server.variables(), **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        return subprocess.run([self.binary, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120)


def _records(tally, ours):
    """One saved snapshot, decided at several moments; the last one signed, each of them twice."""
    scenario = forge.load(forge.SCENARIOS / "github.json")
    with forge.Forge(scenario) as double:
        given = own.variables(double, "github", forge.secrets(scenario))
        result = forge.check(ours.binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--save-snapshot", "snapshot.json")
    snapshot = json.loads((result.folder / "snapshot.json").read_text())
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", "key"], cwd=ours.folder, check=True)
    key = (ours.folder / "key").read_text()
    for number in range(6):
        snapshot["observed_at"] = f"2026-11-0{number + 1}T08:00:00Z"
        if snapshot["platform_time"]["state"] == "known":
            snapshot["platform_time"]["value"] = snapshot["observed_at"]
        (ours.folder / "snapshot.json").write_text(json.dumps(snapshot))
        for _ in range(2):
            done = ours.run("check", "--snapshot", "snapshot.json", "--ledger", f"s3://{BUCKET}/app", CCGATE_LEDGER_KEY=key if number > 3 else None)
            told = done.stdout + done.stderr
            if not tally.check(f"bucket: record {number} is taken", done.returncode == 0 and "canary" not in told, told[-1500:]):
                return False
    shown = ours.run("ledger", "show", f"s3://{BUCKET}/app").stdout
    return tally.check("bucket: each record is there once", "6 records" in shown, shown[-500:])


def _read(tally, ours):
    address = f"s3://{BUCKET}/app"
    done = ours.run("ledger", "verify", address)
    tally.check("bucket: verify accepts it and says what a bucket promises", done.returncode == 0 and "object lock" in done.stdout, done.stdout + done.stderr)
    kept = ours.run("ledger", "checkpoint", address)
    (ours.folder / "kept").write_text(kept.stdout)
    done = ours.run("ledger", "export", address, "--out", "pack", "--trusted-checkpoint", "kept")
    if tally.check("bucket: export writes a pack", done.returncode == 0, done.stdout + done.stderr):
        pack = ours.folder / "pack"
        sums = subprocess.run(["sha256sum", "--quiet", "-c", "MANIFEST.sha256"], cwd=pack, capture_output=True, text=True)
        tally.check("bucket pack: sha256sum accepts it", sums.returncode == 0, sums.stdout + sums.stderr)
        printed = subprocess.run(["python3", "-B", "verify.py", "ledger"], cwd=pack, capture_output=True, text=True)
        tally.check("bucket pack: verify.py prints what is expected", printed.stdout == (pack / "expected.txt").read_text(), printed.stdout + printed.stderr)
        done = ours.run("ledger", "verify", address, "--copy", "pack/ledger", "--allowed-signers", "pack/ledger/keys/allowed_signers")
        tally.check("bucket: the copy agrees and the signer is allowed", done.returncode == 0, done.stdout + done.stderr)
    done = ours.run("override", "list", address)
    tally.check("bucket: override list reads it", done.returncode == 0, done.stdout + done.stderr)


def _changed(tally, ours):
    """Whoever owns the bucket alters, deletes and adds; the newest checkpoint alone is finished anew by the next append."""
    names = ours.server.names("app")
    tally.check("bucket: four objects a record lie there, and `FORMAT`", len(names) == 25, str(names))
    for name in names:
        path, was = f"/{BUCKET}/{name}", ours.server.ask("GET", f"/{BUCKET}/{name}")
        ours.server.ask("PUT", path, was[:-2] + bytes([was[-2] ^ 1]) + was[-1:])
        done = ours.run("ledger", "verify", f"s3://{BUCKET}/app")
        tally.check(f"bucket: {name} altered is found", done.returncode == 5, done.stdout)
        ours.server.ask("DELETE", path)
        done = ours.run("ledger", "verify", f"s3://{BUCKET}/app", "--trusted-checkpoint", "kept")
        tally.check(f"bucket: {name} deleted is found", done.returncode == 5, done.stdout)
        ours.server.ask("PUT", path, was)
    ours.server.ask("PUT", f"/{BUCKET}/app/records/stranger.json", b"{}")
    done = ours.run("ledger", "verify", f"s3://{BUCKET}/app")
    tally.check("bucket: a stranger is named", done.returncode == 5 and "stranger.json" in done.stdout, done.stdout)
    ours.server.ask("DELETE", f"/{BUCKET}/app/records/stranger.json")
    done = ours.run("ledger", "verify", f"s3://{BUCKET}/app", "--trusted-checkpoint", "kept")
    tally.check("bucket: put back as it was it verifies", done.returncode == 0, done.stdout)


def _refused(tally, ours):
    for what, wanted, code, variables in (
        ("no credentials", "AWS_ACCESS_KEY_ID", 5, {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}),
        ("half a pair of keys", "AWS_SECRET_ACCESS_KEY", 2, {"AWS_SECRET_ACCESS_KEY": None}),
        ("plain http to another machine", "https", 2, {"AWS_ENDPOINT_URL_S3": "http://s3.acme.example"}),
        ("nobody listens", "cannot be", 5, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}),
    ):
        done = ours.run("ledger", "verify", f"s3://{BUCKET}/app", **variables)
        told = done.stdout + done.stderr
        tally.check(f"bucket, {what}: refused with {code}", done.returncode == code and wanted in told and "canary" not in told, f"{done.returncode}: {told}")
    done = ours.run("ledger", "verify", "s3://no-such-bucket/app")
    tally.check("bucket: one that is not there is an error and no empty ledger", done.returncode == 5 and "NoSuchBucket" in done.stderr, done.stdout + done.stderr)


def _race(tally, torture, server, writers, kill, appends):
    address, before = f"s3://{BUCKET}/race-{writers}", server.count()
    command = [torture, "--store", address, "--writers", str(writers), "--kill", str(kill), "--appends", str(appends)]
    done = subprocess.run(command, env=tools.environment(**server.variables()), capture_output=True, text=True, timeout=1800)
    print("     " + done.stdout.strip().replace("\n", "\n     "), flush=True)
    sealed = re.search(r"(\d+) records sealed, 0 lost, 0 doubled", done.stdout)
    print(f"     {server.count() - before} requests", flush=True)
    tally.check(f"bucket: {writers} writers, {kill} % killed, lose nothing and double nothing", done.returncode == 0 and sealed, done.stdout + done.stderr)


def _deaf(tally, ours, torture):
    done = ours.run("check", "--snapshot", "snapshot.json", "--ledger", f"s3://{BUCKET}/app")
    told = done.stdout + done.stderr
    tally.check("bucket, a server without conditions: no record is written", "no record was written" in told and "If-None-Match" in told, told[-500:])
    tally.check("bucket, a server without conditions: nothing is sealed", ours.server.names("app") == ["app/FORMAT"], str(ours.server.names("app")))
    command = [torture, "--store", f"s3://{BUCKET}/race", "--writers", "2", "--kill", "0", "--appends", "1"]
    done = subprocess.run(command, env=tools.environment(**ours.server.variables()), capture_output=True, text=True, timeout=300)
    tally.check("bucket, a server without conditions: the torture fails there", done.returncode != 0, done.stdout)
