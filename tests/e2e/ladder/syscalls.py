"""Appends and time-stamps with a fault at each of their system calls: a kill, an error of the disk, no space, a short write.

Afterwards the ledger is the old one or the new one, nothing else, and the next append works. `strace` injects the faults; CCGATE_SYSCALLS=all
takes every call, otherwise every seventh call and each call that changes a file's name.
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
    authority = tsa.Authority(folder / "authority")
    (folder / "roots.pem").write_text(authority.root)
    with tsa.Server(authority.answer) as server:
        anchor, roots = ["ledger", "anchor", LEDGER, "--tsa", server.url], ["--tsa-roots", "roots.pem"]
        _sweep(tally, Trial(ours, "anchor", Folder(folder, "before"), [*anchor, *roots], {}, {BEFORE}, roots))


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


class Branch(Folder):
    """A ledger in a branch. A fault hits that call of each process that makes it: of ccgate and of every git below it."""

    calls, every, shorter = sorted(NAMES | SPACE), 200, 2011
    def __init__(self, home, old):
        super().__init__(home, old)
        self.address = f"git+file://{self.path}#ledger"
        self.environment = tools.environment()

    def size(self):
        shown = subprocess.run(["git", "--git-dir", self.path, "show", "ledger:log/checkpoint"], env=self.environment, capture_output=True, text=True)
        return _size(shown.stdout)


def _size(checkpoint):
    return int(checkpoint.splitlines()[1]) if checkpoint else 0


class Trial:
    """One command over one ledger, repeated with one fault at a time."""

    def __init__(self, ours, name, store, command, variables, counts, proof=()):
        self.ours, self.name, self.store, self.variables = ours, name, store, variables
        self.command = [store.address if word == LEDGER else word for word in command]
        # How many records there may be afterwards, and what shows that the command did its work.
        self.counts, self.proof = counts, proof
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(ours.folder), **variables}
        store.reset()
        self.usual = ours.run(*self.command, **variables).returncode

    def traced(self, *options):
        command = ["strace", "-f", "-qq", "-o", "trace", *options, self.ours.binary, *self.command]
        return subprocess.run(command, cwd=self.ours.folder, env=self.environment, capture_output=True, text=True, timeout=300)

    def short(self, most):
        """A file that may not grow beyond so many bytes takes the first part of a write and refuses the rest."""
        command = [self.ours.binary, *self.command]
        limited = {"preexec_fn": lambda: _no_longer_than(most)}
        return subprocess.run(command, cwd=self.ours.folder, env=self.environment, capture_output=True, text=True, timeout=300, **limited)

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
        return ""


def _sweep(tally, trial):
    everything = os.environ.get("CCGATE_SYSCALLS") == "all"
    made, wrong = 0, []

    def judge(what, fault):
        nonlocal made
        made += 1
        trial.store.reset()
        if problem := trial.problem(fault()):
            wrong.append(f"{what}: {problem}")

    for call, count in sorted(trial.counted().items()):
        step = 1 if everything or (call in NAMES and trial.store.every < 10) else trial.store.every
        for fault in ["signal=KILL", *([] if call in trial.store.kill_only else ["error=EIO"]), *(["error=ENOSPC"] if call in SPACE else [])]:
            for number in range(1, count + 1, step):
                judge(f"{fault} at {call} {number} of {count}", lambda: trial.traced("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={number}"))
    for most in range(0, 4096, 61 if everything else trial.store.shorter):
        judge(f"files of {most} bytes at most", lambda: trial.short(most))
    print(f"     {trial.name}: {made} faults, {len(wrong)} of them left something else", flush=True)
    tally.check(f"syscalls, {trial.name}: the old ledger or the new one after each of {made} faults, and the next one works", made > 10 and not wrong, "\n     ".join(wrong[:10]))


def _no_longer_than(most):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
