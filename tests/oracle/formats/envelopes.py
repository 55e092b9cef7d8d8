"""The envelopes in which providers and shippers deliver audit events, written the way they write them.

Used by `wrap.py` (whole logs) and `cases_delivered.py` (the small cases under `tests/data/formats/`). One
function an envelope; what goes in is an `Event`, what comes out is text or bytes. Nothing here reads an
envelope, and nothing is shared with the engine.

An event is carried as text: nothing inside it is parsed and written again, so numbers, escapes and
duplicate keys come through as they are. Where an envelope has to take the event apart (SLS, AKSAudit,
ViaQ, OTLP's kvlist, Yandex), only as deep as it must.

All names, accounts, addresses and times of the envelopes are made up; times follow the event's own.
"""

import base64
import datetime
import gzip
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import oracle

ACCOUNT = "111122223333"
CLUSTER = "shop-prod"
GROUP = f"/aws/eks/{CLUSTER}/cluster"
HEX = "5f0c2b9a4d3e8f7016a2b3c4d5e6f708"
AUDIT_STREAM = f"kube-apiserver-audit-{HEX}"
APISERVER = f"kube-apiserver-{HEX}"
EKS = {"cluster": CLUSTER, "account": ACCOUNT, "log_stream": AUDIT_STREAM}
SUBSCRIPTION = "0A1B2C3D-1111-2222-3333-44445555AAAA"
RESOURCE = (
    f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/SHOP-RG/PROVIDERS/MICROSOFT.CONTAINERSERVICE"
    "/MANAGEDCLUSTERS/SHOP-PROD"
)
POD = "kube-apiserver-6797f4455b-jdgtt"
CONTAINER = "c2120cb7d9e9402426ea2cbcc6d2a4cbe712af7bf35195b2d39f2e215b3a4e3c"
OPENSHIFT_ID = "d0f1c2b3-a495-4687-9e70-5a6b7c8d9e0f"
NODE = "master-0.shop.example.com"

# Lines of a kube-apiserver's own log: what stands beside its audit log in the same container. The
# second holds braces, and the third begins with one: neither is an event, and neither is broken.
KLOG = [
    "I1122 10:14:17.000413       1 controller.go:231] Updating CRD OpenAPI spec because widgets.lab.example.com changed",
    'E1122 10:14:17.218560       1 wrap.go:53] "Timeout or abort while handling" err=http2.StreamError{StreamID:0x3f, Code:0x2}',
    '{"ts":1795342457.3,"caller":"handlers/watch.go:299","msg":"unable to encode watch object","v":0}',
]


# ---------------------------------------------------------------- JSON


class Raw(str):
    """JSON text that is written as it is."""


GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def quoted(text, style=""):
    """A JSON string, as different writers quote it.

    "": only what must be escaped. "go": encoding/json, which escapes `<>&` too. "ascii": everything
    beyond ASCII as `\\uXXXX`, in surrogate pairs. "slash": `/` as `\\/` (Azure).
    """
    result = json.dumps(text, ensure_ascii=style == "ascii")
    if style == "go":
        result = "".join(GO.get(char, char) for char in result)
    return result.replace("/", "\\/") if style == "slash" else result


def dump(value, indent=None, style="", level=0):
    """JSON text of dicts, lists, scalars and `Raw` texts; pretty-printed when `indent` is given."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, str):
        return quoted(value, style)
    if not isinstance(value, (dict, list)):
        return json.dumps(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, dict):
        colon = ":" if indent is None else ": "
        parts = [quoted(key, style) + colon + dump(of, indent, style, level + 1) for key, of in value.items()]
    else:
        parts = [dump(of, indent, style, level + 1) for of in value]
    if indent is None or not parts:
        return opening + ",".join(parts) + closing
    line = "\n" + " " * indent * (level + 1)
    return opening + line + ("," + line).join(parts) + "\n" + " " * indent * level + closing


class Event:
    """One audit event: its text, and what envelopes repeat of it."""

    def __init__(self, text):
        self.text = text
        self.pairs = oracle.pairs(text)
        self.members = dict(self.pairs)
        self.micros = self._micros()

    def _micros(self):
        for name in ("stageTimestamp", "requestReceivedTimestamp", "timestamp"):
            found = re.match(
                r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\d*Z$", self.string(name) or ""
            )
            try:
                second = datetime.datetime.fromisoformat(found[1] + "+00:00") if found else None
            except ValueError:
                continue
            if second and 1970 < second.year < 9000:
                return int(second.timestamp()) * 1_000_000 + int((found[2] or "0").ljust(6, "0"))
        return 1_795_342_456_000_000

    def string(self, name):
        return oracle.string(self.members.get(name))

    def raw(self, name):
        found = self.members.get(name)
        return None if found is None else Raw(found)

    def without(self, *names):
        """The members but these, as a dict of texts. Duplicate keys do not survive: use `pairs` for them."""
        return {key: Raw(raw) for key, raw in self.pairs if key not in names}


def written(micros, digits=6, zone="Z", minutes=0, separator="T"):
    """RFC 3339 and its relatives; `minutes` is the zone's offset, `digits` those of the fraction."""
    moment = datetime.datetime.fromtimestamp(micros // 1_000_000 + minutes * 60, datetime.timezone.utc)
    fraction = f"{micros % 1_000_000:06d}" + "417"
    return (
        moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S") + ("." + fraction[:digits] if digits else "") + zone
    )


# ---------------------------------------------------------------- lines of a container runtime or of a host


def cut_bytes(data, most):
    return [data[at : at + most] for at in range(0, len(data), most)] or [b""]


def cut_text(text, most):
    """Pieces of at most `most` bytes of UTF-8, no character cut."""
    parts, part, size = [], [], 0
    for char in text:
        width = len(char.encode())
        if size + width > most:
            parts.append("".join(part))
            part, size = [], 0
        part.append(char)
        size += width
    return parts + ["".join(part)]


def cri(text, micros, stream="stdout", most=16384, zone="Z", minutes=0):
    """CRI log lines (containerd, CRI-O): cut after `most` bytes, wherever in a character that falls."""
    parts = cut_bytes(text.encode(), most)
    head = f"{written(micros + 900, 9, zone, minutes)} {stream} "
    tags = ["P"] * (len(parts) - 1) + ["F"]
    return [f"{head}{tag} ".encode() + part + b"\n" for tag, part in zip(tags, parts)]


def docker(text, micros, stream="stdout", most=16384, attrs=None):
    """Records of Docker's json-file driver: only the last part of a line ends in a newline.

    Docker replaces a character that its cut falls into; here the cut keeps off characters.
    """
    tail = {"stream": stream} | ({"attrs": attrs} if attrs else {}) | {"time": written(micros + 900, 9)}
    parts = cut_text(text, most)
    parts[-1] += "\n"
    return [(dump({"log": part} | tail, style="go") + "\n").encode() for part in parts]


def node_logs(text, host=NODE):
    """`oc adm node-logs --role=master --path=kube-apiserver/audit.log`."""
    return f"{host} {text}\n".encode()


def syslog_3164(text, micros, host="master-0", tag="kube-apiserver[2211]: ", priority=134):
    """RFC 3164; without a priority as a syslog daemon writes its files."""
    stamp = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.timezone.utc)
    day = f"{stamp.day:2d}"
    prefix = "" if priority is None else f"<{priority}>"
    return f"{prefix}{stamp.strftime('%b')} {day} {stamp.strftime('%H:%M:%S')} {host} {tag}{text}\n".encode()


def syslog_iso(text, micros, host="master-0", tag="kube-apiserver[2211]: "):
    """rsyslog's own file format, the default of newer distributions."""
    return f"{written(micros, 6, '+01:00', 60)} {host} {tag}{text}\n".encode()


def syslog_5424(text, micros, host="master-0", data="-", priority=134, mark=""):
    """RFC 5424; `data` is the structured data, `mark` may be the byte-order mark of UTF-8."""
    return (
        f"<{priority}>1 {written(micros, 6)} {host} kube-apiserver 2211 audit {data} {mark}{text}\n".encode()
    )


# ---------------------------------------------------------------- CloudWatch Logs


def subscription(messages, group=GROUP, stream=AUDIT_STREAM, kind="DATA_MESSAGE", owner=ACCOUNT, **more):
    """A document of a subscription filter; `messages` are (text, micros)."""
    events = [
        {
            "id": f"{38_500_000_000_000_000_000_000_000 + micros:056d}",
            "timestamp": micros // 1000,
            "message": text,
        }
        for text, micros in messages
    ]
    return dump(
        {
            "messageType": kind,
            "owner": owner,
            "logGroup": group,
            "logStream": stream,
            "subscriptionFilters": ["to-archive"],
            "logEvents": events,
        }
        | more
    )


def control_message(micros):
    """What CloudWatch sends to see whether the destination is there."""
    text = "CWL CONTROL MESSAGE: Checking health of destination Firehose."
    return subscription([(text, micros)], group="", stream="", kind="CONTROL_MESSAGE", owner="CloudwatchLogs")


def zipped(data):
    """Gzip without a time in it: the same input gives the same bytes."""
    return gzip.compress(data if isinstance(data, bytes) else data.encode(), 6, mtime=0)


def lambda_event(document):
    return dump({"awslogs": {"data": base64.b64encode(zipped(document)).decode()}}, indent=4)


def export_line(text, micros):
    """A line of an export task to S3."""
    return f"{written(micros, 3)} {text}\n".encode()


def filter_log_events(rows, indent=4, searched=True, **more):
    """`aws logs filter-log-events`; rows are (stream, text, micros)."""
    events = [
        {
            "logStreamName": stream,
            "timestamp": micros // 1000,
            "message": text,
            "ingestionTime": micros // 1000 + 1804,
            "eventId": f"{38_500_000_000_000_000_000_000_000 + micros:056d}",
        }
        for stream, text, micros in rows
    ]
    return dump({"events": events} | ({"searchedLogStreams": []} if searched else {}) | more, indent)


def get_log_events(rows, indent=4):
    """`aws logs get-log-events`; rows are (text, micros)."""
    events = [
        {"timestamp": micros // 1000, "message": text, "ingestionTime": micros // 1000 + 1804}
        for text, micros in rows
    ]
    tokens = {
        "nextForwardToken": "f/38500000000000000000000001",
        "nextBackwardToken": "b/38500000000000000000000000",
    }
    return dump({"events": events} | tokens, indent)


def insights_row(text, micros, stream=AUDIT_STREAM, log=f"{ACCOUNT}:{GROUP}"):
    fields = [("@timestamp", written(micros, 3, "", separator=" ")), ("@message", text)]
    fields += [("@logStream", stream)] if stream else []
    fields += [("@log", log)] if log else []
    fields += [("@ptr", base64.b64encode(f"ptr{micros}".encode()).decode())]
    return [{"field": name, "value": value} for name, value in fields]


def insights(rows, indent=4):
    """`aws logs get-query-results`; rows from `insights_row`."""
    scanned = float(sum(len(field["value"]) for row in rows for field in row))
    statistics = {
        "recordsMatched": float(len(rows)),
        "recordsScanned": float(len(rows)),
        "bytesScanned": scanned,
    }
    return dump({"results": rows, "statistics": statistics, "status": "Complete"}, indent)


# ---------------------------------------------------------------- Azure


def azure_record(log, micros, category="kube-audit", pod=POD, stream="stdout"):
    """A diagnostic record; `log` is the content of `properties.log`, text or `Raw`."""
    return {
        "category": category,
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"pod": pod, "containerID": CONTAINER, "log": log, "stream": stream},
        "resourceId": RESOURCE,
        "serviceBuild": "na",
        "time": written(micros + 900, 9),
    }


def azure_line(record):
    """As the platform writes it into a blob: `{ "category": …, "properties": {"pod":…`, and `\\/`."""
    members = [
        quoted(key) + ": " + dump(value, style="slash" if key == "properties" else "")
        for key, value in record.items()
    ]
    return "{ " + ", ".join(members) + "}\r\n"


def azure_klog(micros):
    """Another category of the same diagnostic setting."""
    text = KLOG[0] + "\n"
    return azure_record(
        text, micros, "kube-controller-manager", "kube-controller-manager-84595d6f94-wcj7p", "stderr"
    )


def azure_diagnostics(text, micros, category="kube-audit"):
    """A row of AzureDiagnostics in Log Analytics."""
    return dump(
        {
            "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff",
            "TimeGenerated": written(micros + 900, 6),
            "ResourceId": RESOURCE,
            "Category": category,
            "ResourceGroup": "SHOP-RG",
            "SubscriptionId": SUBSCRIPTION.lower(),
            "ResourceProvider": "MICROSOFT.CONTAINERSERVICE",
            "Resource": "SHOP-PROD",
            "ResourceType": "MANAGEDCLUSTERS",
            "OperationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
            "SourceSystem": "Azure",
            "pod_s": POD,
            "log_s": text + "\n",
            "stream_s": "stdout",
            "containerID_s": CONTAINER,
            "Type": "AzureDiagnostics",
            "_ResourceId": RESOURCE.lower(),
        }
    )


AKS_AUDIT = {
    "level": "Level",
    "auditID": "AuditId",
    "stage": "Stage",
    "requestURI": "RequestUri",
    "verb": "Verb",
    "user": "User",
    "sourceIPs": "SourceIps",
    "userAgent": "UserAgent",
    "objectRef": "ObjectRef",
    "responseStatus": "ResponseStatus",
    "requestObject": "RequestObject",
    "responseObject": "ResponseObject",
    "requestReceivedTimestamp": "RequestReceivedTime",
    "stageTimestamp": "StageReceivedTime",
    "annotations": "Annotations",
}
AKS_AUDIT_DYNAMIC = {
    "user",
    "sourceIPs",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "annotations",
}


def aks_audit(event, dynamic_as_text=False, table="AKSAudit"):
    """A row of AKSAudit: fixed columns, so no impersonatedUser and nothing newer; kind and version are implied."""
    row = {
        "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff",
        "TimeGenerated": written(event.micros + 900, 6),
    }
    for name, column in AKS_AUDIT.items():
        raw = event.raw(name)
        if raw is not None:
            row[column] = str(raw) if dynamic_as_text and name in AKS_AUDIT_DYNAMIC else raw
    return dump(
        row | {"PodName": POD, "SourceSystem": "Azure", "Type": table, "_ResourceId": RESOURCE.lower()}
    )


# ---------------------------------------------------------------- log stores and agents


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
    return Raw(dump({key.replace(".", "_"): Raw(raw) for key, raw in oracle.pairs(annotations)}))


def dedot_is_reversible(annotations):
    """Before the slash a key is a DNS name, which has no underscore; after it a dot would be lost."""
    return all(
        "_" not in key.split("/")[0] and "." not in key.partition("/")[2]
        for key, _ in oracle.pairs(annotations)
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
                    for key, raw in oracle.pairs(status)
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
    pairs = [(key, raw) for key, raw in oracle.pairs(text) if key not in ("kind", "apiVersion")]
    return "{" + ",".join(quoted(key) + ":" + raw for key, raw in pairs) + "}"
