"""Appends, seals and time-stamps with a fault at each of their system calls: a kill, an error of the disk, no space, a short write.

Afterwards the ledger is the old one or the new one, nothing else, and the next append works. `strace` injects the faults; CCGATE_SYSCALLS=all
takes every call, CCGATE_SYSCALLS=2/8 the second of eight shares of that, otherwise every seventh call and each call that changes a file's
name. In git a fault hits every process anew, so the server goes on refusing and ccgate goes on trying: it is cancelled then, as jobs are.
"""
import collections
import datetime
import os
import re
import resource
import shutil
import signal
import subprocess

from . import forge, ledger, tools, tsa

# What a ledger in a folder can ask of the system.
CALLS = ["openat", "read", "pread64", "write", "writev", "pwrite64", "fsync", "fdatasync", "close", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "flock", "fcntl", "ftruncate", "statx", "fstat", "newfstatat", "stat", "lstat", "getdents64", "lseek", "chmod", "fchmod", "mmap", "brk", "getrandom"]
NAMES = {"rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat", "fsync", "fdatasync", "flock"}
SPACE = {"openat", "write", "writev", "pwrite64", "fsync", "fdatasync", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "link", "linkat"}
BEFORE = 3
# Seconds until a run is cancelled that a fault does not end.
LONGEST = 20
# Where the ledger's address goes in a command.
LEDGER = "LEDGER"


def run(tally, binary, _double):
    if tools.system(tally, "strace") is None or tools.system(tally, "openssl") is None:
        return
    folder = forge.WORK / "syscalls"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--bare", folder / "before.git"], env=tools.environment(), check=True)
    ours = ledger.Ours(binary, folder)
    facts, secret = ledger.snapshot(ours), ledger.key(ours)
    begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=9)
    for number in range(BEFORE + 1):
        ledger.seen_at(ours, facts, begin + datetime.timedelta(hours=number))
        if number < BEFORE:
            for address in ("dir:before", f"git+file://{folder}/before.git#ledger"):
                ours.run("check", "--snapshot", "snapshot.json", "--ledger", address, CCGATE_LEDGER_KEY=secret)
    shutil.copy(folder / "before" / "keys" / "allowed_signers", folder / "signers")
    append, more = ["check", "--snapshot", "snapshot.json", "--ledger", LEDGER], {"CCGATE_LEDGER_KEY": secret}
    _sweep(tally, Trial(ours, "append", Folder(folder, "before"), append, more, {BEFORE, BEFORE + 1}))
    _sweep(tally, Trial(ours, "first append", Folder(folder, None), append, more, {0, 1}))
    _sweep(tally, Trial(ours, "append in git", Branch(folder, "before.git"), append, more, {BEFORE, BEFORE + 1}))
    if _leave_a_receipt(tally, ours, Branch(folder, "before.git"), append, more):
        _sweep(tally, Trial(ours, "seal in git", Branch(folder, "waiting.git"), ["ledger", "seal", LEDGER], more, {BEFORE, BEFORE + 1}))
    authority = tsa.Authority(folder / "authority")
    (folder / "roots.pem").write_text(authority.root)
    with tsa.Server(authority.answer) as server:
        anchor, roots = ["ledger", "anchor", LEDGER, "--tsa", server.url], ["--tsa-roots", "roots.pem"]
        _sweep(tally, Trial(ours, "anchor", Folder(folder, "before"), [*anchor, *roots], {}, {BEFORE}, roots))


def _leave_a_receipt(tally, ours, store, append, variables):
    """A run that others are faster than, and that dies once its receipt is there: `waiting.git`."""
    store.reset()
    for name, does in {"update": 'case "$1" in refs/heads/ledger) exit 1;; esac', "post-update": 'case "$1" in *ccgate/pending/*) kill -KILL "$(cat writer)";; esac'}.items():
        hook = store.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\n{does}\n")
        hook.chmod(0o755)
    command = [store.address if word == LEDGER else word for word in append]
    environment = {"PATH": os.environ["PATH"], "HOME": str(ours.folder), **variables}
    # The shell becomes ccgate, so the number is written before the first push.
    killed = subprocess.run(["sh", "-c", f'echo $$ > "{store.path}/writer"; exec "$@"', "sh", ours.binary, *command], cwd=ours.folder, env=environment, capture_output=True, text=True, timeout=300)
    for name in ("hooks/update", "hooks/post-update", "writer"):
        (store.path / name).unlink()
    shutil.copytree(store.path, ours.folder / "waiting.git")
    return tally.check("syscalls, seal in git: a run that was killed left its receipt", killed.returncode == -signal.SIGKILL and store.waiting(), f"{killed.returncode} {killed.stdout}{killed.stderr}")


class Folder:
    """A ledger in a folder, begun as a copy of another one."""

    calls, every, shorter = CALLS, 7, 509
    # An injected error means that the call is not made: memory is not the disk's to refuse.
    kill_only = {"mmap", "brk", "getrandom"}

    def __init__(self, home, old):
        self.path, self.old = home / "ledger", old and home / old
        self.address = f"dir:{self.path}"

    def reset(self):
        shutil.rmtree(self.path, ignore_errors=True)
        if self.old:
            shutil.copytree(self.old, self.path)

    def size(self):
        checkpoint = self.path / "log" / "checkpoint"
        return _size(checkpoint.read_text() if checkpoint.exists() else "")

    def waiting(self):
        """Records that nobody sealed yet."""
        return ""


class Branch(Folder):
    """A ledger in a branch. A fault hits that call of each process that makes it: of ccgate and of every git below it."""

    calls, every, shorter = sorted(NAMES | SPACE), 200, 2011

    def __init__(self, home, old):
        super().__init__(home, old)
        self.address = f"git+file://{self.path}#ledger"
        self.environment = tools.environment()

    def size(self):
        return _size(self._ask("show", "ledger:log/checkpoint"))

    def waiting(self):
        return self._ask("for-each-ref", "refs/heads/ccgate/pending/")

    def _ask(self, *arguments):
        return subprocess.run(["git", "--git-dir", self.path, *arguments], env=self.environment, capture_output=True, text=True).stdout


def _size(checkpoint):
    return int(checkpoint.splitlines()[1]) if checkpoint else 0


class Trial:
    """One command over one ledger, repeated with one fault at a time."""

    def __init__(self, ours, name, store, command, variables, counts, proof=()):
        self.ours, self.name, self.store, self.variables = ours, name, store, variables
        self.command = [store.address if word == LEDGER else word for word in command]
        # How many records there may be afterwards, and what shows that the command did its work.
        self.counts, self.proof = counts, proof
        self.cancelled = 0
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(ours.folder), **variables}
        store.reset()
        self.usual = ours.run(*self.command, **variables).returncode

    def traced(self, *options):
        return self._until_cancelled(["strace", "-f", "-qq", "-o", "trace", *options, self.ours.binary, *self.command])

    def short(self, most):
        """A file that may not grow beyond so many bytes takes the first part of a write and refuses the rest."""
        return self._until_cancelled([self.ours.binary, *self.command], preexec_fn=lambda: _no_longer_than(most))

    def _until_cancelled(self, command, **more):
        """With every process below it, git's among them."""
        process = subprocess.Popen(command, cwd=self.ours.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more)
        try:
            said = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            self.cancelled += 1
            os.killpg(process.pid, signal.SIGKILL)
            said = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, *said)

    def counted(self):
        """How often a process makes each call, at most."""
        self.store.reset()
        self.traced("-e", "trace=" + ",".join(f"?{call}" for call in self.store.calls))
        lines = (self.ours.folder / "trace").read_text().splitlines()
        by_process = collections.Counter(found.groups() for line in lines if (found := re.match(r"(\d+) +(\w+)\(", line)))
        most = collections.Counter()
        for (_, call), count in by_process.items():
            most[call] = max(most[call], count)
        return most

    def problem(self, done):
        """What is wrong after a fault; empty if nothing is."""
        verify = ["ledger", "verify", self.store.address, "--allowed-signers", "signers"]
        found = self.store.size()
        if found not in self.counts:
            return f"{found} records"
        # What is reported is there.
        if "recorded in" in done.stdout and found != max(self.counts):
            return f"it was told to be there, and there are {found} records: {done.stderr}"
        if found:
            verified = self.ours.run(*verify)
            if verified.returncode:
                return f"verify after the fault: {verified.stdout[:400]}{verified.stderr}"
        again = self.ours.run(*self.command, **self.variables)
        if again.returncode != self.usual:
            return f"the next time: exit {again.returncode} {again.stdout}{again.stderr}"
        verified = self.ours.run(*verify, *self.proof)
        if verified.returncode or self.store.size() != max(self.counts):
            return f"verify after the next time, {self.store.size()} records: {verified.stdout[:400]}{verified.stderr}"
        if self.store.waiting() and self.command[:2] != ["ledger", "seal"]:
            # A run that was cancelled may have left its receipt; the record is sealed by the next one all the same.
            self.ours.run("ledger", "seal", self.store.address, **self.variables)
        if (waiting := self.store.waiting()) or self.store.size() != max(self.counts):
            return f"there waits {waiting}, {self.store.size()} records"
        return ""


def _sweep(tally, trial):
    asked = os.environ.get("CCGATE_SYSCALLS")
    part, whole = (int(number) for number in asked.split("/")) if asked and "/" in asked else (1, 1)
    seen, made, wrong = 0, 0, []

    def judge(what, fault):
        nonlocal seen, made
        seen += 1
        if seen % whole + 1 != part:
            return
        made += 1
        trial.store.reset()
        if problem := trial.problem(fault()):
            wrong.append(f"{what}: {problem}")

    for call, count in sorted(trial.counted().items()):
        step = 1 if asked or (call in NAMES and trial.store.every < 10) else trial.store.every
        for fault in ["signal=KILL", *([] if call in trial.store.kill_only else ["error=EIO"]), *(["error=ENOSPC"] if call in SPACE else [])]:
            for number in range(1, count + 1, step):
                judge(f"{fault} at {call} {number} of {count}", lambda: trial.traced("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"))
    for most in range(0, 4096, 61 if asked else trial.store.shorter):
        judge(f"files of {most} bytes at most", lambda: trial.short(most))
    print(f"     {trial.name}: {made} of {seen} faults, {trial.cancelled} runs cancelled after them, {len(wrong)} left something else", flush=True)
    tally.check(f"syscalls, {trial.name}: the old ledger or the new one after each of {made} faults, and the next one works", made > 10 and not wrong, "\n     ".join(wrong[:10]))


def _no_longer_than(most):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
