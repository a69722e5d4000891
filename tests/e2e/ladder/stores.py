"""Ledgers on servers: each half starts a real one. They need builds with features of their own."""
from . import bucket

HALVES = [bucket.run]


def run(tally, _binary, double):
    for half in HALVES:
        half(tally, double)
