#!/usr/bin/env python3
"""Verifies a ccgate ledger folder with Python's standard library alone.

    python3 verify.py LEDGER [--allowed-signers FILE] [--trusted CHECKPOINT]

Written from docs/ledger-format.md, sharing no code with ccgate. Checks every
entry, copy, blob, tile, the root, and each kept checkpoint; signatures through
`ssh-keygen -Y verify` if it is installed (skipped loudly if not). Of time-stamps it
sees only that they are over their notes: `openssl ts -verify` says whether they hold.
Exit code 0: everything fits; 5: something does not.
"""
import argparse
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

WIDTH = 256
ENVELOPE = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]+)","payloadType":"application/vnd\.in-toto\+json","signatures":\[\]\}'
)


class Broken(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha(b"\x01" + left + right)


def tile_name(level, index, width):
    groups = ["%03d" % (index % 1000)]
    index //= 1000
    while index:
        groups.insert(0, "x%03d" % (index % 1000))
        index //= 1000
    return "log/tile/%s/%s%s" % (level, "/".join(groups), "" if width == WIDTH else ".p/%d" % width)


def subtree(hashes):
    """Root over any number of hashes, split at the largest power of two below."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node(subtree(hashes[:split]), subtree(hashes[split:]))


def parse_checkpoint(data, what):
    text = data.decode("utf-8")
    head, blank, signatures = text.partition("\n\n")
    lines = (head if not blank else head + "\n").split("\n")
    if len(lines) != 4 or lines[3] or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
        raise Broken("%s is no checkpoint" % what)
    root = base64.b64decode(lines[2], validate=True)
    if len(root) != 32 or base64.b64encode(root).decode() != lines[2]:
        raise Broken("%s has no proper root" % what)
    if blank and not re.fullmatch(r"(\u2014 \S+ [A-Za-z0-9+/=]+\n)+", signatures):
        raise Broken("%s has a bad signature line" % what)
    return lines[0], int(lines[1]), root


def record(leaf):
    """Where the copy of an entry lies, and of what is a reference the digest and the size of its blob; None of what is no envelope."""
    match = ENVELOPE.fullmatch(leaf)
    if not match:
        return None
    payload = base64.b64decode(match[1], validate=True)
    statement = json.loads(payload)
    predicate = statement["predicate"]
    month = "0000/00"
    time = re.match(r"(\d{4})-(\d\d)-\d\dT.*Z$", str(predicate.get("observed_at")))
    if time:
        month = "%s/%s" % (time[1], time[2])
    copy = "records/%s/rec_%s.json" % (month, hashlib.sha256(payload).hexdigest()[:32])
    if statement["predicateType"] != "https://ccgate.dev/blob-reference/v1":
        return copy, None
    return copy, (predicate["blob"]["digest"]["sha256"], predicate["blob"]["size"])


class Ledger:
    def __init__(self, folder):
        self.folder = folder
        self.rest = set()
        for base, _, names in os.walk(folder):
            inside = os.path.relpath(base, folder)
            for name in names:
                self.rest.add(os.path.normpath(os.path.join(inside, name)).replace(os.sep, "/"))

    def read(self, path):
        self.rest.discard(path)
        try:
            with open(os.path.join(self.folder, path), "rb") as file:
                return file.read()
        except OSError:
            raise Broken("%s is missing" % path) from None

    def entry(self, number, leaf):
        told = record(leaf)
        if not told:
            raise Broken("entry %d is no envelope" % number)
        copy, reference = told
        if self.read(copy) != leaf:
            raise Broken("entry %d: %s differs" % (number, copy))
        if reference:
            digest, size = reference
            blob = self.read("blobs/" + digest)
            if hashlib.sha256(blob).hexdigest() != digest or len(blob) != size:
                raise Broken("entry %d: its blob differs" % number)

    def leaves(self, size):
        hashes = []
        for index in range((size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, size - index * WIDTH)
            data = self.read(tile_name("entries", index, width))
            at = 0
            for _ in range(width):
                length = int.from_bytes(data[at : at + 2], "big")
                leaf = data[at + 2 : at + 2 + length]
                if len(leaf) != length or not length:
                    raise Broken("entry %d is cut off" % len(hashes))
                self.entry(len(hashes), leaf)
                hashes.append(sha(b"\x00" + leaf))
                at += 2 + length
            if at != len(data):
                raise Broken("bytes after entry %d" % (len(hashes) - 1))
        return hashes

    def tiles(self, hashes):
        level = 0
        while hashes:
            above = []
            for index in range((len(hashes) + WIDTH - 1) // WIDTH):
                row = hashes[index * WIDTH : (index + 1) * WIDTH]
                name = tile_name(str(level), index, len(row))
                if self.read(name) != b"".join(row):
                    raise Broken("%s does not fit the entries" % name)
                if len(row) == WIDTH:
                    above.append(subtree(row))
            hashes = above
            level += 1


def signer(signature):
    """The key that a signature names, in base64; its armour has to be as OpenSSH writes it."""
    lines = signature.decode().split("\n")
    data = base64.b64decode("".join(lines[1:-2]), validate=True)
    text = base64.b64encode(data).decode()
    body = "".join(text[at : at + 70] + "\n" for at in range(0, len(text), 70))
    if signature.decode() != "-----BEGIN SSH SIGNATURE-----\n" + body + "-----END SSH SIGNATURE-----\n":
        raise Broken("a signature that is not in its only spelling")
    # `SSHSIG`, four bytes of version, which ssh-keygen lets be 0 too, then the key behind four bytes of length.
    if data[:10] != b"SSHSIG\0\0\0\1":
        raise Broken("a signature is of another version")
    return base64.b64encode(data[14 : 14 + int.from_bytes(data[10:14], "big")]).decode()


def signed(signers, origin, signature, data):
    """True, False, or None without ssh-keygen."""
    tool = shutil.which("ssh-keygen")
    if not tool:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "sig")
        with open(path, "wb") as file:
            file.write(signature)
        command = [tool, "-Y", "verify", "-f", signers, "-I", origin, "-n", "ccgate-ledger", "-s", path]
        return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0


def speaks_of(text, digest):
    """Whether a Sigstore bundle says to be over what has this digest."""
    bundle = json.loads(text)
    if "messageSignature" in bundle:
        return base64.b64decode(bundle["messageSignature"]["messageDigest"]["digest"]) == digest
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    return any(subject["digest"].get("sha256") == digest.hex() for subject in statement["subject"])


def verify(options):
    ledger = Ledger(options.ledger)
    checkpoint = ledger.read("log/checkpoint")
    origin, size, root = parse_checkpoint(checkpoint, "log/checkpoint")
    if ledger.read("FORMAT") != ("ccgate.ledger/v1\n%s\n" % origin).encode():
        raise Broken("FORMAT and the checkpoint differ")
    if "journal" in ledger.rest:
        ledger.rest -= set(ledger.read("journal").decode().split("\n")[1:])
        print("note: an append was interrupted; its files are not looked at")
    hashes = ledger.leaves(size)
    if len(set(hashes)) != len(hashes):
        raise Broken("a record is sealed twice")
    ledger.tiles(hashes)

    def root_at(count):
        return subtree(hashes[:count]) if count else sha(b"")

    if root_at(size) != root:
        raise Broken("the entries do not give the root")
    notes = sorted(int(m[1]) for m in (re.fullmatch(r"anchors/(\d+)\.note", path) for path in ledger.rest) if m)
    signers = options.allowed_signers or os.path.join(options.ledger, "keys", "allowed_signers")
    checked = 0
    keys = []
    for count in notes:
        note = ledger.read("anchors/%d.note" % count)
        if count > size or parse_checkpoint(note, "a note") != (origin, count, root_at(count)):
            raise Broken("anchors/%d.note vouches for other entries: cut off or rewritten" % count)
        if count == size and note != checkpoint:
            raise Broken("the checkpoint is not the one that was signed")
        signature = ledger.read("anchors/%d.sig" % count)
        line = '%s namespaces="ccgate-ledger" ssh-ed25519 %s\n' % (origin, signer(signature))
        keys += [] if line in keys else [line]
        good = signed(signers, origin, signature, note)
        if good is False:
            raise Broken("anchors/%d.sig does not verify" % count)
        checked += good is True
    if b"\n\n" in checkpoint and size not in notes:
        raise Broken("the checkpoint is signed, but its anchor is missing")
    if options.trusted:
        with open(options.trusted, "rb") as file:
            old_origin, old_size, old_root = parse_checkpoint(file.read(), "the trusted checkpoint")
        if old_origin != origin or old_size > size or root_at(old_size) != old_root:
            raise Broken("rolled back or rewritten since the trusted checkpoint of %d records" % old_size)
    if (keys or "keys/allowed_signers" in ledger.rest) and ledger.read("keys/allowed_signers").decode() != "".join(keys):
        raise Broken("keys/allowed_signers does not list exactly the keys that signed")
    stamps = sorted(int(m[1]) for m in (re.fullmatch(r"anchors/(\d+)\.tsr", path) for path in ledger.rest) if m)
    for count in stamps:
        token = ledger.read("anchors/%d.tsr" % count)
        if count not in notes or b"\x04\x20" + sha(ledger.read("anchors/%d.note" % count)) not in token:
            raise Broken("anchors/%d.tsr is not over the note of its size" % count)
    bundles = sorted(int(m[1]) for m in (re.fullmatch(r"anchors/(\d+)\.sigstore\.json", path) for path in ledger.rest) if m)
    for count in bundles:
        bundle = ledger.read("anchors/%d.sigstore.json" % count)
        if count not in notes or not speaks_of(bundle, sha(ledger.read("anchors/%d.note" % count))):
            raise Broken("anchors/%d.sigstore.json is not over the note of its size" % count)
    ledger.rest -= {"lock"}
    strangers = sorted(path for path in ledger.rest if not path.startswith("tmp/"))
    if strangers:
        raise Broken("%s belongs to no record" % strangers[0])
    print("%s: %d records fit, root %s" % (origin, size, root.hex()))
    if not notes:
        print("signatures: none; nothing anchors this ledger but a checkpoint kept elsewhere")
    elif checked < len(notes):
        print("signatures: NOT CHECKED, ssh-keygen is not installed")
    else:
        print("signatures: %d fit%s" % (checked, "" if options.allowed_signers else ", by keys that only this ledger names"))
    if stamps:
        print("time-stamps: %d over their notes; NOT VERIFIED here, `openssl ts -verify` says whether they hold" % len(stamps))
    if bundles:
        print("Sigstore bundles: %d over their notes; NOT VERIFIED here, `cosign` says whether they hold" % len(bundles))
    if notes and notes[-1] < size and options.allowed_signers:
        raise Broken("the last %d records are not signed" % (size - notes[-1]))
    if options.allowed_signers and checked == 0:
        raise Broken("no checkpoint is signed by an allowed signer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ledger")
    parser.add_argument("--allowed-signers")
    parser.add_argument("--trusted")
    try:
        verify(parser.parse_args())
    except (Broken, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        print("BROKEN: %s" % ascii(str(error)), file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
