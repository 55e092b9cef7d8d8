#!/usr/bin/env python3
"""What a GKE Cloud Audit Logs entry says in the terms of `audit.k8s.io/v1`, worked out a second time.

    python3 gke.py FILE...                  the events of LogEntries, one JSON object a line
    python3 gke.py --columns FILE...        cluster, account and log_stream of each
    python3 gke.py --check FOLDER           compare with the sample of stackdriver-webhook-bridge

This program shares no code with the engine: where the two differ, one of them is wrong. It writes the
`expected.jsonl` of `tests/data/formats/{gke,gke-bigquery,pubsub}` (see `cloud_cases.py`).

Read are entries as `gcloud logging read --format=json` and the Logs Explorer give them (arrays), as a
sink writes them to Cloud Storage (one a line), with snake_case keys (`MessageToDict` of the Python
client), as the Go client's `logging.Entry` is dumped, and rows of a BigQuery sink. An entry that is not
the Kubernetes API server's gives no event.

What a LogEntry cannot say is left out rather than guessed: user.uid, user.groups, user.extra,
impersonatedUser, the query of the URI, any latency (there is one time only).

Rules, and where they come from:
  - resourceName is authoritative, methodName's group is reversed and shortened: only its last segment,
    the verb, is used. `core` is the group "".
  - objectRef and requestURI are what kube-apiserver itself would have written
    (staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go): a create of an object is sent to
    the collection, so its URI has no name; `namespaces/x` has namespace and name x, except when it is
    created (there is no namespace in that URI); behind a subresource other than proxy nothing follows.
  - status.code is google.rpc.Code. A `Status` in the response knows the HTTP code better.
  - `2 UNKNOWN` on exec, attach, portforward and proxy is 101 Switching Protocols: success.
"""

import argparse
import collections
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import exact_json
from exact_json import Number

# google.rpc.Code to HTTP, by google/rpc/code.proto; 10 (ABORTED) is what Kubernetes' AlreadyExists and
# Conflict become, 9 could also be 412.
HTTP = {
    1: 499, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 12: 501,
    13: 500, 14: 503, 15: 500, 16: 401, 2: 500,
}  # fmt: skip
UPGRADED = {"exec", "attach", "portforward", "proxy"}
NAMESPACE_SUBRESOURCES = {"status", "finalize"}
COLLECTION_VERBS = {"list", "watch", "deletecollection"}

# A sink to BigQuery turns what a column's name cannot hold into `_`. That cannot be undone, except for
# names that every entry has.
BIGQUERY_LABELS = {
    re.sub(r"\W", "_", name): name
    for name in ("authorization.k8s.io/decision", "authorization.k8s.io/reason")
}


# ---------------------------------------------------------------- spellings of a LogEntry

LOG_ENTRY = {
    "insert_id": "insertId",
    "log_name": "logName",
    "proto_payload": "protoPayload",
    "receive_timestamp": "receiveTimestamp",
}
AUDIT_LOG = {
    "service_name": "serviceName",
    "method_name": "methodName",
    "resource_name": "resourceName",
    "authentication_info": "authenticationInfo",
    "request_metadata": "requestMetadata",
    "authorization_info": "authorizationInfo",
    "principal_email": "principalEmail",
    "caller_ip": "callerIp",
    "caller_supplied_user_agent": "callerSuppliedUserAgent",
}


def renamed(value, names):
    return {names.get(key, key): member for key, member in value.items()}


def from_snake_case(entry):
    """Keys of the entry and of its AuditLog; labels and bodies have keys of their own."""
    entry = renamed(entry, LOG_ENTRY)
    payload = renamed(entry.get("protoPayload") or {}, AUDIT_LOG)
    for name in ("authenticationInfo", "requestMetadata"):
        if isinstance(payload.get(name), dict):
            payload[name] = renamed(payload[name], AUDIT_LOG)
    return entry | {"protoPayload": payload}


def from_go(dump):
    """`{"Entry": logging.Entry, "AuditPayload": "JSON of the AuditLog"}`."""
    entry = dump["Entry"]
    names = ("InsertID", "insertId"), ("LogName", "logName"), ("Timestamp", "timestamp")
    names += ("Labels", "labels"), ("Resource", "resource"), ("Operation", "operation")
    result = {ours: entry[theirs] for theirs, ours in names if entry.get(theirs) is not None}
    return result | {"protoPayload": exact_json.loads(dump["AuditPayload"])}


def without_nulls(value):
    """A row of BigQuery has every column of the table: null where the entry had nothing."""
    if isinstance(value, dict):
        cleaned = {key: without_nulls(member) for key, member in value.items()}
        return {key: member for key, member in cleaned.items() if member is not None}
    return value


def from_bigquery(row):
    row = without_nulls(row)
    payload = dict(row.pop("protopayload_auditlog"))
    for name in ("request", "response"):
        text = payload.pop(name + "Json", None)
        if text is not None:
            payload[name] = exact_json.loads(text)
    labels = row.get("labels")
    if labels is not None:
        row["labels"] = {BIGQUERY_LABELS.get(name, name): value for name, value in labels.items()}
    return row | {"protoPayload": payload}


def log_entry(value):
    """The value in the usual spelling, or None if it is no audit entry of a Kubernetes API server."""
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("Entry"), dict) and "AuditPayload" in value:
        value = from_go(value)
    elif "protopayload_auditlog" in value:
        value = from_bigquery(value)
    elif "proto_payload" in value:
        value = from_snake_case(value)
    payload = value.get("protoPayload")
    if not isinstance(payload, dict) or payload.get("serviceName") != "k8s.io":
        return None
    return value if value.get("resource", {}).get("type", "k8s_cluster") == "k8s_cluster" else None


# ---------------------------------------------------------------- LogEntry to event


def is_true(value):
    """`bq query --format=json` writes booleans as strings."""
    return value is True or value == "true"


def stage(operation):
    """`first` alone opens a long-running request, `last` alone ends it; a short one is both."""
    first, last = is_true(operation.get("first")), is_true(operation.get("last"))
    return "ResponseStarted" if first and not last else "ResponseComplete"


Target = collections.namedtuple("Target", "group version namespace resource name subresource rest")


def target(resource_name, verb):
    """`<group|core>/<version>[/namespaces/<ns>]/<resource>[/<name>[/<subresource>[/…]]]` taken apart."""
    group, version, *path = resource_name.split("/")
    namespace = None
    if path[0] == "namespaces" and len(path) > 1:
        if len(path) > 2 and path[2] not in NAMESPACE_SUBRESOURCES:
            namespace, path = path[1], path[2:]
        elif verb != "create" or len(path) > 2:
            namespace = path[1]
    resource, name, subresource, *rest = path + [None] * (3 - len(path))
    group = "" if group == "core" else group
    return Target(group, version, namespace, resource, name, subresource, rest)


def request_uri(at, verb):
    """The path that the request had; its query is lost."""
    path = f"/apis/{at.group}/{at.version}" if at.group else f"/api/{at.version}"
    if at.namespace is not None and at.resource != "namespaces":
        path += f"/namespaces/{at.namespace}"
    path += f"/{at.resource}"
    to_collection = verb in COLLECTION_VERBS or (verb == "create" and at.subresource is None)
    if at.name is None or to_collection:
        return path
    path += f"/{at.name}"
    if at.subresource is not None:
        path += f"/{at.subresource}"
        # Entries of 2020 repeat the pod's name behind exec and attach; a path goes on behind proxy only.
        if at.subresource == "proxy":
            path += "".join("/" + part for part in at.rest)
    return path


def body(value):
    """A body without the `@type` that makes it a protobuf Struct."""
    if isinstance(value, dict):
        return {key: member for key, member in value.items() if key != "@type"}
    return value


def is_status_failure(value):
    if not isinstance(value, dict):
        return False
    is_status = value.get("kind") == "Status" or str(value.get("@type", "")).endswith(".Status")
    return is_status and value.get("status") == "Failure"


def response_status(status, response, verb, subresource):
    result = {"metadata": {}}
    grpc = int(status.get("code", 0))
    if grpc == 2 and subresource in UPGRADED:
        code = 101
    elif grpc == 0:
        code = 201 if verb == "create" else 200
    else:
        code = HTTP.get(grpc)
    if is_status_failure(response):
        result |= {
            name: response[name] for name in ("status", "message", "reason") if name in response
        }
        code = response.get("code", code)
    elif status.get("message") is not None:
        result["message"] = status["message"]
    if code is not None:
        result["code"] = Number(code)
    return result


def event(value):
    """The event that a LogEntry (in any spelling) stands for; None if it stands for none."""
    entry = log_entry(value)
    if entry is None:
        return None
    payload = entry["protoPayload"]
    operation = entry.get("operation") or {}
    response = payload.get("response")
    method, name = payload["methodName"], payload.get("resourceName", "")
    verb = method.rsplit(".", 1)[-1]
    # `io.k8s.get`: no group, no version, no resource, whatever the path looks like.
    at = None if method.count(".") == 2 else target(name, verb)

    level = "Metadata"
    if "request" in payload:
        level = "Request"
    if response is not None:
        level = "RequestResponse"
    result = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": operation.get("id") or entry["insertId"],
        "stage": stage(operation),
        "requestURI": "/" + name.removeprefix("/") if at is None else request_uri(at, verb),
        "verb": verb,
    }
    principal = (payload.get("authenticationInfo") or {}).get("principalEmail")
    if principal is not None:
        result["user"] = {"username": principal}
    metadata = payload.get("requestMetadata") or {}
    if "callerIp" in metadata:
        result["sourceIPs"] = [metadata["callerIp"]]
    if "callerSuppliedUserAgent" in metadata:
        result["userAgent"] = metadata["callerSuppliedUserAgent"]
    if at is not None:
        result["objectRef"] = object_ref(at, verb, response)
    subresource = None if at is None else at.subresource
    result["responseStatus"] = response_status(
        payload.get("status") or {}, response, verb, subresource
    )
    if "request" in payload:
        result["requestObject"] = body(payload["request"])
    if response is not None:
        result["responseObject"] = body(response)
    result["requestReceivedTimestamp"] = entry["timestamp"]
    result["stageTimestamp"] = entry["timestamp"]
    if entry.get("labels") is not None:
        result["annotations"] = entry["labels"]
    return result


def object_ref(at, verb, response):
    name = at.name
    if (
        name is None
        and verb == "create"
        and isinstance(response, dict)
        and not is_status_failure(response)
    ):
        # generateName: only the answer says what the object is called.
        name = response.get("metadata", {}).get("name")
    members = (
        ("resource", at.resource),
        ("namespace", at.namespace),
        ("name", name),
        ("apiGroup", at.group or None),
        ("apiVersion", at.version),
        ("subresource", at.subresource),
    )
    return {key: value for key, value in members if value is not None}


def columns(value):
    """Where the entry comes from, as the columns of `events` say it."""
    entry = log_entry(value)
    labels = entry.get("resource", {}).get("labels", {})
    return {
        "cluster": labels.get("cluster_name"),
        "account": labels.get("project_id"),
        "log_stream": entry.get("logName"),
    }


# ---------------------------------------------------------------- another converter's opinion


def comparable(event):
    """An event of stackdriver-webhook-bridge without what is known to differ from ours.

    It writes v1beta1, `core` for the group "", resourceName as the URI, `(inferred)` texts, a whole
    Status as responseStatus, `@type` in bodies, ResponseStarted for an entry that is only `last`, levels
    that do not follow from the bodies, and no name for what generateName made.
    """
    event = dict(event)
    for name in ("apiVersion", "requestURI", "level", "stage"):
        event.pop(name, None)
    for name in ("requestObject", "responseObject"):
        if name in event:
            event[name] = body(event[name])
    ref = dict(event.get("objectRef", {}))
    if ref.get("apiGroup") == "core":
        del ref["apiGroup"]
    if "generateName" in event.get("requestObject", {}).get("metadata", {}):
        ref.pop("name", None)
    event["objectRef"] = ref
    status = event["responseStatus"]
    names = (
        ("status", "message", "reason", "code") if status.get("status") == "Failure" else ("code",)
    )
    event["responseStatus"] = {name: status[name] for name in names if name in status}
    return event


def check(folder):
    differing = 0
    for path in sorted((folder / "log_entries").glob("*.json")):
        ours = event(exact_json.loads(path.read_text(encoding="utf-8")))
        other = folder / "k8s_audit_events" / path.name
        theirs = exact_json.loads(other.read_text(encoding="utf-8"))
        same = comparable(ours) == comparable(theirs)
        differing += not same
        print(f"{path.name}: {'same' if same else 'DIFFERENT'}")
        if not same:
            print("  ours  ", exact_json.dumps(comparable(ours)))
            print("  theirs", exact_json.dumps(comparable(theirs)))
    return differing


def entries(text):
    for value in exact_json.values(text):
        yield from value if isinstance(value, list) else [value]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--columns", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(1 if any([check(folder) for folder in arguments.files]) else 0)
    for path in arguments.files:
        for entry in entries(path.read_text(encoding="utf-8")):
            if event(entry) is not None:
                print(exact_json.dumps(columns(entry) if arguments.columns else event(entry)))


if __name__ == "__main__":
    main()
