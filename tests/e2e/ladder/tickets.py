"""Tickets read back: issues of the double, and a Jira on loopback that gives the answers such servers give."""
import http.server
import json
import threading

from . import forge

ISSUES = """version: 1
controls:
  ticket-accountable: {states: [open], requester_may_approve: %s}
"""
JIRA = """version: 1
controls:
  ticket-accountable: {tracker: jira, pattern: "ENG-[0-9]+", types: [Story], states: ["In Progress"]}
"""


def run(tally, binary, double):
    scenario = json.loads((double / "scenarios" / "github-compliant.json").read_text())
    repository = scenario["github"]["repositories"][0]
    issue = repository["issues"][0]
    for name, change, verdict in (
        ("open", {}, "pass"),
        ("closed before the work", {"state": "closed", "closed_at": "2026-05-02T09:00:00Z", "created_at": "2026-05-01T09:00:00Z"}, "fail"),
        # A tracker answers alike about what is not there and about what it hides.
        ("gone", {"number": 9}, "unknown"),
    ):
        was = dict(issue)
        issue.update(change)
        _issue(tally, binary, scenario, f"an issue that is {name}", verdict)
        issue.clear()
        issue.update(was)
    _jira(tally, binary, scenario, repository)


def _issue(tally, binary, scenario, name, verdict):
    policy = forge.WORK / "tickets.yml"
    policy.write_text(ISSUES % "true")
    with forge.Forge(scenario) as double:
        given = double.github() | {"GITHUB_TOKEN": forge.secrets(scenario)["full-app"]}
        result = forge.check(binary, given, "--platform", "github", "--repo", "acme/app", "--change", 7, "--policy", policy)
    control = result.control("CHG-11")
    tally.check(f"{name}: CHG-11 is {verdict}", control.get("verdict") == verdict, str(control) or result.story())


def _jira(tally, binary, scenario, repository):
    change = next(one for one in repository["pull_requests"] if one["number"] == 7)
    change["title"] = "Fix rounding (ENG-3)"
    policy = forge.WORK / "jira.yml"
    policy.write_text(JIRA)
    for name, answer, verdict, word in (
        ("a story in progress", _ticket("ENG-3", "Story", "In Progress"), "pass", "ENG-3"),
        ("a story that is done", _ticket("ENG-3", "Story", "Done"), "fail", "Done"),
        ("another ticket than the one asked for", _ticket("OPS-1", "Story", "In Progress"), None, ""),
        ("no such ticket", (404, "application/json", '{"errorMessages": ["no"]}', {}), "unknown", "JIRA_TOKEN"),
        ("a token that it refuses", (401, "application/json", "{}", {}), "unknown", "JIRA_TOKEN"),
        ("a page in HTML", (200, "text/html", "<html>log in</html>", {}), "unknown", ""),
        ("a way to the login page", (302, "text/html", "", {"Location": "/login"}), "unknown", ""),
    ):
        with _Jira(answer) as jira, forge.Forge(scenario) as double:
            given = double.github() | {"GITHUB_TOKEN": forge.secrets(scenario)["full-app"], "JIRA_URL": jira.url, "JIRA_TOKEN": "made-up"}
            result = forge.check(binary, given, "--platform", "github", "--repo", "acme/app", "--change", 7, "--policy", policy)
        control = result.control("CHG-11")
        told = control.get("verdict")
        tally.check(f"Jira gives {name}: CHG-11 is {verdict or 'no pass'}", told == verdict if verdict else told in ("fail", "unknown"), str(control) or result.story())
        tally.check(f"Jira gives {name}: it says so", word in json.dumps(control), str(control))
        tally.check(f"Jira gives {name}: nothing but the ticket is asked for", set(jira.asked) == {jira.asked[0]} and "ENG-3" in jira.asked[0], str(jira.asked))
        tally.check(f"Jira gives {name}: the token is in no output", "made-up" not in result.out + result.err)


def _ticket(key, kind, state):
    fields = {
        "status": {"name": state, "statusCategory": {"key": "done" if state == "Done" else "indeterminate"}}, "issuetype": {"name": kind}, "created": "2026-05-01T09:00:00.000+0000", "resolutiondate": "2026-05-02T09:00:00.000+0000" if state == "Done" else None,
        "reporter": {"accountId": "a-1", "name": "carol"}, "project": {"key": key.split("-")[0]},
    }
    return 200, "application/json", json.dumps({"key": key, "fields": fields}), {}


class _Jira:
    """Gives one answer to everything, and keeps what was asked for."""

    def __init__(self, answer):
        self.asked = asked = []
        status, kind, body, more = answer

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
