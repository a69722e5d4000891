"""The plain words of the double's scenarios, as conjunctions of control codes.

A sentence that no built control answers is named as skipped; a sentence nobody listed is a failure,
so that a new scenario cannot go by unseen. `part`: only a part of the sentence has a control yet."""
import re

# sentence -> codes; `change`, `commit` and `two` say how to run.
MEANINGS = [
    (r"main requires a pull request", ["BR-02"]),
    (r"at least one approval is required and stale approvals are dismissed", ["BR-03", "BR-04"]),
    (r"required checks are present, pinned to an app and up to date", ["BR-13", "BR-15", "BR-16", "BR-17"]),
    (r"nobody can bypass the rules", ["BR-21", "BR-22"]),
    (r"force pushes and deletion are blocked", ["BR-18", "BR-19"]),
    (r"change #(?P<change>\d+) is approved by someone other than its authors, after its last commit", ["CHG-02", "CHG-03", "CHG-04"]),
    (r"change #(?P<change>\d+) is approved by someone other than its authors", ["CHG-02", "CHG-04"]),
    (r"required checks of change #(?P<change>\d+) are green", ["CHG-13"]),
    (r"commit (?P<commit>\w+) came through a pull request", ["CHG-01"]),
    (r"(?P<may>every change on main in May 2026 came through a reviewed pull request)", ["CHG-19", "CHG-21"]),
    (r"(?P<may>every bypass in the last month is explained)", ["CHG-20"]),
    (r"(?P<may>bypass evidence is complete)", ["CHG-20"]),
    (r"no open secret scanning alerts", ["SCAN-13"]),
    (r"(?P<noted>an approval note by someone other than the author exists after the last commit)", ["CUS-approval-noted"]),
    (r"(?P<queue>required checks are green on the queue commit)", ["CHG-13"]),
    (r"(?P<two>two approvals are required)", ["BR-03"]),
    (r"main accepts changes through merge requests only", ["BR-02"]),
    (r"organisation requires two-factor authentication", ["ORG-01"]),
    (r"every member has two-factor authentication", ["ORG-02"]),
    (r"merge queue is required", ["BR-17"]),
    (r"every required check is reported by somebody", ["BR-16"]),
    (r"signed commits are required", ["BR-25"]),
    (r"deploy keys are read-only", ["ACC-04"]),
    (r"no open code scanning alerts on the change", ["SCAN-01"]),
    (r"default workflow token is read-only", ["PIPE-01"]),
    (r"(?P<outside>no outside collaborator has admin)", ["ACC-02"]),
    (r"authors and committers cannot approve their own change", ["BR-06", "BR-07"]),
    (r"(?P<release>release branches are protected)", ["BR-01"]),
    (r"at least one approval is required", ["BR-03"]),
    (r"approvals are removed on push", ["BR-04"]),
    (r"pipeline must succeed before merge", ["BR-13"]),
    (r"main cannot be force-pushed", ["BR-18"]),
    (r"change !(?P<change>\d+) is approved by someone other than its authors, after its last push", ["CHG-02", "CHG-03", "CHG-04"]),
]

# No built control answers these.
OUTSIDE = []

# Numbers of an organisation, which no single check tells: counted where its settings are read (`--only settings`).
COUNTED = [
    r"repositories in scope",
    r"repositories whose main requires a pull request",
    r"repositories with an unprotected main",
]


def meaning(sentence):
    """(codes, what to run) of a sentence, "outside", "counted", or None if nobody listed it."""
    for pattern, codes in MEANINGS:
        if match := re.fullmatch(pattern, sentence):
            return codes, {key: value for key, value in match.groupdict().items() if value}
    for word, patterns in (("outside", OUTSIDE), ("counted", COUNTED)):
        if any(re.fullmatch(pattern, sentence) for pattern in patterns):
            return word
    return None


def all_of(verdicts):
    """Three-valued conjunction. Anything but the three words is no answer to a sentence."""
    if not verdicts or any(word not in ("pass", "fail", "unknown") for word in verdicts):
        return "none of the three: " + ", ".join(map(str, verdicts))
    if "fail" in verdicts:
        return "fail"
    return "unknown" if "unknown" in verdicts else "pass"


def agrees(expected, got, part):
    """Whether the verdicts fit the sentence. A part must pass where the whole does, and may do better where it does not."""
    return got == expected or (part and expected != "pass" and got in ("pass", "fail", "unknown"))
