"""Every key of every answer is taken away, one after the other: less sight never turns a verdict into a pass.

The answers of one run against the double are kept and served again with one hole in them."""
import concurrent.futures
import http.server
import json
import os
import re
import threading
import urllib.error
import urllib.request

from . import forge

# Scenario -> (platform, token, change). Chosen for what fails in them: only that can turn.
SUBJECTS = {
    "github-bypass-always": ("github", "full-app", 7),
    "github-classic-only": ("github", "full-app", 7),
    "gitlab-author-approval": ("gitlab", "project-bot", 7),
    "gitlab-wildcard-most-permissive": ("gitlab", "project-bot", 7),
}
# Where a key that is not there means something by the platform's own word.
MEANINGFUL = {}
AT_ONCE = max(2, os.cpu_count() or 2)


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that ended while its connection was open is nothing to report."""


class Replay:
    """The double behind a server that keeps its answers. Addresses begin with the number of a hole; 0 is none."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.answers = {}
        self.holes = [None]
        replay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                replay.serve(self)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def base(self, hole):
        return f"http://127.0.0.1:{self.server.server_address[1]}/{hole}"

    def serve(self, handler):
        _, hole, path = handler.path.split("/", 2)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        key = (handler.command, path, body)
        if key not in self.answers:
            self.answers[key] = self._ask(handler, path, body)
        status, headers, text = self.answers[key]
        chosen = self.holes[int(hole)]
        if chosen and chosen[0] == place(key):
            text = json.dumps(without(json.loads(text), chosen[1], chosen[2])).encode()
        text = text.replace(self.upstream.encode(), self.base(hole).encode())
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value.replace(self.upstream, self.base(hole)))
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _ask(self, handler, path, body):
        kept = {name: value for name, value in handler.headers.items() if name.lower() not in ("host", "accept-encoding", "connection")}
        request = urllib.request.Request(f"{self.upstream}/{path}", data=body or None, headers=kept, method=handler.command)
        try:
            answer = urllib.request.urlopen(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read()
        dropped = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "server")
        return answer.status, [(name, value) for name, value in answer.headers.items() if name.lower() not in dropped], text

    def dig(self):
        """One hole for each key that any answer has, lists taken as a whole."""
        for key, (status, _, text) in list(self.answers.items()):
            try:
                value = json.loads(text)
            except ValueError:
                continue
            if status < 300:
                # A GraphQL answer holds every field that was asked for: what is hidden is null there.
                kind = "null" if key[0] == "POST" else "missing"
                for steps in keys(value):
                    hole = (place(key), steps, kind)
                    if hole not in self.holes:
                        self.holes.append(hole)


def place(key):
    """What was asked, without what is different in every scenario."""
    method, path, body = key
    if method == "POST":
        named = re.search(rb"query (\w+)", body)
        return "graphql " + (named[1].decode() if named else "?")
    return re.sub(r"[0-9a-f]{40}|\d+", "N", path.split("?")[0])


def keys(value, steps=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*steps, name)
            yield from keys(inner, (*steps, name))
    elif isinstance(value, list):
        seen = set()
        for inner in value:
            for found in keys(inner, (*steps, "[]")):
                if found not in seen:
                    seen.add(found)
                    yield found


def without(value, steps, kind):
    """The value with the key taken away, in every element of a list on the way."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if step == "[]":
        return [without(inner, rest, kind) for inner in value] if isinstance(value, list) else value
    if not isinstance(value, dict) or step not in value:
        return value
    if rest:
        return {**value, step: without(value[step], rest, kind)}
    if kind == "null":
        return {**value, step: None}
    return {name: inner for name, inner in value.items() if name != step}


def run(tally, binary, double):
    for name, subject in SUBJECTS.items():
        _subject(tally, binary, double / "scenarios" / f"{name}.json", *subject)


def _subject(tally, binary, path, platform, token, change):
    secret = forge.secrets(json.loads(path.read_text()))[token]
    with forge.Forge(path) as double:
        url = double.urls[f"{platform}_api"]
        upstream = url.split("/api/")[0]
        with Replay(upstream) as replay:
            def judged(hole):
                base = replay.base(hole)
                there = {name: value.replace(upstream, base) for name, value in getattr(double, platform)().items()}
                given = there | {"CCGATE_TOKEN": secret}
                return forge.check(binary, given, "--platform", platform, "--repo", "acme/app", "--policy", "soc2-all", "--change", change)

            calm = judged(0)
            replay.dig()
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                results = list(pool.map(judged, range(1, len(replay.holes))))
        holes = replay.holes[1:]
    wrong = []
    for hole, result in zip(holes, results):
        turned = [code for code, verdict in calm.verdicts().items() if opened(verdict, result.verdicts().get(code))]
        if result.code not in (0, 1, 2, 3, 4) or result.decision is None:
            turned.append(result.story())
        allowed = MEANINGFUL.get((hole[0], hole[1]), ())
        turned = [code for code in turned if code not in allowed]
        if turned:
            wrong.append(f"{hole[2]} {'.'.join(hole[1])} of {hole[0]}: {', '.join(turned)}")
    print(f"{path.stem:36} {len(holes)} holes, {len(wrong)} that open something", flush=True)
    tally.check(f"{path.stem}: there is something to hide and something that fails", len(holes) > 100 and "fail" in calm.verdicts().values(), calm.story())
    tally.check(f"{path.stem}: no hole in any answer opens anything", not wrong, "\n".join(wrong))


def opened(before, after):
    """Whether a verdict is better than the one with all sight."""
    return before in ("fail", "unknown") and after in ("pass", "not_applicable")
