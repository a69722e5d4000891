"""Time-stamps end to end: authorities of `openssl ts`, authorities that cheat, and `openssl ts -verify` on what was kept."""
import datetime
import hashlib
import re
import shutil
import subprocess

from . import forge, tools, tsa


def run(tally, ours, records):
    """Stamps the ledger of `records` signed records; leaves the last honest token there."""
    if tools.system(tally, "openssl") is None:
        return False
    folder, home = ours.folder, forge.WORK / "authorities"
    shutil.rmtree(home, ignore_errors=True)
    honest = {"RSA": tsa.Authority(home / "rsa"), "ECDSA over two authorities": tsa.Authority(home / "ec", key="ec", depth=2), "P-384": tsa.Authority(home / "p384", key="p384")}
    token, note = folder / "ledger" / "anchors" / f"{records}.tsr", folder / "ledger" / "anchors" / f"{records}.note"
    _hostile(tally, ours, home, honest["RSA"], token, note)
    for name, authority in honest.items():
        for chain in (True, False) if name == "RSA" else (True,):
            _stamped(tally, ours, f"{name}, {'chain' if chain else 'one certificate'}", authority, chain, token, note)
    _kept(tally, ours, token)
    return True


def _anchor(ours, answer, root, *more):
    (ours.folder / "roots.pem").write_text(root)
    with tsa.Server(answer) as server:
        done = ours.run("ledger", "anchor", "dir:ledger", "--tsa", server.url, "--tsa-roots", "roots.pem", *more, CCGATE_TOKEN="a-token-of-the-platform", CCGATE_LEDGER_KEY="")
    return done, server.seen


def _now(**later):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**later)).strftime("%Y%m%d%H%M%SZ")


def _nonce(request):
    return int.from_bytes(tsa.parts(tsa.parts(request)[0][1])[2][1], "big")


def _hostile(tally, ours, home, honest, token, note):
    imprint = hashlib.sha256(note.read_bytes()).digest()
    briefly = tsa.Authority(home / "briefly", days=1)
    server = tsa.Authority(home / "server", usage="extendedKeyUsage = critical, serverAuth")
    mild = tsa.Authority(home / "mild", usage="extendedKeyUsage = timeStamping")
    recorded = honest.answer(tsa.request(note.read_bytes(), 0x4102030405060708))

    def forged(authority, **other):
        return lambda request: authority.forge(**{"imprint": imprint, "time": _now(), "nonce": _nonce(request), **other})

    cheats = {
        "an answer to another request": (lambda request: recorded, honest),
        "no nonce": (forged(honest, nonce=None), honest),
        "another note": (forged(honest, imprint=hashlib.sha256(b"another").digest()), honest),
        "a time to come": (forged(honest, time=_now(hours=2)), honest),
        "a time gone by": (forged(honest, time=_now(hours=-2)), honest),
        "an expired certificate": (forged(briefly, time=_now(days=9)), briefly),
        "a certificate of a web server": (forged(server), server),
        "a purpose that is not critical": (forged(mild), mild),
        "an authority that nobody named": (forged(honest), briefly),
        "another certificate's name": (forged(honest, named=briefly.certificate(), brought=[briefly.certificate(), honest.certificate()]), briefly),
        "a digest of something else": (forged(honest, digest_of=b"something else"), honest),
        "a refusal": (lambda request: tsa.sequence(tsa.sequence(tsa.integer(2))), honest),
        "half of it": (lambda request: honest.answer(request)[:-700], honest),
        "a page": (lambda request: b"<html>", honest),
        "nothing": (lambda request: b"", honest),
    }
    for what, (answer, root) in cheats.items():
        done, _ = _anchor(ours, answer, root.root)
        tally.check(f"ledger anchor: {what} is refused and not kept", done.returncode == 5 and not token.exists(), f"{done.returncode} {done.stdout}{done.stderr}")
    done = ours.run("ledger", "anchor", "dir:ledger", "--tsa", "http://127.0.0.1:9/", "--tsa-roots", "roots.pem", "--timeout", "2")
    tally.check("ledger anchor: an authority that does not answer leaves it undecided", done.returncode == 3, done.stdout + done.stderr)


def _stamped(tally, ours, name, authority, chain, token, note):
    token.unlink(missing_ok=True)
    done, seen = _anchor(ours, lambda request: authority.answer(request, chain=chain), authority.root)
    fine = done.returncode == 0 and token.is_file()
    if not tally.check(f"ledger anchor, {name}: openssl's answer is kept", fine, done.stdout + done.stderr):
        return
    secret = any("token-of-the-platform" in str(headers) for headers, _ in seen)
    tally.check(f"ledger anchor, {name}: one small request without a token", len(seen) == 1 and len(seen[0][1]) == 69 and not secret, seen)
    verified = ours.run("ledger", "verify", "dir:ledger", "--allowed-signers", "signers", "--tsa-roots", "roots.pem")
    fine = verified.returncode == 0 and re.search(r"level +L2", verified.stdout) and "anchored in time up to" in verified.stdout
    tally.check(f"ledger verify, {name}: the level is L2", fine, verified.stdout + verified.stderr)
    again, seen = _anchor(ours, authority.answer, authority.root)
    tally.check(f"ledger anchor, {name}: is not asked for twice", again.returncode == 0 and not seen, again.stdout + again.stderr)
    foreign = forge.WORK / "authorities" / "briefly" / "root.pem"
    done, seen = _anchor(ours, authority.answer, foreign.read_text())
    tally.check(f"ledger anchor, {name}: another authority's token is not taken for done", done.returncode == 5 and not seen, done.stdout + done.stderr)
    (ours.folder / "roots.pem").write_text(authority.root)
    tally.check(f"openssl, {name}: accepts what was kept", _openssl(token, note, ours.folder / "roots.pem"), "")


def _openssl(token, note, roots, *more):
    command = ["openssl", "ts", "-verify", *more, "-data", note, "-in", token, "-CAfile", roots]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _kept(tally, ours, token):
    """Flips and cuts of the kept token: refused, or in a part that nobody signed and without effect."""
    was = token.read_bytes()
    verify = ["ledger", "verify", "dir:ledger", "--allowed-signers", "signers", "--tsa-roots", "roots.pem"]
    honest = ours.run(*verify).stdout
    made = refused = 0
    for at in range(0, len(was), 37):
        for changed in (was[:at] + bytes([was[at] ^ 1 << at % 8]) + was[at + 1 :], was[:at]):
            token.write_bytes(changed)
            done = ours.run(*verify)
            made, refused = made + 1, refused + (done.returncode == 5)
            if done.returncode != 5 and done.stdout != honest:
                tally.check(f"ledger verify: a change at byte {at} of the token is found", False, done.stdout)
    token.write_bytes(was)
    print(f"     time-stamp: {refused} of {made} changes refused, the others without effect", flush=True)
    tally.check("ledger verify: changes of a token are refused or without effect", refused * 4 > made * 3, f"{refused} of {made}")
    other = tsa.Authority(forge.WORK / "authorities" / "unknown")
    (ours.folder / "others.pem").write_text(other.root)
    done = ours.run("ledger", "verify", "dir:ledger", "--tsa-roots", "others.pem")
    tally.check("ledger verify: a token of an authority that nobody named does not count", done.returncode == 5 and "L2" not in done.stdout.split("for L")[0], done.stdout)
    done = ours.run("ledger", "verify", "dir:ledger")
    tally.check("ledger verify: a token without roots breaks nothing and counts for nothing", done.returncode == 0 and re.search(r"level +L0", done.stdout), done.stdout)


def pack(tally, ours):
    """The command in the pack's README, with the root that the auditor brought."""
    folder = ours.folder / "pack"
    shutil.copy(ours.folder / "roots.pem", folder / "roots.pem")
    for line in re.findall(r"^ +(openssl ts .*)$", (folder / "README.md").read_text(), re.M):
        done = subprocess.run(line.split(), cwd=folder, capture_output=True, text=True, check=False)
        good = "Verification: OK" if "-verify" in line else "Time stamp:"
        tally.check(f"ledger pack: {' '.join(line.split()[:3])} says what README.md says", done.returncode == 0 and good in done.stdout + done.stderr, line + done.stdout + done.stderr)
    (folder / "roots.pem").unlink()
    tally.check("ledger pack: names the command that verifies the time-stamp", "-attime" in (folder / "README.md").read_text())


def levels(tally, ours):
    """L3 with the pack as the copy, L4 with the checkpoint that was mailed; each only above the one below."""
    mailed = ours.run("ledger", "checkpoint", "dir:ledger")
    (ours.folder / "mailed").write_text(mailed.stdout)
    tally.check("ledger checkpoint: prints the newest one", mailed.stdout == (ours.folder / "ledger" / "log" / "checkpoint").read_text(), mailed.stdout)
    signers, stamp = ["--allowed-signers", "signers"], ["--tsa-roots", "roots.pem"]
    copy, kept = ["--copy", "pack"], ["--trusted-checkpoint", "mailed"]
    for wanted, given in (("L0", []), ("L1", signers), ("L2", signers + stamp), ("L3", signers + stamp + copy), ("L4", signers + stamp + copy + kept), ("L0", kept), ("L1", signers + copy + kept)):
        done = ours.run("ledger", "verify", "dir:ledger", *given)
        tally.check(f"ledger verify: {wanted} with {' '.join(given[::2]) or 'nothing'}", done.returncode == 0 and re.search(rf"level +{wanted}", done.stdout), done.stdout + done.stderr)
