"""A ledger in a PostgreSQL of its own: written by many, killed, restored to yesterday and tampered with by those who may and may not."""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from . import forge, tools, tsa, wire
from .postgres import AUDITOR, GATE, OWNER, PASSWORD, Cluster, Writer, ccgate, is_sealed, programs

# Writers, and how many of a hundred are killed.
TORTURE, TORTURE_APPENDS = ((1, 0), (16, 0), (64, 30)), int(os.environ.get("CCGATE_DATABASE_APPENDS", "5"))
WRITERS, APPENDS = int(os.environ.get("CCGATE_DATABASE_WRITERS", "16")), 3


def run(tally, binary, torture):
    found = programs(tally)
    if found is None:
        return
    with Cluster(found, ccgate(binary, None, "ledger", "schema").stdout) as cluster:
        for part in (_life, _doors, _surroundings, _tls, _writers, _lines, _crash, _tampering, _yesterday):
            part(tally, binary, cluster)
        _torture(tally, torture, cluster)


def _verify(binary, url, *more, user=AUDITOR):
    done = ccgate(binary, None, "ledger", "verify", url, *more, user=user)
    return done.returncode, done.stdout + done.stderr


def _life(tally, binary, cluster):
    """Everything that takes an address takes this one."""
    url = cluster.fresh()
    writer = Writer(binary, url)
    code, said = _verify(binary, url)
    tally.check("database: an empty ledger is nothing, and no pass", code == 5 and "nothing to verify" in said, said)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", "key"], cwd=writer.folder, check=True)
    key = (writer.folder / "key").read_text()
    writer.seal(3)
    writer.seal(2, first=3, CCGATE_LEDGER_KEY=key)
    writer.seal(1)
    code, said = _verify(binary, url)
    tally.check("database: five records, one of them asked for twice, verify", code == 0 and "5 records" in said, said)
    tally.check("database: the verification says what administrators could", "restore an older backup" in " ".join(said.split()), said)
    shown = ccgate(binary, None, "ledger", "show", url, user=AUDITOR).stdout
    tally.check("database: records are listed", "5 records" in shown, shown)
    kept = ccgate(binary, None, "ledger", "checkpoint", url, user=AUDITOR).stdout
    tally.check("database: the checkpoint is printed", "\n5\n" in kept, kept)
    register = ccgate(binary, writer.folder, "override", "list", url, user=AUDITOR)
    tally.check("database: overrides are listed", register.returncode == 0, register.stdout + register.stderr)
    done = ccgate(binary, writer.folder, "ledger", "export", url, "--out", "pack", user=AUDITOR)
    copy = subprocess.run(["python3", "-B", "verify.py", "ledger"], cwd=writer.folder / "pack", capture_output=True, text=True)
    expected = (writer.folder / "pack" / "expected.txt").read_text()
    tally.check("database: a pack verifies with Python alone", done.returncode == 0 and copy.returncode == 0 and copy.stdout == expected, done.stderr + copy.stdout + copy.stderr)
    ccgate(binary, writer.folder, "check", "--snapshot", "0.json", "--ledger", "dir:twin")
    for moment in range(1, 5):
        ccgate(binary, writer.folder, "check", "--snapshot", f"{moment}.json", "--ledger", "dir:twin", **({"CCGATE_LEDGER_KEY": key} if moment > 2 else {}))
    twin = {path.relative_to(writer.folder / "twin"): path.read_bytes() for path in (writer.folder / "twin").rglob("*") if path.is_file() and path.name != "lock"}
    pack = {path.relative_to(writer.folder / "pack" / "ledger"): path.read_bytes() for path in (writer.folder / "pack" / "ledger").rglob("*") if path.is_file()}
    tally.check("database: its files are those of a folder, byte for byte", twin == pack and len(pack) > 10, sorted(map(str, twin.keys() ^ pack.keys())))
    done = ccgate(binary, writer.folder, "ledger", "verify", url, "--copy", "twin", user=AUDITOR)
    tally.check("database: a copy in a folder agrees", "a copy of 5 records agrees" in " ".join(done.stdout.split()), done.stdout + done.stderr)
    _anchor(tally, binary, url, writer.folder)
    socket_url = f"postgres://{cluster.folder}/audit{cluster.databases}#payments"
    tally.check("database: a socket with another port than the usual one is not guessed", ccgate(binary, None, "ledger", "checkpoint", socket_url).returncode == 5)


def _anchor(tally, binary, url, folder):
    """A time-stamp gets in by a function of its own, once, and holds."""
    if tools.system(tally, "openssl") is None:
        return
    authority = tsa.Authority(forge.WORK / "database-authority")
    (folder / "roots.pem").write_text(authority.root)
    with tsa.Server(authority.answer) as server:
        arguments = ("ledger", "anchor", url, "--tsa", server.url, "--tsa-roots", "roots.pem")
        stranger = ccgate(binary, folder, *arguments, user=AUDITOR)
        first, again = ccgate(binary, folder, *arguments), ccgate(binary, folder, *arguments)
    tally.check("database: the auditor keeps no time-stamp", stranger.returncode == 5 and "is not open to" in stranger.stderr, stranger.stdout + stranger.stderr)
    told = first.stdout + first.stderr + again.stdout + again.stderr
    tally.check("database: a time-stamp is kept once", first.returncode == 0 and "5 records were there" in first.stdout and "kept already" in " ".join(again.stdout.split()), told)
    done = ccgate(binary, folder, "ledger", "verify", url, "--tsa-roots", "roots.pem", user=AUDITOR)
    tally.check("database: the time-stamp holds", done.returncode == 0 and "time-stamped  ok" in done.stdout, done.stdout + done.stderr)


def _doors(tally, binary, cluster):
    """What each login may not do, and what nobody may."""
    url = cluster.fresh()
    writer = Writer(binary, url)
    writer.seal(3)
    changes = {
        "INSERT": "INSERT INTO ccgate.files VALUES ('payments', 'records/x', 'x', 1)",
        "UPDATE": "UPDATE ccgate.files SET bytes = 'x'",
        "DELETE": "DELETE FROM ccgate.files",
        "TRUNCATE": "TRUNCATE ccgate.files",
        "SELECT": "SELECT * FROM ccgate.files",
        "DELETE of checkpoints": "DELETE FROM ccgate.checkpoints",
        "UPDATE of the head": "UPDATE ccgate.head SET size = 99",
        "INSERT of a right": "INSERT INTO ccgate.grants VALUES ('other', 'payments_gate', true)",
        "taking triggers away": "ALTER TABLE ccgate.files DISABLE TRIGGER ALL",
        "letting itself in": f"SELECT ccgate.admit('other', '{GATE}', true)",
        "becoming the owner": f"SET ROLE {OWNER}",
    }
    for what, statement in changes.items():
        for login in (GATE, AUDITOR):
            tally.check(f"database: {what} is refused to {login}", cluster.sql(statement, login=login, quiet=True) is None)
    owner = {
        "UPDATE": changes["UPDATE"],
        "DELETE": changes["DELETE"],
        "DELETE of the right edge": "DELETE FROM ccgate.files WHERE path LIKE 'log/tile/%'",
        "TRUNCATE": changes["TRUNCATE"],
        "TRUNCATE with what hangs on it": "TRUNCATE ccgate.head, ccgate.files, ccgate.checkpoints CASCADE",
        "DELETE of checkpoints": changes["DELETE of checkpoints"],
        "UPDATE of checkpoints": "UPDATE ccgate.checkpoints SET checkpoint = 'x'",
        "DELETE of the head": "DELETE FROM ccgate.head",
        "going back": "UPDATE ccgate.head SET size = 1",
        "another origin": "UPDATE ccgate.head SET size = 99, checkpoint = 'other'",
    }
    for what, statement in owner.items():
        for login in (OWNER, "postgres"):
            tally.check(f"database: {what} is refused to {login} by a trigger", cluster.sql(statement, login=login, quiet=True) is None and "only grows" in cluster.said, cluster.said)
    replica = "SET session_replication_role = replica; DELETE FROM ccgate.files"
    tally.check("database: the triggers hold in a session that replays changes", cluster.sql(replica, quiet=True) is None)
    def note(size, origin="fees"):
        return f"convert_to(E'ccgate/github/orchard/{origin}\\n{size}\\n' || repeat('A', 43) || E'=\\n', 'UTF8')"

    calls = {
        "an append for a size that is not there any more": (f"2, {note(4)}, NULL, '{{}}', '{{}}', '{{}}'", "f"),
        "an append that does not grow": (f"3, {note(3)}, NULL, '{{}}', '{{}}', '{{}}'", None),
        "an append for no size": (f"NULL, {note(4)}, NULL, '{{}}', '{{}}', '{{}}'", None),
        "an append of another origin": (f"3, {note(4, 'other')}, NULL, '{{}}', '{{}}', '{{}}'", None),
        "an append of no checkpoint": ("3, 'x', NULL, '{}', '{}', '{}'", None),
        "an append of nothing": ("3, NULL, NULL, '{}', '{}', '{}'", None),
        "a strange file": (f"3, {note(4)}, NULL, '{{keys/x}}', '{{x}}', '{{}}'", None),
        "a file that is there": (f"3, {note(4)}, NULL, '{{FORMAT}}', '{{x}}', '{{}}'", None),
        "a file without a name": (f"3, {note(4)}, NULL, '{{NULL}}', '{{x}}', '{{}}'", None),
        "a file without bytes": (f"3, {note(4)}, NULL, '{{log/tile/0/001}}', '{{NULL}}', '{{}}'", None),
        "an anchor of another size": (f"3, {note(4)}, NULL, '{{anchors/9.note}}', '{{x}}', '{{}}'", None),
        "more names than files": (f"3, {note(4)}, NULL, '{{log/tile/0/001}}', '{{}}', '{{}}'", None),
        "the removal of the right edge": (f"3, {note(4)}, NULL, '{{}}', '{{}}', '{{log/tile/0/000.p/3}}'", None),
        "a longer tile that begins otherwise": (f"3, {note(4)}, NULL, '{{log/tile/0/000.p/4}}', ARRAY[convert_to(repeat('x', 128), 'UTF8')], '{{log/tile/0/000.p/3}}'", None),
        "the removal of a file": (f"3, {note(4)}, NULL, '{{}}', '{{}}', '{{FORMAT}}'", None),
    }
    for what, (arguments, expected) in calls.items():
        found = cluster.sql(f"SELECT ccgate.append('payments', {arguments})", login=GATE, quiet=True)
        tally.check(f"database: {what} is refused by the function itself", found == expected, f"{found} {cluster.said}")
    tally.check("database: the auditor appends nothing", not is_sealed(Writer(binary, url).command(9, user=AUDITOR)))
    tally.check("database: a stranger's ledger is not read", cluster.sql("SELECT * FROM ccgate.edge('other')", login=GATE, quiet=True) is None and "is not open to" in cluster.said, cluster.said)
    tally.check("database: a time-stamp of no note is refused", cluster.sql("SELECT ccgate.keep_token('payments', 3, 'x')", login=GATE, quiet=True) is None)
    tally.check("database: a bundle of no note is refused", cluster.sql("SELECT ccgate.keep_bundle('payments', 3, 'x')", login=GATE, quiet=True) is None and "no note" in cluster.said, cluster.said)
    tally.check("database: no other file is kept beside a note", cluster.sql("SELECT ccgate.keep_beside('payments', 3, 'note', 'x')", login=GATE, quiet=True) is None and "denied" in cluster.said, cluster.said)
    code, said = _verify(binary, url)
    tally.check("database: nothing of that left a trace", code == 0 and "3 records" in said, said)
    cluster.sql(f"ALTER ROLE {GATE} SET synchronous_commit = off; ALTER ROLE {GATE} SET default_transaction_isolation = 'serializable'; ALTER ROLE {GATE} SET search_path = 'nowhere'")
    writer.seal(1, first=3)
    cluster.sql(f"ALTER ROLE {GATE} SET default_transaction_read_only = on")
    refused = writer.command(4)
    cluster.sql(f"ALTER ROLE {GATE} RESET ALL")
    code, said = _verify(binary, url)
    tally.check("database: settings of the login do not change what an append is", code == 0 and f"{5 if is_sealed(refused) else 4} records" in said, said)


def _surroundings(tally, binary, cluster):
    """Nothing of the environment but our own variables says where it goes and as whom."""
    url = cluster.fresh()
    Writer(binary, url).seal(2)
    expected = ccgate(binary, None, "ledger", "checkpoint", url).stdout
    elsewhere = {
        "PGHOST": "192.0.2.1", "PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGUSER": "postgres", "PGPASSWORD": "wrong", "PGDATABASE": "postgres",
        "PGSSLMODE": "require", "PGSSLROOTCERT": "/nowhere", "PGAPPNAME": "x", "PGSERVICE": "x", "PGSERVICEFILE": "/nowhere", "DATABASE_URL": "postgres://192.0.2.1/x",
    }
    for name, value in elsewhere.items():
        done = ccgate(binary, None, "ledger", "checkpoint", url, **{name: value})
        tally.check(f"database: {name} steers nothing", done.returncode == 0 and done.stdout == expected, done.stdout + done.stderr)
    for name in ("PGOPTIONS", "PGSSLCERT", "PGSSLKEY"):
        done = ccgate(binary, None, "ledger", "checkpoint", url, **{name: "-c search_path=x"})
        tally.check(f"database: {name} is refused by name", done.returncode != 0 and name in done.stderr, done.stderr)
    home = pathlib.Path(tools.environment()["HOME"])
    for pgpass in (home / ".pgpass", forge.WORK / "pgpass"):
        pgpass.write_text(f"*:*:*:*:{PASSWORD}\n")
        pgpass.chmod(0o600)
    try:
        for what, given in (("an empty password", {}), ("PGPASSWORD", {"PGPASSWORD": PASSWORD}), ("PGPASSFILE", {"PGPASSFILE": str(forge.WORK / "pgpass")})):
            done = ccgate(binary, None, "ledger", "checkpoint", url, CCGATE_LEDGER_TOKEN=None, **given)
            tally.check(f"database: without a token of ours nobody is let in, {what}", done.returncode == 5 and "28P01" in done.stderr, done.stderr)
    finally:
        (home / ".pgpass").unlink()
    done = ccgate(binary, None, "ledger", "checkpoint", url, user=None, PGUSER=GATE)
    tally.check("database: without a user of ours nobody is asked", done.returncode == 5 and "CCGATE_LEDGER_USER" in done.stderr, done.stderr)
    done = ccgate(binary, None, "ledger", "checkpoint", url, CCGATE_LEDGER_TOKEN="wrong-password-of-mine")
    tally.check("database: a wrong password is an error that does not repeat it", done.returncode == 5 and "wrong-password" not in done.stdout + done.stderr, done.stderr)
    with _silent() as port:
        begun = time.monotonic()
        done = ccgate(binary, None, "ledger", "checkpoint", f"postgres://127.0.0.1:{port}/x")
        tally.check("database: a server that says nothing is given up", done.returncode == 5 and time.monotonic() - begun < 60, done.stderr)


def _other_name(cluster):
    """A name that leads to this server and is not `localhost`, so that it counts as another machine."""
    for name in ("ip6-localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-loopback", socket.gethostname()):
        with contextlib.suppress(OSError):
            found = {entry[4][0] for entry in socket.getaddrinfo(name, cluster.port)}
            if found <= set(cluster.addresses):
                return name
    return None


def _tls(tally, binary, cluster):
    """Another machine is spoken to under TLS, by the right name, under an authority that was named; else the password stays here."""
    name = _other_name(cluster)
    if name is None or tools.system(tally, "openssl") is None:
        tally.missing("a ledger in a database under TLS", "no name of loopback but localhost in /etc/hosts, or no openssl")
        return
    url = cluster.fresh()
    Writer(binary, url).seal(1)
    url = url.replace("127.0.0.1", name)
    done = ccgate(binary, None, "ledger", "checkpoint", url)
    tally.check("database: another host without TLS is not spoken to", done.returncode == 5 and "TLS" in done.stderr, done.stderr)

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=cluster.folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=e2e", "-days", "2")
    for certificate, host in (("right", name), ("wrong", "db.example")):
        (cluster.folder / "extensions").write_text(f"subjectAltName=DNS:{host}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{certificate}.key", "-out", f"{certificate}.csr", "-subj", f"/CN={host}")
        openssl("x509", "-req", "-in", f"{certificate}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{certificate}.pem", "-days", "2", "-extfile", "extensions")
        for end in ("key", "pem"):
            (cluster.folder / f"{certificate}.{end}").chmod(0o600)
            if os.getuid() == 0:
                shutil.chown(cluster.folder / f"{certificate}.{end}", cluster.user)
    authority = forge.WORK / "database-ca.pem"
    shutil.copy(cluster.folder / "ca.pem", authority)
    for certificate in ("wrong", "right"):
        cluster.stop()
        cluster.start("-c", "ssl=on", "-c", f"ssl_cert_file={cluster.folder}/{certificate}.pem", "-c", f"ssl_key_file={cluster.folder}/{certificate}.key")
        for what, given, right in (("its authority is named", {"SSL_CERT_FILE": str(authority)}, certificate == "right"),
                                   ("its authority is not named", {}, False),
                                   ("PGSSLROOTCERT names its authority", {"PGSSLROOTCERT": str(authority)}, False),
                                   ("PGSSLMODE asks for less", {"PGSSLMODE": "require"}, False)):
            done = ccgate(binary, None, "ledger", "checkpoint", url, **given)
            held = done.returncode == 0 and "\n1\n" in done.stdout if right else done.returncode == 5 and "certificate" in done.stderr
            tally.check(f"database: a server with the {certificate} name is {'spoken to' if right else 'refused'} where {what}", held, done.stdout + done.stderr)
    cluster.stop()
    cluster.start()


@contextlib.contextmanager
def _silent():
    """A port that takes connections and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield server.getsockname()[1]


def _writers(tally, binary, cluster):
    """N writers, half of them with the same records, and one that is stopped in the middle."""
    url = cluster.fresh()
    failed = []

    def write(number):
        try:
            Writer(binary, url).seal(APPENDS, first=number // 2 * APPENDS)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(str(error))

    Writer(binary, url)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = (WRITERS + 1) // 2 * APPENDS
    code, said = _verify(binary, url)
    tally.check(f"database: {WRITERS} writers with {expected} records lose none and double none", not failed and code == 0 and f"{expected} records" in said, "".join(failed)[-900:] + said)
    pauses = [milliseconds / 1000 for milliseconds in (10, 30, 50, 80, 120)]
    for number, pause in enumerate(pauses):
        _killed(binary, url, 1000 + number, pause)
    Writer(binary, url).seal(len(pauses), first=1000)
    code, said = _verify(binary, url)
    tally.check("database: writers that were killed and ran again have each record once", code == 0 and f"{expected + len(pauses)} records" in said, said)


def _killed(binary, url, moment, pause):
    writer = Writer(binary, url)
    given = tools.environment(CCGATE_LEDGER_USER=GATE, CCGATE_LEDGER_TOKEN=PASSWORD)
    process = subprocess.Popen([binary, *writer.arguments(moment)], cwd=writer.folder, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(pause)
    process.kill()
    process.wait()


def _lines(tally, binary, cluster):
    """Lines that break before and after the moment at which an append is done, and one that stalls in a writer's turn."""
    url = cluster.fresh()
    writer = Writer(binary, url)
    writer.seal(1)

    def through(line):
        return Writer(binary, url.replace(f":{cluster.port}/", f":{line.port}/"))

    size = 1
    for word, what, why in (
        ("COMMIT\0", "swallow", "after the database took the append"),
        ("COMMIT\0", "cut", "before it was told to keep the append"),
        ("ccgate.append", "cut", "before the append arrived"),
        ("ccgate.append", "swallow", "after the function answered and before the end of its transaction"),
    ):
        with wire.Wire(cluster.port, word, what) as line:
            done = through(line).command(size)
        size += 1
        code, said = _verify(binary, url)
        held = line.done.is_set() and is_sealed(done) and code == 0 and f": {size} records" in said
        tally.check(f"database: a line that breaks {why} neither loses nor doubles", held, done.stdout[-200:] + done.stderr + said[:200])
    for word in ("ccgate.edge", "ccgate.take_turn"):
        with wire.Wire(cluster.port, word, "swallow") as line:
            done = through(line).command(size)
        told = done.stdout + done.stderr
        tally.check(f"database: a line that breaks at {word}, before anything was sent, is an error", line.done.is_set() and not is_sealed(done) and "broke" in " ".join(told.split()), told[-700:])
    with wire.Wire(cluster.port, "ccgate.edge", "stall") as line:
        given = tools.environment(CCGATE_LEDGER_USER=GATE, CCGATE_LEDGER_TOKEN=PASSWORD)
        stalled = through(line)
        process = subprocess.Popen([binary, *stalled.arguments(size + 1)], cwd=stalled.folder, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        reached = line.done.wait(timeout=60)
        begun = time.monotonic()
        done = writer.command(size)
        took = time.monotonic() - begun
        process.kill()
        process.wait()
    tally.check("database: who stalls in his turn loses it after ten seconds", reached and is_sealed(done) and 5 < took < 40, f"{took:.1f} s {done.stdout[-300:]} {done.stderr}")
    with wire.Wire(cluster.port, "ccgate.files_after", "swallow") as line:
        done = ccgate(binary, None, "ledger", "verify", url.replace(f":{cluster.port}/", f":{line.port}/"), user=AUDITOR)
    tally.check("database: a line that breaks while it is verified is no verification", line.done.is_set() and done.returncode == 5 and "integrity" not in done.stdout, done.stdout + done.stderr)


def _crash(tally, binary, cluster):
    """The power goes under writers. What was told to be sealed is there afterwards."""
    url = cluster.fresh()
    told, end = [], threading.Event()

    def write(number):
        writer = Writer(binary, url)
        for moment in range(number * 100, number * 100 + 100):
            if end.is_set():
                return
            if is_sealed(writer.command(moment)):
                told.append(moment)

    Writer(binary, url)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        enough = len(told) + 10
        for _ in range(600):
            if len(told) >= enough:
                break
            time.sleep(0.05)
        cluster.stop(signal.SIGKILL)
        # The processes of its sessions notice by themselves; a new server waits for them.
        _until_started(cluster)
    end.set()
    for thread in threads:
        thread.join()
    code, said = _verify(binary, url)
    sealed = int(cluster.sql("SELECT size FROM ccgate.head"))
    tally.check("database: after three crashes the ledger verifies", code == 0, said)
    again = Writer(binary, url)
    for moment in sorted(told):
        again.seal(1, first=moment)
    after = int(cluster.sql("SELECT size FROM ccgate.head"))
    tally.check(f"database: of {len(told)} records that were told to be sealed, none is lost in three crashes", after == sealed and len(told) >= 30, f"{after} records, {sealed} before")
    code, said = _verify(binary, url)
    tally.check("database: the ledger goes on after a crash", code == 0, said)


def _until_started(cluster):
    for _ in range(20):
        try:
            return cluster.start()
        except RuntimeError:
            # The socket or the shared memory of the dead one is still held.
            time.sleep(0.5)
    return cluster.start()


# What a superuser does after taking the triggers away, and whether our own verifier has to find it.
TAMPERING = {
    "a byte of a record": "UPDATE ccgate.files SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1) WHERE path = (SELECT min(path) FROM ccgate.files WHERE path LIKE 'records/%')",
    "a byte of a bundle": "UPDATE ccgate.files SET bytes = set_byte(bytes, 99, get_byte(bytes, 99) # 1) WHERE path LIKE 'log/tile/entries/%'",
    "a byte of a tile": "UPDATE ccgate.files SET bytes = set_byte(bytes, 3, get_byte(bytes, 3) # 1) WHERE path LIKE 'log/tile/0/%'",
    "a record taken away": "DELETE FROM ccgate.files WHERE path = (SELECT min(path) FROM ccgate.files WHERE path LIKE 'records/%')",
    "a record's name": "UPDATE ccgate.files SET path = path || '.x' WHERE path = (SELECT min(path) FROM ccgate.files WHERE path LIKE 'records/%')",
    "a file too many": "INSERT INTO ccgate.files VALUES ('payments', 'records/2026/11/rec_00000000000000000000000000000000.json', 'x', 1)",
    "a file outside": "INSERT INTO ccgate.files VALUES ('payments', '../../../../tmp/ccgate-outside', 'x', 1)",
    "a second checkpoint among the files": "INSERT INTO ccgate.files VALUES ('payments', 'log/checkpoint', 'x', 1)",
    "a file of a later size": "UPDATE ccgate.files SET since = 99 WHERE path = 'FORMAT'",
    "the head set back": "UPDATE ccgate.head SET size = c.size, checkpoint = c.checkpoint FROM ccgate.checkpoints AS c WHERE c.size = 3",
    "the head's number alone": "UPDATE ccgate.head SET checkpoint = convert_to(replace(convert_from(checkpoint, 'UTF8'), E'\\n6\\n', E'\\n5\\n'), 'UTF8')",
    "the head taken away": "DELETE FROM ccgate.head",
    "an old checkpoint rewritten": "UPDATE ccgate.checkpoints SET checkpoint = (SELECT convert_to(replace(convert_from(checkpoint, 'UTF8'), E'\\n6\\n', E'\\n4\\n'), 'UTF8') FROM ccgate.checkpoints WHERE size = 6) WHERE size = 4",
    "an old checkpoint under another size": "UPDATE ccgate.checkpoints SET size = 99 WHERE size = 4",
    "the newest checkpoint taken away": "DELETE FROM ccgate.checkpoints WHERE size = 6",
    "an old checkpoint of another origin": "UPDATE ccgate.checkpoints SET checkpoint = convert_to(replace(convert_from(checkpoint, 'UTF8'), 'fees', 'seed'), 'UTF8') WHERE size = 4",
    "no text for a checkpoint": "UPDATE ccgate.checkpoints SET checkpoint = '\\xff' WHERE size = 4",
    "the keys": "UPDATE ccgate.head SET signers = 'x'",
    "everything but the files": "DELETE FROM ccgate.head; DELETE FROM ccgate.checkpoints",
}
NO_TRIGGERS = "".join(f"ALTER TABLE ccgate.{table} DISABLE TRIGGER ALL;" for table in ("files", "checkpoints", "head"))


def _tampering(tally, binary, cluster):
    url = cluster.fresh()
    writer = Writer(binary, url)
    writer.seal(6)
    template = cluster.databases
    found = 0
    for what, statement in TAMPERING.items():
        cluster.databases += 1
        cluster.sql(f"CREATE DATABASE audit{cluster.databases} TEMPLATE audit{template}", database="postgres")
        cluster.sql(NO_TRIGGERS + statement)
        tampered = url.replace(f"audit{template}", f"audit{cluster.databases}")
        code, said = _verify(binary, tampered)
        if tally.check(f"database: {what}, changed by a superuser, is found", code == 5 and ("FAILED" in said or "cannot be read" in said), said):
            found += 1
    print(f"     database: {found} of {len(TAMPERING)} changes of a superuser found", flush=True)
    tally.check("database: no file of the database is written outside", not pathlib.Path("/tmp/ccgate-outside").exists())
    for what in ("a byte of a bundle", "a byte of a tile", "the head taken away", "the head set back"):
        cluster.databases += 1
        cluster.sql(f"CREATE DATABASE audit{cluster.databases} TEMPLATE audit{template}", database="postgres")
        cluster.sql(NO_TRIGGERS + TAMPERING[what])
        done = Writer(binary, url.replace(f"audit{template}", f"audit{cluster.databases}")).command(20)
        tally.check(f"database: nothing is built on a ledger after {what}", not is_sealed(done), done.stdout + done.stderr)


def _yesterday(tally, binary, cluster):
    """A backup that is put back is whole in itself. Whoever kept a later checkpoint, or a copy, sees it."""
    url = cluster.fresh()
    writer = Writer(binary, url)
    writer.seal(3)
    today = cluster.databases
    cluster.databases += 1
    cluster.sql(f"CREATE DATABASE audit{cluster.databases} TEMPLATE audit{today}", database="postgres")
    backup = url.replace(f"audit{today}", f"audit{cluster.databases}")
    writer.seal(3, first=3)
    kept = writer.folder / "kept"
    kept.write_text(ccgate(binary, None, "ledger", "checkpoint", url).stdout)
    ccgate(binary, writer.folder, "ledger", "export", url, "--out", "pack")
    code, said = _verify(binary, backup)
    tally.check("database: yesterday's backup is whole in itself", code == 0 and "3 records" in said, said)
    code, said = _verify(binary, backup, "--trusted-checkpoint", kept)
    tally.check("database: a checkpoint kept elsewhere shows that it was restored to yesterday", code == 5 and "rolled back" in said, said)
    code, said = _verify(binary, backup, "--copy", writer.folder / "pack" / "ledger")
    tally.check("database: a copy elsewhere shows it too", code == 5 and "rolled back" in said, said)
    Writer(binary, backup).seal(3, first=30)
    code, said = _verify(binary, backup, "--trusted-checkpoint", kept)
    tally.check("database: and so it does when the restored one has grown as far again", code == 5 and "rewritten" in said, said)
    code, said = _verify(binary, url, "--trusted-checkpoint", kept)
    tally.check("database: the ledger that went on holds against it", code == 0, said)


def _torture(tally, torture, cluster):
    """Processes by the dozen, a third of them killed while they append; the example counts what was lost or doubled."""
    given = {**os.environ, "CCGATE_LEDGER_USER": GATE, "CCGATE_LEDGER_TOKEN": PASSWORD}
    for writers, kill in TORTURE:
        url = cluster.fresh()
        done = subprocess.run([torture, "--store", url, "--writers", str(writers), "--kill", str(kill), "--appends", str(TORTURE_APPENDS)],
                              cwd=forge.ROOT, env=given, capture_output=True, text=True, timeout=1200)
        said = (done.stdout + done.stderr).strip()
        print("\n".join(f"     database, tortured: {line}" for line in said.splitlines()), flush=True)
        held = " 0 lost, 0 doubled, 0 writers gave up" in said
        tally.check(f"database: {writers} writers, {kill} % of them killed, lose none, double none and give up nothing", done.returncode == 0 and held, said)
