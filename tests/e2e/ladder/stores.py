"""Ledgers that lie in a store of somebody else's: one half for each kind, for a binary that was built with it."""
from . import database

HALVES = [database.run]


def run(tally, binary, double):
    for half in HALVES:
        half(tally, binary, double)
