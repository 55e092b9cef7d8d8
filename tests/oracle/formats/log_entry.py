"""Events of an apiserver as GKE's LogEntries, and the spellings that a LogEntry is delivered in.

The inverse of `gke.py`, as far as Google's own translation of an event is known from samples: what it loses
is lost here too.
"""

import base64
import re
import sys

sys.dont_write_bytecode = True
import gke
from case import by_key, event
from exact_json import Number, dumps

PROJECT, CLUSTER, LOCATION = "acme-shop-prod", "shop-eu-1", "europe-west1"
ACTIVITY = f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Factivity"
DATA_ACCESS = f"projects/{PROJECT}/logs/cloudaudit.googleapis.com%2Fdata_access"
GRPC = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 422: 3, 429: 8, 500: 13, 503: 14, 504: 4}
READS = {"get", "list", "watch"}


def trimmed(time):
    """Logging cuts trailing zeros off."""
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    fraction = fraction.rstrip("0")
    return seconds + (f".{fraction}" if fraction else "") + "Z"


def typed(value, verb=None, answer=False):
    """A body as a protobuf Struct: its type in front, members by name."""
    if verb == "patch" and not answer:
        kind = "k8s.io/Patch"
    else:
        group, _, version = str(value.get("apiVersion", "v1")).rpartition("/")
        group = group if "." in group else f"{group or 'core'}.k8s.io"
        kind = f"{group}/{version}.{value.get('kind', 'Unknown')}"
    return {"@type": kind} | by_key(value)


def entry(event, **payload):
    """The LogEntry that GKE makes of an event; `payload` replaces members of it (None: absent)."""
    ref = event.get("objectRef")
    verb = event["verb"]
    if ref and "resource" in ref:
        group, version = ref.get("apiGroup", ""), ref["apiVersion"]
        path = [group or "core", version]
        names = [ref[key] for key in ("name", "subresource") if key in ref]
        if ref["resource"] == "namespaces":
            path += ["namespaces", *names]
        else:
            path += ["namespaces", ref["namespace"]] if "namespace" in ref else []
            path += [ref["resource"], *names]
        short = group.removesuffix(".k8s.io") if group.endswith(".k8s.io") else group
        reversed_group = ".".join(reversed(short.split("."))) or "core"
        prefix = "io.k8s." if group.endswith(".k8s.io") or "." not in group else ""
        sub = [ref["subresource"]] if "subresource" in ref else []
        method = prefix + ".".join([reversed_group, version, ref["resource"], *sub, verb])
        resource_name = "/".join(path)
    else:
        method = f"io.k8s.{verb}"
        resource_name = event["requestURI"].partition("?")[0].removeprefix("/")
    http = event["responseStatus"]
    code = int(http["code"])
    status = {} if code < 300 else {"code": Number(GRPC.get(code, 2))}
    if code >= 400 and "message" in http:
        status["message"] = http["message"]
    if code == 101:
        status = {"code": Number(2), "message": "UNKNOWN"}
    asked = {"resource": resource_name, "permission": method}
    asked |= (
        {"granted": True}
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "allow"
        else {}
    )
    proto = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": (
            {"principalEmail": event["user"]["username"]} if event["user"] else {}
        ),
        "authorizationInfo": [asked],
        "methodName": method,
        "requestMetadata": {
            "callerIp": event["sourceIPs"][0],
            "callerSuppliedUserAgent": event["userAgent"],
        },
        "resourceName": resource_name,
        "serviceName": "k8s.io",
        "status": status,
    }
    if "requestObject" in event:
        proto["request"] = typed(event["requestObject"], verb)
    if "responseObject" in event:
        proto["response"] = typed(event["responseObject"], verb, True)
    proto = {k: v for k, v in (proto | payload).items() if v is not None}
    first = last = True
    if verb == "watch" or (ref and ref.get("subresource") in gke.UPGRADED):
        last = event["stage"] == "ResponseComplete"
        first = not last
    operation = {"id": event["auditID"], "producer": "k8s.io"}
    operation |= {"first": True} if first else {}
    operation |= {"last": True} if last else {}
    result = {
        "protoPayload": proto,
        "insertId": event["auditID"],
        "resource": {
            "type": "k8s_cluster",
            "labels": {"cluster_name": CLUSTER, "project_id": PROJECT, "location": LOCATION},
        },
        "timestamp": trimmed(event["stageTimestamp"]),
    }
    if "annotations" in event:
        result["labels"] = by_key(event["annotations"])
    result["logName"] = DATA_ACCESS if verb in READS else ACTIVITY
    result["operation"] = operation
    result["receiveTimestamp"] = event["stageTimestamp"][:-2] + "8461733Z"
    return result


def small(event_id="9fb4d479", **changes):
    """An entry without bodies whose payload is changed; a name with `_` is a member of the entry."""
    value = entry(event(event_id))
    for name, change in changes.items():
        at = value if name.startswith("_") else value["protoPayload"]
        name = name.removeprefix("_")
        if change is None:
            at.pop(name, None)
        else:
            at[name] = change
    return value


CONTAINER_API = {
    "insertId": "1k3lv8pe2x1zq",
    "logName": ACTIVITY,
    "operation": {
        "first": True,
        "id": "operation-1795342700123-5f1c2d3e",
        "producer": "container.googleapis.com",
    },
    "protoPayload": {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": "platform@example.com"},
        "authorizationInfo": [
            {
                "granted": True,
                "permission": "container.clusters.update",
                "resource": f"projects/{PROJECT}/locations/{LOCATION}/clusters/{CLUSTER}",
            }
        ],
        "methodName": "google.container.v1.ClusterManager.UpdateCluster",
        "request": {
            "@type": "type.googleapis.com/google.container.v1alpha1.UpdateClusterRequest",
            "update": {"desiredNodeVersion": "1.36.2-gke.1000"},
        },
        "requestMetadata": {
            "callerIp": "203.0.113.40",
            "callerSuppliedUserAgent": "google-cloud-sdk gcloud/541.0.0",
        },
        "resourceName": f"projects/{PROJECT}/locations/{LOCATION}/clusters/{CLUSTER}",
        "serviceName": "container.googleapis.com",
    },
    "receiveTimestamp": "2026-11-22T10:14:31.846173312Z",
    "resource": {
        "labels": {"cluster_name": CLUSTER, "location": LOCATION, "project_id": PROJECT},
        "type": "gke_cluster",
    },
    "severity": "NOTICE",
    "timestamp": "2026-11-22T10:14:31.4Z",
}
CONTAINER_STDOUT = {
    "insertId": "7m0q2zc9d4",
    "labels": {"k8s-pod/app": "web"},
    "logName": f"projects/{PROJECT}/logs/stdout",
    "receiveTimestamp": "2026-11-22T10:14:32.006173312Z",
    "resource": {
        "labels": {
            "cluster_name": CLUSTER,
            "container_name": "web",
            "location": LOCATION,
            "namespace_name": "web",
            "pod_name": "frontend-x",
            "project_id": PROJECT,
        },
        "type": "k8s_container",
    },
    "severity": "INFO",
    "textPayload": '10.0.0.7 - - "GET /auditID?stage=1 HTTP/1.1" 200',
    "timestamp": "2026-11-22T10:14:31.9Z",
}


def snake_case(value):
    """Keys as `MessageToDict(preserving_proto_field_name=True)` has them."""
    entries = {theirs: ours for ours, theirs in gke.LOG_ENTRY.items()}
    audit = {theirs: ours for ours, theirs in gke.AUDIT_LOG.items()}
    value = gke.renamed(value, entries)
    payload = gke.renamed(value["proto_payload"], audit)
    for name in ("authentication_info", "request_metadata"):
        payload[name] = gke.renamed(payload[name], audit)
    return value | {"proto_payload": payload}


def struct(value):
    """A protobuf Value as encoding/json prints Go's type."""
    if isinstance(value, dict):
        fields = {key: struct(member) for key, member in value.items()}
        return {"Kind": {"StructValue": {"fields": fields} if fields else {}}}
    if isinstance(value, list):
        return {
            "Kind": {
                "ListValue": {"values": [struct(element) for element in value]} if value else {}
            }
        }
    if value is None:
        return {"Kind": {"NullValue": Number(0)}}
    if isinstance(value, bool):
        return {"Kind": {"BoolValue": value}}
    return {"Kind": {"NumberValue" if isinstance(value, Number) else "StringValue": value}}


def go_dump(value):
    """As stackdriver-webhook-bridge dumps `logging.Entry`: the payload twice."""
    payload = snake_case(value)["proto_payload"]
    payload.pop("@type")
    for name in ("request", "response"):
        if name in payload:
            payload[name] = struct(payload[name])["Kind"]["StructValue"]
    audit = {key: member for key, member in value["protoPayload"].items() if key != "@type"}
    return {
        "Entry": {
            "Timestamp": value["timestamp"],
            "Severity": Number(0),
            "Payload": payload,
            "Labels": value.get("labels"),
            "InsertID": value["insertId"],
            "HTTPRequest": None,
            "Operation": value["operation"],
            "LogName": value["logName"].replace("%2F", "/"),
            "Resource": value["resource"],
            "Trace": "",
            "SpanID": "",
            "TraceSampled": False,
            "SourceLocation": None,
        },
        "AuditPayload": dumps(audit),
    }


def row(value, time):
    """The entry as the row that a sink to BigQuery writes; `time` spells its timestamp."""
    payload = {k: v for k, v in value["protoPayload"].items() if k != "@type"}
    for name in ("request", "response"):
        if name in payload:
            payload[name + "Json"] = dumps(payload.pop(name))
    result = {"logName": value["logName"], "resource": value["resource"]}
    result |= {"protopayload_auditlog": payload, "textPayload": None}
    result |= {
        "timestamp": time(value["timestamp"]),
        "receiveTimestamp": time(value["receiveTimestamp"]),
    }
    result |= {"severity": None, "insertId": value["insertId"], "httpRequest": None}
    if "labels" in value:
        result["labels"] = {re.sub(r"\W", "_", key): text for key, text in value["labels"].items()}
    result |= {"operation": value.get("operation"), "trace": None, "sourceLocation": None}
    return result


def utc(time):
    return time.replace("T", " ").replace("Z", " UTC")


def nanoseconds(time):
    seconds, _, fraction = time.removesuffix("Z").partition(".")
    return seconds.replace("T", " ") + "." + fraction.ljust(9, "0")


def as_strings(value):
    """`bq query --format=json` and the console write every scalar as a string."""
    if isinstance(value, dict):
        return {key: as_strings(member) for key, member in value.items()}
    if isinstance(value, list):
        return [as_strings(element) for element in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, Number) else value


def message(value, number, attributes=True):
    data = base64.b64encode((value if isinstance(value, str) else dumps(value)).encode()).decode()
    result = (
        {"attributes": {"logging.googleapis.com/timestamp": "2026-11-22T10:14:30.8Z"}}
        if attributes
        else {}
    )
    result |= {"data": data, "messageId": f"1279184600000{number}"}
    return result | {"publishTime": "2026-11-22T10:14:33.512Z"}


SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/audit"


def push(value, number=1):
    inner = message(value, number)
    inner |= {"message_id": inner["messageId"], "publish_time": inner["publishTime"]}
    return {"message": inner, "subscription": SUBSCRIPTION}
