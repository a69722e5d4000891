"""A PostgreSQL of its own for a run, and those who write to a ledger in it. Nothing here judges."""
import datetime
import glob
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import forge, own, tools

OWNER, GATE, AUDITOR, PASSWORD = "ledger_owner", "payments_gate", "auditor", "not-a-password-at-all"
# The same for all writers of a run, so that two can have one record.
BEGIN = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)


def programs(tally):
    """The folder with `initdb` and `postgres`, which are in no `PATH` on some systems."""
    folders = [os.path.dirname(shutil.which("initdb") or ""), *sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)]
    for folder in folders:
        if folder and all(pathlib.Path(folder, name).exists() for name in ("initdb", "postgres", "psql")):
            return pathlib.Path(folder)
    tally.missing("PostgreSQL", "no `initdb`, `postgres` and `psql`; it is a package of the system")
    return None


class Cluster:
    """A server on a socket and a free port of loopback, ended by its own process."""

    def __init__(self, folder, schema):
        self.programs, self.schema = folder, schema
        # It refuses to run as root.
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        # A path to a socket is short, and no foreign user looks into target/.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ccgate-pg-"))
        self.data, self.log = self.folder / "data", self.folder / "log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        # A name of loopback that is not `localhost` counts as another machine; it may be one of IPv6.
        self.addresses = ["127.0.0.1"] + ["::1"] * _has_ipv6()
        self.process = None
        self.databases = 0

    def __enter__(self):
        try:
            if os.getuid() == 0:
                shutil.chown(self.folder, self.user)
            # The name of the account becomes the superuser's.
            self._as(["initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-instructions"], check=True)
            rules = "local all postgres trust\nlocal all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n"
            self._write(self.data / "pg_hba.conf", rules)
            self.start()
            for role in (OWNER, GATE, AUDITOR):
                self.sql(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'", database="postgres")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as(self, command, **more):
        command = [self.programs / command[0], *command[1:]]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={pwd.getpwnam(self.user).pw_gid}", "--clear-groups", "--", *command]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120, **more)

    def _write(self, path, text):
        path.write_text(text)
        if os.getuid() == 0:
            shutil.chown(path, self.user)

    def start(self, *settings):
        command = [self.programs / "postgres", "-D", self.data, "-p", str(self.port), "-c", f"listen_addresses={','.join(self.addresses)}", "-c", f"unix_socket_directories={self.folder}", *settings]
        if os.getuid() == 0:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={pwd.getpwnam(self.user).pw_gid}", "--clear-groups", "--", *command]
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env={"LC_ALL": "C.UTF-8"}, stdout=log, stderr=log, start_new_session=True)
        for _ in range(300):
            if self.sql("SELECT 1", database="postgres", quiet=True) is not None:
                return
            if self.process.poll() is not None:
                break
            # The one wait: no event tells that a server is ready.
            time.sleep(0.1)
        raise RuntimeError(self.log.read_text()[-2000:])

    def stop(self, how=signal.SIGINT):
        """`SIGINT` is a fast and orderly end, `SIGKILL` the end of power."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)
        self.process = None

    def sql(self, text, login="postgres", database=None, quiet=False):
        """What a statement gives; `None` after an error if it may have one, else an error is the end of the part."""
        database = database or f"audit{self.databases}"
        command = [self.programs / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", str(self.port), "-U", login, "-d", database, "-f", "-"]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGPASSWORD": PASSWORD}
        done = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, timeout=120)
        if done.returncode == 0:
            return done.stdout.strip()
        self.said = done.stderr
        if quiet:
            return None
        raise RuntimeError(done.stderr)

    def fresh(self):
        """A new database with the schema and one ledger in it, and its address."""
        self.databases += 1
        self.sql(f"CREATE DATABASE audit{self.databases} OWNER {OWNER}", database="postgres")
        self.sql(self.schema, login=OWNER)
        self.sql(f"SELECT ccgate.admit('payments', '{GATE}', true), ccgate.admit('payments', '{AUDITOR}', false)", login=OWNER)
        return f"postgres://127.0.0.1:{self.port}/audit{self.databases}#payments"


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
        return True
    except OSError:
        return False


def ccgate(binary, folder, *arguments, user=GATE, **variables):
    given = {"CCGATE_LEDGER_USER": user, "CCGATE_LEDGER_TOKEN": PASSWORD, **variables}
    return subprocess.run([binary, *map(str, arguments)], cwd=folder, env=tools.environment(**{name: value for name, value in given.items() if value is not None}),
                          capture_output=True, text=True, timeout=240)


class Writer:
    """Seals one saved snapshot at as many moments as there shall be records."""

    made = None

    def __init__(self, binary, url):
        self.binary, self.url = binary, url
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="database-", dir=forge.WORK))
        Writer.made = Writer.made or _snapshot(binary)

    def arguments(self, moment):
        snapshot = json.loads(json.dumps(Writer.made))
        snapshot["observed_at"] = (BEGIN + datetime.timedelta(minutes=moment)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if snapshot["platform_time"]["state"] == "known":
            snapshot["platform_time"]["value"] = snapshot["observed_at"]
        path = self.folder / f"{moment}.json"
        path.write_text(json.dumps(snapshot))
        return ["check", "--snapshot", path, "--ledger", self.url]

    def command(self, moment, **variables):
        return ccgate(self.binary, self.folder, *self.arguments(moment), **variables)

    def seal(self, count, first=0, **variables):
        for moment in range(first, first + count):
            done = self.command(moment, **variables)
            if not is_sealed(done):
                raise RuntimeError(done.stdout + done.stderr)


def is_sealed(done):
    """Whether a run says that its record is in the ledger. Where no policy demands it, its exit code does not."""
    return "; it holds " in " ".join((done.stdout + done.stderr).split())


def _snapshot(binary):
    scenario = forge.load(forge.SCENARIOS / "github.json")
    with forge.Forge(scenario) as double:
        given = own.variables(double, "github", forge.secrets(scenario))
        result = forge.check(binary, given, "--platform", "github", "--repo", "orchard/fees", "--change", 2, "--save-snapshot", "snapshot.json")
    return json.loads((result.folder / "snapshot.json").read_text())
