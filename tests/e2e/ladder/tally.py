"""Counts what passed and failed, and says it plainly. Knows nothing of what is tested."""
import contextlib
import os
import time
import traceback


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures = []
        self.absent = []

    def check(self, name, holds, detail=""):
        """One assertion. A failure prints its detail at once."""
        if holds:
            self.passed += 1
        else:
            self.failures.append(name)
            print(f"FAIL {name}" + (f"\n     {detail}" if detail else ""), flush=True)
        return bool(holds)

    def missing(self, what, why):
        """Something could not be run. Loud here, a failure in CI."""
        print(f"MISSING {what}: {why}", flush=True)
        self.absent.append(what)
        if os.environ.get("CI") == "true":
            self.failures.append(f"missing: {what}")

    @contextlib.contextmanager
    def part(self, name):
        """A part that breaks is one failure; the others still run."""
        print(f"--- {name}", flush=True)
        start = time.monotonic()
        try:
            yield
        except Exception:  # noqa: BLE001 - whatever it was, it counts
            self.check(f"{name} ran to its end", False, traceback.format_exc())
        print(f"--- {name}: {time.monotonic() - start:.1f} s", flush=True)

    def close(self):
        for name in self.failures:
            print(f"failed: {name}")
        for name in self.absent:
            print(f"not run: {name}")
        if not self.passed and not self.failures:
            print("nothing was checked")
        print(f"{self.passed} passed, {len(self.failures)} failed")
        return 0 if self.passed and not self.failures else 1
