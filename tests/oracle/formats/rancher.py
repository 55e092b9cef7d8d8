#!/usr/bin/env python3
"""What a line of Rancher's API audit log says in the terms of `audit.k8s.io/v1`, worked out a second time.

    python3 rancher.py FILE...

Writes `expected.jsonl` of `tests/data/formats/rancher`; shares no code with the engine.

Two shapes. Since 2020 a request is one record (rancher/rancher, `pkg/auth/audit`): method, remoteAddr,
requestTimestamp, responseTimestamp, responseCode. The one of 2018, which the documentation showed for
long, has two: stage RequestReceived with the request, stage ResponseComplete with auditID, status and
body only.

Requests to `/k8s/clusters/<id>/…` are passed on to that cluster: the URI there is what follows, and what
it means is worked out as kube-apiserver does (apiserver/pkg/endpoints/request/requestinfo.go). Other
paths are Rancher's own APIs: no objectRef, and the verb follows from the method alone.

Not in the record, and therefore not in the event: a level, the uid of the user. `user.name` is an id
such as `user-x7k2p`; the name of the human is in `user.extra.username`.
"""

import pathlib
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True
import exact_json
from exact_json import Number

PASSED_ON = re.compile(r"/k8s/clusters/([^/?]+)(.*)", re.S)
VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch"}
VERBS["DELETE"] = "delete"
TIME_2018 = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)")


def split_uri(uri):
    """The cluster that a request is passed on to (or None), and the URI that it has there."""
    match = PASSED_ON.fullmatch(uri)
    if not match:
        return None, uri
    return match[1], match[2] if match[2].startswith("/") else "/" + match[2]


def request_info(method, uri):
    """The verb and the objectRef (None: not about a resource)."""
    path, _, query = uri.partition("?")
    parts = urllib.parse.unquote(path).strip("/").split("/")
    verb = VERBS.get(method, method.lower())
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return verb, None
    prefix, *parts = parts
    group = None
    if prefix == "apis":
        if len(parts) < 3:
            return verb, None
        group, *parts = parts
    version, *parts = parts
    if parts[0] == "watch" and len(parts) > 1:
        verb, parts = "watch", parts[1:]
    namespace = None
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in ("status", "finalize"):
            parts = parts[2:]
    resource, name, subresource, *_ = parts + [None] * (3 - len(parts))
    if name is None and verb == "get":
        query = urllib.parse.parse_qs(query)
        verb = "watch" if query.get("watch", ["false"])[0] in ("true", "1") else "list"
        only = re.fullmatch(r"metadata\.name==?([^,]+)", query.get("fieldSelector", [""])[0])
        name = only[1] if only else None
    elif name is None and verb == "delete":
        verb = "deletecollection"
    members = (
        ("resource", resource),
        ("namespace", namespace),
        ("name", name),
        ("apiGroup", group),
        ("apiVersion", version),
        ("subresource", subresource),
    )
    return verb, {key: value for key, value in members if value}


def without_port(address):
    """`127.0.0.1:4711` and `[::1]:4711`."""
    match = re.fullmatch(r"\[(.*)\]:\d+|([^:]*):\d+", address)
    return (match[1] or match[2]) if match else address


def rfc3339(time):
    """2018 wrote `2018-07-20 10:22:43 +0800`."""
    return TIME_2018.sub(r"\1T\2\3:\4", time)


def cluster(record):
    return split_uri(record.get("requestURI", ""))[0]


def event(record):
    """The event of a record, None if it is none of Rancher's audit log."""
    if not isinstance(record, dict) or "auditID" not in record:
        return None
    current = "method" in record and "requestTimestamp" in record
    if not current and not ("stage" in record and ("verb" in record or "responseStatus" in record)):
        return None
    result = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": record["auditID"]}
    result["stage"] = "ResponseComplete" if current else record["stage"]
    ref = None
    if "requestURI" in record:
        _, uri = split_uri(record["requestURI"])
        verb, ref = request_info(record["method" if current else "verb"], uri)
        result |= {"requestURI": uri, "verb": verb}
    user = record.get("user") or {}
    if "name" in user:
        result["user"] = {"username": user["name"]}
        result["user"] |= {"groups": user["group"]} if "group" in user else {}
        result["user"] |= {"extra": user["extra"]} if "extra" in user else {}
    if "requestUser" in user:
        result["impersonatedUser"] = {"username": user["requestUser"]}
        if "requestGroups" in user:
            result["impersonatedUser"]["groups"] = user["requestGroups"]
    if "remoteAddr" in record:
        result["sourceIPs"] = [without_port(record["remoteAddr"])]
    elif "sourceIPs" in record:
        result["sourceIPs"] = record["sourceIPs"]
    agent = (record.get("requestHeader") or {}).get("User-Agent")
    if agent:
        result["userAgent"] = agent[0]
    if ref is not None:
        result["objectRef"] = ref
    code = record.get("responseCode", record.get("responseStatus"))
    if code is not None:
        result["responseStatus"] = {"metadata": {}, "code": Number(code)}
    for theirs, ours in (("requestBody", "requestObject"), ("responseBody", "responseObject")):
        if theirs in record:
            result[ours] = record[theirs]
    if current:
        result["requestReceivedTimestamp"] = record["requestTimestamp"]
        if "responseTimestamp" in record:
            result["stageTimestamp"] = record["responseTimestamp"]
    else:
        result["stageTimestamp"] = rfc3339(record["stageTimestamp"])
    return result


def main():
    for path in map(pathlib.Path, sys.argv[1:]):
        for record in exact_json.values(path.read_text(encoding="utf-8")):
            if event(record) is not None:
                print(exact_json.dumps(event(record)))


if __name__ == "__main__":
    main()
