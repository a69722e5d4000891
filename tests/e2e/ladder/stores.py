"""Ledgers on servers of somebody else's: each half starts a real one, for a program that is built here with the features it needs."""
import os
import pathlib
import subprocess

from . import bucket, database, forge

HALVES = [bucket.run, database.run]


def run(tally, _binary, _double):
    built = _build(tally)
    if built:
        for half in HALVES:
            half(tally, *built)


def _build(tally):
    """The program and the torture, with ledgers in buckets and databases."""
    command = ["cargo", "build", "--locked", "--quiet", "--features", "s3,postgres", "--bin", "ccgate", "--example", "ledger-torture"]
    done = subprocess.run(command, cwd=forge.ROOT, capture_output=True, text=True, timeout=3000)
    if not tally.check("stores: it builds with `--features s3,postgres`", done.returncode == 0, done.stderr[-2000:]):
        return None
    home = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", forge.ROOT / "target")) / "debug"
    return home / "ccgate", home / "examples" / "ledger-torture"
