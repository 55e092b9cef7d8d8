#!/usr/bin/env python3
"""The events of a kube-apiserver log in `--audit-log-format=legacy`, worked out a second time.

    python3 legacy_text.py FILE...

Writes `expected.jsonl` of `tests/data/formats/legacy-text`; shares no code with the engine. A line is
what `EventString` of `staging/src/k8s.io/apiserver/pkg/apis/audit/helpers.go` makes of an event:

    TIME AUDIT: id=%q stage=%q ip=%q method=%q user=%q groups=%q as=%q asgroups=%q user-agent=%q
        namespace=%q uri=%q response="%s"

(`user-agent` is there since 1.20 or so.) `method` is the verb of the event. `<none>`, `<unknown>`,
`<self>`, `<lookup>` and `<deferred>` stand for what the event does not have. `groups` and `asgroups` are
lists of quoted names, quoted once more. Values are quoted as Go's `%q` does, so an escaped byte need not
be UTF-8; such a byte becomes U+FFFD, as in the apiserver's own JSON.

TIME is the event's requestReceivedTimestamp at every stage. It is given as stageTimestamp, which the
line does not have: a time window is about that one.
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
import exact_json
from exact_json import Number
from rancher import request_info

TIME_MEMBER = "stageTimestamp"

LINE = re.compile(r"(\S+) AUDIT: (.*)", re.S)
MEMBER = re.compile(r' ?([a-z-]+)=("(?:[^"\\]|\\.)*")', re.S)
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.S)
ESCAPE = re.compile(
    rb'\\(?:([abfnrtv\\"\'])|x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3}))', re.I
)
SIMPLE = dict(zip(b"abfnrtv\\\"'", "\a\b\f\n\r\t\v\\\"'"))


def unquote(text):
    """The Go string that `text`, quotes included, is the literal of."""

    def byte(match):
        simple, hexadecimal, short, long, octal = match.groups()
        if simple:
            return SIMPLE[simple[0]].encode()
        if hexadecimal:
            return bytes([int(hexadecimal, 16)])
        if octal:
            return bytes([int(octal, 8)])
        return chr(int(short or long, 16)).encode()

    raw = ESCAPE.sub(byte, text[1:-1].encode())
    # One U+FFFD for each byte that is no UTF-8, as Go does it.
    return re.sub("[\udc80-\udcff]", "\ufffd", raw.decode("utf-8", "surrogateescape"))


def quoted_list(text):
    return [unquote(match[0]) for match in QUOTED.finditer(text)]


def event(line):
    """The event of a line, None if it is no line of such a log."""
    match = LINE.fullmatch(line)
    if not match:
        return None
    time, rest = match.groups()
    at, said = 0, {}
    while at < len(rest):
        member = MEMBER.match(rest, at)
        if not member:
            return None
        said[member[1]], at = unquote(member[2]), member.end()

    result = {"auditID": said["id"], "stage": said["stage"]}
    result |= {"requestURI": said["uri"], "verb": said["method"]}
    for name, user, groups, nobody, nothing in (
        ("user", "user", "groups", "<none>", "<none>"),
        ("impersonatedUser", "as", "asgroups", "<self>", "<lookup>"),
    ):
        if said[user] != nobody:
            result[name] = {"username": said[user]}
            if said[groups] not in (nothing, ""):
                result[name]["groups"] = quoted_list(said[groups])
    if said["ip"] != "<unknown>":
        result["sourceIPs"] = [said["ip"]]
    if said.get("user-agent"):
        result["userAgent"] = said["user-agent"]
    method = {"list": "GET", "watch": "GET", "get": "GET", "deletecollection": "DELETE"}.get(said["method"], said["method"])
    _, reference = request_info(method, said["uri"])
    if reference is not None:
        result["objectRef"] = reference
    elif said["namespace"] != "<none>":
        result["objectRef"] = {"namespace": said["namespace"]}
    if said["response"] != "<deferred>":
        result["responseStatus"] = {"metadata": {}, "code": Number(said["response"])}
    return result | {TIME_MEMBER: time}


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        for line in path.read_text(encoding="utf-8").splitlines():
            if event(line) is not None:
                print(exact_json.dumps(event(line)))


if __name__ == "__main__":
    main()
