"""Time-stamping authorities of our own: `openssl ts` where it answers honestly, and a few lines of DER where somebody cheats.

    python3 tests/e2e/ladder/tsa.py NOTE FOLDER

writes the tokens and roots in tests/tokens anew, over NOTE. Keys stay in a folder that goes away.
"""
import base64
import hashlib
import http.server
import pathlib
import subprocess
import sys
import tempfile
import threading

TIME_STAMPING = "extendedKeyUsage = critical, timeStamping"
CONFIG = """
[ tsa ]
default_tsa = tsa1
[ tsa1 ]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = {ess}
"""


class Authority:
    """A root, perhaps one below it, and a certificate that signs time-stamps."""

    def __init__(self, folder, key="rsa", depth=1, usage=TIME_STAMPING, days=36500):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = key
        self._make("root", None, "basicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign", 36500)
        above = "root"
        if depth == 2:
            self._make("middle", above, "basicConstraints = critical, CA:true\nkeyUsage = critical, keyCertSign", 36500)
            above = "middle"
        self._make("signer", above, f"basicConstraints = CA:false\nkeyUsage = critical, digitalSignature\n{usage}", days)
        self.depth = depth
        self.root = (self.folder / "root.pem").read_text()

    def _make(self, name, above, extensions, days):
        kind = {"rsa": ["rsa", "-pkeyopt", "rsa_keygen_bits:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
                "p384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]}[self.key]
        self._openssl("genpkey", "-algorithm", *kind, "-out", f"{name}.key")
        (self.folder / f"{name}.ext").write_text(extensions + "\n")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN=test {name} {self.folder.name}", "-out", f"{name}.csr")
        signed = ["-CA", f"{above}.pem", "-CAkey", f"{above}.key", "-CAcreateserial"] if above else ["-signkey", f"{name}.key"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-days", str(days), "-sha256", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def _openssl(self, *arguments, data=None):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, input=data, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return done.stdout

    def answer(self, request, chain=False, ess="sha256"):
        """What `openssl ts` answers."""
        (self.folder / "ts.cnf").write_text(CONFIG.format(folder=self.folder, ess=ess))
        (self.folder / "serial").write_text("01\n")
        (self.folder / "request.tsq").write_bytes(request)
        more = ["-chain", "middle.pem"] if chain and self.depth == 2 else ["-chain", "root.pem"] if chain else []
        self._openssl("ts", "-reply", "-config", "ts.cnf", "-queryfile", "request.tsq", "-signer", "signer.pem", "-inkey", "signer.key", *more, "-out", "answer.tsr")
        return (self.folder / "answer.tsr").read_bytes()

    def certificate(self, name="signer"):
        text = (self.folder / f"{name}.pem").read_text()
        return base64.b64decode("".join(text.split("-----")[2].split()))

    def forge(self, imprint, time, nonce=None, named=None, brought=None, status=0, old_ess=False, digest_of=None, text=None):
        """A token with whatever time and certificate somebody wants, signed with this authority's key."""
        info = sequence(integer(1), oid("1.2.3.4.1"), sequence(sequence(oid(SHA256), b"\x05\x00"), der(4, imprint)), integer(7),
                        der(0x18, time.encode()), *([integer(nonce)] if nonce is not None else []))
        certificate = named or self.certificate()
        if old_ess:
            ess = sequence(oid("1.2.840.113549.1.9.16.2.12"), der(0x31, sequence(sequence(sequence(der(4, hashlib.sha1(certificate).digest()))))))
        else:
            ess = sequence(oid("1.2.840.113549.1.9.16.2.47"), der(0x31, sequence(sequence(sequence(der(4, hashlib.sha256(certificate).digest()))))))
        attributes = sorted([
            sequence(oid("1.2.840.113549.1.9.3"), der(0x31, oid(TST_INFO))),
            sequence(oid("1.2.840.113549.1.9.4"), der(0x31, der(4, hashlib.sha256(digest_of or info).digest()))),
            ess,
        ])
        (self.folder / "signed").write_bytes(der(0x31, b"".join(attributes)))
        signature = self._openssl("dgst", "-sha256", "-sign", "signer.key", "signed")
        algorithm = sequence(oid("1.2.840.113549.1.1.11"), b"\x05\x00") if self.key == "rsa" else sequence(oid("1.2.840.10045.4.3.2"))
        signer = sequence(integer(1), issuer_and_serial(certificate), sequence(oid(SHA256)), der(0xA0, b"".join(attributes)), algorithm, der(4, signature))
        signed = sequence(integer(3), der(0x31, sequence(oid(SHA256))), sequence(oid(TST_INFO), der(0xA0, der(4, info))),
                          der(0xA0, b"".join(brought or [certificate])), der(0x31, signer))
        words = [sequence(der(0x0C, text.encode()))] if text else []
        return sequence(sequence(integer(status), *words), sequence(oid("1.2.840.113549.1.7.2"), der(0xA0, signed)))


SHA256 = "2.16.840.1.101.3.4.2.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"


def der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def sequence(*parts):
    return der(0x30, b"".join(parts))


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = (int(part) for part in text.split("."))
    content = b""
    for number in [first * 40 + second, *rest]:
        low = [number & 0x7F]
        while number := number >> 7:
            low.insert(0, number & 0x7F | 0x80)
        content += bytes(low)
    return der(6, content)


def parts(content):
    """The values in these bytes: tag, content, whole."""
    found, at = [], 0
    while at < len(content):
        length, head = content[at + 1], 2
        if length & 0x80:
            size = length & 0x7F
            length, head = int.from_bytes(content[at + 2 : at + 2 + size], "big"), 2 + size
        end = at + head + length
        found.append((content[at], content[at + head : end], content[at:end]))
        at = end
    return found


def issuer_and_serial(certificate):
    body = parts(parts(parts(certificate)[0][1])[0][1])
    return sequence(body[3][2], body[1][2])


def request(data, nonce=None):
    imprint = sequence(sequence(oid(SHA256), b"\x05\x00"), der(4, hashlib.sha256(data).digest()))
    return sequence(integer(1), imprint, *([integer(nonce)] if nonce else []), b"\x01\x01\xff")


class Server:
    """An authority at an address; `answer` makes the reply of each request."""

    def __init__(self, answer):
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.seen.append((dict(handler.headers), body))
                reply = answer(body)
                handler.send_response(200)
                handler.send_header("Content-Type", "application/timestamp-reply")
                handler.send_header("Content-Length", str(len(reply)))
                handler.end_headers()
                handler.wfile.write(reply)

            def log_message(handler, *_):  # noqa: N805
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/tsr"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def kept(response):
    """The file that ccgate keeps of a response."""
    return sequence(b"\x30\x03\x02\x01\x00", parts(parts(response)[0][1])[1][2])


def fixtures(note, folder):
    data = note.read_bytes()
    imprint = hashlib.sha256(data).digest()
    nonce = 0x4102030405060708
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        rsa, ec = Authority(home / "rsa"), Authority(home / "ec", key="ec", depth=2)
        p384 = Authority(home / "p384", key="p384")
        briefly = Authority(home / "briefly", days=1)
        other = Authority(home / "other", usage="extendedKeyUsage = critical, serverAuth")
        both = Authority(home / "both", usage="extendedKeyUsage = critical, timeStamping, serverAuth")
        mild = Authority(home / "mild", usage="extendedKeyUsage = timeStamping")
        none = Authority(home / "none", usage="subjectKeyIdentifier = hash")
        twin = briefly.certificate()
        at = "20261129200000Z"
        tokens = {
            "rsa": rsa.answer(request(data, nonce)),
            "rsa-two": rsa.answer(request(data, nonce), chain=True),
            "rsa-sha1-name": rsa.answer(request(data, nonce), ess="sha1"),
            "ec": ec.answer(request(data, nonce), chain=True),
            "ec-one": ec.answer(request(data, nonce)),
            "p384": p384.answer(request(data, nonce), chain=True),
            "words": rsa.forge(imprint, at, nonce, status=1, text="granted, with modifications"),
            "fraction": rsa.forge(imprint, "20261129200000.25Z", nonce),
            "no-nonce": rsa.forge(imprint, at),
            "other-note": rsa.forge(hashlib.sha256(b"another note").digest(), at, nonce),
            "far-future": rsa.forge(imprint, "20990101000000Z", nonce),
            "briefly": briefly.forge(imprint, at, nonce),
            "expired": briefly.forge(imprint, "20301129170000Z", nonce),
            "early": briefly.forge(imprint, "20251129170000Z", nonce),
            "server": other.forge(imprint, at, nonce),
            "both": both.forge(imprint, at, nonce),
            "mild": mild.forge(imprint, at, nonce),
            "none": none.forge(imprint, at, nonce),
            "named-other": rsa.forge(imprint, at, nonce, named=twin, brought=[twin, rsa.certificate()]),
            "digest-other": rsa.forge(imprint, at, nonce, digest_of=b"another time-stamp"),
            "refused": sequence(sequence(integer(2), der(3, b"\x05\x20"))),
        }
        for name, response in tokens.items():
            (folder / f"{name}.tsr").write_bytes(response)
        for authority in (rsa, ec, p384, briefly, other, both, mild, none):
            (folder / f"{authority.folder.name}.pem").write_text(authority.root)


if __name__ == "__main__":
    fixtures(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
