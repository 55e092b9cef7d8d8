"""Records of log stores and agents."""

import json

from envelope_event import *
import json_text


def loki_response(streams, indent=None, kind="streams"):
    """The answer of /loki/api/v1/query_range; streams are (labels, [(text, micros[, metadata])])."""
    result = [
        {"stream": labels, "values": [[f"{micros}000", text, *more] for text, micros, *more in lines]}
        for labels, lines in streams
    ]
    stats = {
        "summary": {
            "bytesProcessedPerSecond": 0,
            "totalLinesProcessed": sum(len(lines) for _, lines in streams),
        }
    }
    return dump({"status": "success", "data": {"resultType": kind, "result": result, "stats": stats}}, indent)


def logcli(text, micros, labels):
    """A line of `logcli query --output=jsonl`."""
    return dump({"labels": labels, "line": text, "timestamp": written(micros, 6)}, style="go") + "\n"


def splunk(event, micros, host="idx-forwarder-1", sourcetype="kube:apiserver:audit", **more):
    """What an HTTP Event Collector is sent; `event` is text (a string) or `Raw` (an object)."""
    head = {"time": Raw(f"{micros // 1_000_000}.{micros % 1_000_000 // 1000:03d}")} | (
        {"host": host} if host else {}
    )
    return dump(
        head | {"source": "/var/log/kubernetes/audit.log", "sourcetype": sourcetype} | more | {"event": event}
    )


def dedotted(annotations):
    """Elastic's ingest pipeline turns every dot of an annotation's key into an underscore."""
    return Raw(dump({key.replace(".", "_"): Raw(raw) for key, raw in json_text.pairs(annotations)}))


def dedot_is_reversible(annotations):
    """Before the slash a key is a DNS name, which has no underscore; after it a dot would be lost."""
    return all(
        "_" not in key.split("/")[0] and "." not in key.partition("/")[2]
        for key, _ in json_text.pairs(annotations)
    )


def ecs(event, micros, dedot=False, cluster="shop-prod", indent=None):
    """A document of Elastic's Kubernetes audit integration; with `dedot` after its ingest pipeline."""
    audit = Raw(event.text)
    if dedot:
        audit = {key: dedotted(raw) if key == "annotations" else Raw(raw) for key, raw in event.pairs}
    document = {
        "@timestamp": written(micros + 5_123_000, 3),
        "agent": {"name": "control-plane-1", "type": "filebeat", "version": "8.17.0"},
        "data_stream": {"dataset": "kubernetes.audit_logs", "namespace": "default", "type": "logs"},
        "ecs": {"version": "8.11.0"},
        "event": {
            "dataset": "kubernetes.audit_logs",
            "kind": "event",
            "ingested": written(micros + 6_000_000, 0),
        },
        "input": {"type": "filestream"},
        "log": {"file": {"path": "/var/log/kubernetes/audit.log"}, "offset": 8398},
        "kubernetes": {"audit": audit},
    }
    if cluster:
        document["orchestrator"] = {"cluster": {"name": cluster, "url": "https://api.shop.example.com:6443"}}
    return dump(document, indent)


class Number(str):
    """A JSON number by its text."""


def any_value(value):
    """An AnyValue of OTLP's JSON: integers are strings, null is the value that is not set."""
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, Number):
        whole = value.lstrip("-").isdigit() and -(2**63) <= int(value) < 2**63 and value != "-0"
        return {"intValue": str(value)} if whole else {"doubleValue": Raw(value)}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, tuple):
        return {"kvlistValue": {"values": [{"key": key, "value": any_value(of)} for key, of in value]}}
    return {"arrayValue": {"values": [any_value(of) for of in value]} if value else {}}


def kvlist(text):
    """The event as a kvlistValue; objects are tuples of pairs here, so that duplicate keys stay."""
    return any_value(
        json.loads(text, object_pairs_hook=tuple, parse_int=Number, parse_float=Number, strict=False)
    )


def attribute(key, value):
    return {"key": key, "value": any_value(value)}


def otlp_record(body, micros, attributes=()):
    return {
        "timeUnixNano": f"{micros}000",
        "observedTimeUnixNano": f"{micros + 1504}000",
        "body": body,
        "attributes": [attribute(key, value) for key, value in attributes],
        "traceId": "",
        "spanId": "",
    }


def otlp(resources, indent=None):
    """An ExportLogsServiceRequest; resources are ({attribute: value}, [records])."""
    return dump(
        {
            "resourceLogs": [
                {
                    "resource": {"attributes": [attribute(key, value) for key, value in of.items()]},
                    "scopeLogs": [{"scope": {}, "logRecords": records}],
                }
                for of, records in resources
            ]
        },
        indent,
    )


def viaq(event, source="kubeAPI", level_lost=False, host=NODE, **more):
    """OpenShift's ViaQ model: the event merged with the collector's keys.

    Collectors up to 5.9 replaced `level` by "default"; all of them keep it in `k8s_audit_level` (or
    `openshift_audit_level`).
    """
    time = Raw(quoted(written(event.micros + 3_900, 9)))
    copy = {"kubeAPI": "k8s_audit_level", "openshiftAPI": "openshift_audit_level"}[source]
    pairs = [("@timestamp", time)]
    pairs += [(key, '"default"' if level_lost and key == "level" else raw) for key, raw in event.pairs]
    pairs += [("hostname", quoted(host)), (copy, event.members["level"])]
    pairs += [("log_source", quoted(source)), ("log_type", '"audit"')]
    pairs += [("openshift", dump({"cluster_id": OPENSHIFT_ID, "sequence": event.micros * 1000 + 417}))]
    pairs += [("timestamp", time)] + [(key, dump(value)) for key, value in more.items()]
    # Vector writes its keys sorted; a duplicate key of the event stays beside its twin.
    return (
        "{" + ",".join(quoted(key) + ":" + raw for key, raw in sorted(pairs, key=lambda pair: pair[0])) + "}"
    )


def viaq_auditd(micros):
    """The host's own audit log goes through the same pipeline."""
    number = micros // 1000
    return dump(
        {
            "@timestamp": written(micros, 3),
            "audit.linux": {"record_id": "5654", "type": "USER_LOGIN"},
            "hostname": NODE,
            "level": "default",
            "log_source": "auditd",
            "log_type": "audit",
            "message": f"type=USER_LOGIN msg=audit({number // 1000}.{number % 1000:03d}:5654): pid=811 uid=0 res=success",
            "openshift": {"cluster_id": OPENSHIFT_ID, "sequence": micros * 1000},
            "timestamp": written(micros, 3),
        }
    )


def viaq_ovn(micros):
    """And so does the network's."""
    return dump(
        {
            "@timestamp": written(micros, 9),
            "hostname": NODE,
            "level": "info",
            "log_source": "ovn",
            "log_type": "audit",
            "message": f"{written(micros, 9)}|00004|acl_log(ovn_pinctrl0)|INFO|name=deny-all, verdict=drop",
            "openshift": {"cluster_id": OPENSHIFT_ID, "sequence": micros * 1000 + 1},
            "timestamp": written(micros, 9),
        }
    )


def sls(event, source="10.0.12.7", topic="audit-c9f1e2d3c4b5a6978", tags=True):
    """A row of an Alibaba Cloud log store: every value is a string; what was none is JSON in one."""
    pairs = [(key, raw if raw.startswith('"') else quoted(raw)) for key, raw in event.pairs]
    pairs += [("__source__", quoted(source)), ("__time__", quoted(str(event.micros // 1_000_000)))]
    pairs += [("__topic__", quoted(topic))]
    if tags:
        pairs += [("__tag__:__receive_time__", quoted(str(event.micros // 1_000_000 + 2)))]
        pairs += [
            ("__tag__:__path__", '"/var/log/kubernetes/kubernetes.audit"'),
            ("__pack_meta__", '"1|MTc5NTM0|42|3"'),
        ]
    return "{" + ",".join(quoted(key) + ":" + raw for key, raw in pairs) + "}"


def yandex(event, snake=False, dropped=("authenticationMetadata",)):
    """An event of Yandex Audit Trails; `responseStatus.code` is an int64 and so a string.

    The schema of nativeApiServerEvent is fixed and older than `authenticationMetadata`.
    """
    native = event.without(*dropped)
    status = native.get("responseStatus")
    if status is not None and status.startswith("{"):
        native["responseStatus"] = Raw(
            dump(
                {
                    key: raw if key == "code" and raw.isdigit() else Raw(raw)
                    for key, raw in json_text.pairs(status)
                }
            )
        )
    verb = (event.string("verb") or "nonstandardVerb").capitalize()
    head = {
        "event_id": f"audit-{event.micros}",
        "event_source": "k8s",
        "event_type": f"yandex.cloud.audit.k8s.apiserver.ApiServer{verb}",
        "event_time": written(event.micros, 6),
        "authentication": {
            "authenticated": True,
            "subject_type": "KUBERNETES_USER",
            "subject_id": event.string("auditID"),
        },
        "event_status": "DONE",
    }
    details = {"native_api_server_event": native, "cluster_id": "catshop0prod0cluster"}

    def camel(name):
        first, *rest = name.split("_")
        return first + "".join(part.capitalize() for part in rest)

    def renamed(value):
        return (
            {camel(key): renamed(of) if key == "authentication" else of for key, of in value.items()}
            if isinstance(value, dict)
            else value
        )

    document = head | {"details": details} if snake else renamed(head) | {"details": renamed(details)}
    return dump(document)


def ovh(text, micros, app="kubernetes-audit-0f1e2d3c"):
    """A frame of OVHcloud's Logs Data Platform: a GELF message as a string, the event a string in it."""
    gelf = {
        "_appID": app,
        "_X-OVH-TIMESTAMP": written(micros, 3),
        "host": "mks-audit",
        "level": 6,
        "short_message": text,
        "timestamp": Raw(f"{micros // 1_000_000}.{micros % 1_000_000 // 1000:03d}"),
        "version": "1.1",
    }
    return dump({"message": dump(gelf, style="go")}, style="go")


def event_list(texts, indent=None):
    """What the webhook backend posts: the items have neither kind nor apiVersion."""
    items = [Raw(bare(text)) for text in texts]
    return dump(
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": items}, indent
    )


def bare(text):
    """An event without its kind and apiVersion."""
    pairs = [(key, raw) for key, raw in json_text.pairs(text) if key not in ("kind", "apiVersion")]
    return "{" + ",".join(quoted(key) + ":" + raw for key, raw in pairs) + "}"
