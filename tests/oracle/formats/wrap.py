#!/usr/bin/env python3
"""Wrap a kube-apiserver log into every envelope that carries its events, for a test by comparison.

    python3 wrap.py LOG OUTDIR [FORMAT…]

LOG holds `audit.k8s.io/v1` events, one a line, plain or gzip. OUTDIR gets one file, or one folder, for
each way of delivery; with FORMATs only for those. `events` read from what is written must hold the
same rows in the same order as `events` read from LOG, but for the columns that say where a row lay
(`format cluster account log_stream source_file source_line source_offset event_bytes`), for what the
envelope adds to `unknown_fields` under `envelope`, and for the members of an event that the envelope
cannot carry.

OUTDIR/manifest.json says what to expect, by file (a folder's name ends in a slash):

    {"cri.klog-beside.log": {"format": "cri",        the column `format` of every row
                             "events": 445,          rows
                             "drops": [],            members of the event that this envelope cannot carry
                             "skipped": {"not an audit event": 9},
                             "columns": {"cluster": null, …}}}   columns with one value in all rows

`skipped` counts the neighbours that reality puts beside the events: other streams and categories,
control messages, the apiserver's own log. There are never rejects. A variant whose envelope cannot
take this log back exactly (events that are not regular where the envelope takes them apart; an
annotation's key that does not survive Elastic's dedotting; two equal events where twin streams are told
apart by being equal) is left out and named on stderr.

Not here: formats that do not carry v1 events but something that is mapped to them (gke, rancher,
legacy-text); these have cases only.
"""

import collections
import gzip
import json
import pathlib
import shutil
import sys

sys.dont_write_bytecode = True
from envelopes import *

NOT_AN_EVENT = "not an audit event"
EVERY = 50  # A neighbour stands before every so many events.
NOWHERE = {"cluster": None, "account": None, "log_stream": None}
AKS = {"cluster": "shop-prod", "account": SUBSCRIPTION.lower(), "log_stream": POD}
AKS_AUDIT_DROPS = ["impersonatedUser", "authenticationMetadata"]
LABELS = {"cluster": "shop-prod", "job": "kube-audit", "node": "master-0"}
KUBERNETES = {
    "namespace_name": "kube-system",
    "pod_name": "kube-apiserver-master-0",
    "container_name": "kube-apiserver",
}

VARIANTS = []


def variant(name, format, columns=NOWHERE, drops=()):
    """Registers a function from events to content (chunks, or {path: bytes}: a folder) and skipped counts."""

    def register(write):
        VARIANTS.append((name, format, columns, list(drops), write))
        return write

    return register


def data(*texts):
    return [text.encode() if isinstance(text, str) else text for text in texts]


def batches(events, size):
    return [events[at : at + size] for at in range(0, len(events), size)]


STRINGS = {
    *("kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "userAgent"),
    *("requestReceivedTimestamp", "stageTimestamp"),
}


def regular(events):
    """Are these events as an apiserver writes them: v1, every member once and of its type?

    Envelopes that take an event apart can take only such events back.
    """
    return all(
        event.string("kind") == "Event"
        and event.string("apiVersion") == "audit.k8s.io/v1"
        and {"level", "auditID"} <= event.members.keys()
        and len(event.members) == len(event.pairs)
        and all(raw.startswith('"') if key in STRINGS else raw[0] in "{[" for key, raw in event.pairs)
        for event in events
    )


def beside(events, neighbours, write):
    """Chunks of `write(event)`, with all `neighbours(micros)` before every EVERY-th; how many these are."""
    chunks, count = [], 0
    for index, event in enumerate(events):
        if index % EVERY == 0:
            others = neighbours(event.micros)
            chunks += data(*others)
            count += len(others)
        chunks.append(write(event))
    return data(*chunks), {NOT_AN_EVENT: count}


# ---------------------------------------------------------------- the apiserver's webhook


@variant("eventlist.batches.json", "eventlist")
def _(events):
    if not regular(events):
        return None
    return data(*(event_list([event.text for event in some]) + "\n" for some in batches(events, 200))), {}


@variant("eventlist.pretty.json", "eventlist")
def _(events):
    if not regular(events):
        return None
    return data(event_list([event.text for event in events], indent=2) + "\n"), {}


@variant("eventlist.bodies/", "eventlist")
def _(events):
    if not regular(events):
        return None
    bodies = enumerate(batches(events, 100))
    return {
        f"{number:05d}.json": event_list([event.text for event in some]).encode() for number, some in bodies
    }, {}


# ---------------------------------------------------------------- container runtimes, hosts


@variant("cri.lines.log", "cri")
def _(events):
    return [b"".join(cri(event.text, event.micros, most=1 << 30)) for event in events], {}


@variant("cri.parts-klog-beside.log", "cri")
def _(events):
    # A long event comes in parts, and a line of the other stream falls between its first two.
    chunks, count = [], 0
    for index, event in enumerate(events):
        klog = [b"".join(cri(line, event.micros, "stderr")) for line in KLOG] if index % EVERY == 0 else []
        first, *rest = cri(event.text, event.micros, zone="+01:00", minutes=60)
        chunks += [first, *klog, *rest]
        count += len(klog)
    return chunks, {NOT_AN_EVENT: count}


@variant("cri.parts.log.gz", "cri")
def _(events):
    # Parts much smaller than a runtime's, so that every event has some.
    return [zipped(b"".join(b"".join(cri(event.text, event.micros, most=511)) for event in events))], {}


@variant("docker.lines.log", "docker")
def _(events):
    return [b"".join(docker(event.text, event.micros, most=1 << 30)) for event in events], {}


@variant("docker.parts-klog-beside.log", "docker")
def _(events):
    chunks, count = [], 0
    for index, event in enumerate(events):
        klog = [b"".join(docker(line, event.micros, "stderr")) for line in KLOG] if index % EVERY == 0 else []
        first, *rest = docker(event.text, event.micros, most=4000)
        chunks += [first, *klog, *rest]
        count += len(klog)
    return chunks, {NOT_AN_EVENT: count}


@variant("node-logs.lines.log", "node-logs", NOWHERE | {"log_stream": NODE})
def _(events):
    return [node_logs(event.text) for event in events], {}


SYSLOG = NOWHERE | {"log_stream": "master-0"}


@variant("syslog.rfc3164.log", "syslog", SYSLOG)
def _(events):
    others = lambda micros: [
        syslog_3164(
            "Accepted publickey for core from 192.0.2.7 port 50522 ssh2",
            micros,
            tag="sshd[811]: ",
            priority=86,
        ),
        syslog_3164(KLOG[1], micros),
    ]
    return beside(events, others, lambda event: syslog_3164(event.text, event.micros))


@variant("syslog.file.log", "syslog", SYSLOG)
def _(events):
    return [syslog_3164(event.text, event.micros, priority=None) for event in events], {}


@variant("syslog.iso.log", "syslog", SYSLOG)
def _(events):
    return [syslog_iso(event.text, event.micros) for event in events], {}


@variant("syslog.rfc5424.log", "syslog", SYSLOG)
def _(events):
    meta = '[origin@32473 note="braces {\\"a\\":1\\]}" ip="192.0.2.1"]'
    return [syslog_5424(event.text, event.micros, data=meta, mark="\ufeff") for event in events], {}


# ---------------------------------------------------------------- EKS


def documents(events, size=40):
    return [subscription([(event.text, event.micros) for event in some]) for some in batches(events, size)]


def neighbours(micros):
    """Documents of the same log group that hold no audit events: 6 messages in 4 documents."""
    klog = [(KLOG[0], micros), (KLOG[1], micros + 7), (KLOG[2], micros + 9)]
    login = 'time="2026-11-22T10:14:17Z" level=info msg="access granted" username=admin'
    return [
        control_message(micros),
        subscription(klog, stream=APISERVER),
        subscription([(login, micros)], stream=f"authenticator-{HEX}"),
        subscription(
            [('{"ts":1795342457.1,"msg":"Attempting to schedule pod"}', micros)],
            stream=f"kube-scheduler-{HEX}",
        ),
    ]


@variant("cloudwatch.documents.json", "cloudwatch", EKS)
def _(events):
    return data(*(document + "\n" for document in documents(events))), {}


@variant("cloudwatch.firehose-neighbours.json", "cloudwatch", EKS)
def _(events):
    # Firehose writes no delimiter.
    mixed = []
    for document in documents(events):
        mixed += neighbours(events[0].micros) + [document]
    return data(*mixed), {NOT_AN_EVENT: 6 * len(documents(events))}


@variant("cloudwatch.firehose-members", "cloudwatch", EKS)
def _(events):
    return [zipped(document) for document in documents(events)], {}


@variant("cloudwatch.firehose-gzip-twice", "cloudwatch", EKS)
def _(events):
    return [zipped(b"".join(zipped(document) for document in documents(events)))], {}


@variant("cloudwatch.lambda.json", "cloudwatch", EKS)
def _(events):
    return data(*(lambda_event(document) + "\n" for document in documents(events))), {}


@variant("cloudwatch-export.lines.log", "cloudwatch-export")
def _(events):
    return [export_line(event.text, event.micros) for event in events], {}


@variant("cloudwatch-export.klog-beside.log", "cloudwatch-export")
def _(events):
    # The objects of two streams, one after the other: `cat */000000`.
    klog = [export_line(line, events[0].micros) for line in KLOG]
    return [export_line(event.text, event.micros) for event in events] + klog, {NOT_AN_EVENT: len(klog)}


@variant("cloudwatch-export.bucket/", "cloudwatch-export")
def _(events):
    task = "exportedlogs/0b9f2c1e-3a4d-4e5f-8a6b-7c8d9e0f1a2b"
    parts = enumerate(batches(events, max(1, (len(events) + 1) // 2)))
    files = {
        f"{task}/{AUDIT_STREAM}/{number:06d}.gz": zipped(
            b"".join(export_line(event.text, event.micros) for event in some)
        )
        for number, some in parts
    }
    # Objects without anything like JSON in them are skipped whole.
    files["exportedlogs/aws-logs-write-test"] = b"Permission Check Successful"
    files[f"{task}/{APISERVER}/000000.gz"] = zipped(export_line(KLOG[0], events[0].micros) * 3)
    return files, {"not an audit log": 2}


@variant("cloudwatch-events.filter.json", "cloudwatch-events", NOWHERE | {"log_stream": AUDIT_STREAM})
def _(events):
    rows = [(AUDIT_STREAM, event.text, event.micros) for event in events]
    return data(filter_log_events(rows) + "\n"), {}


@variant(
    "cloudwatch-events.filter-other-streams.json", "cloudwatch-events", NOWHERE | {"log_stream": AUDIT_STREAM}
)
def _(events):
    pages, count = [], 0
    for some in batches(events, EVERY):
        others = [(APISERVER, line, some[0].micros) for line in KLOG]
        rows = others[:1] + [(AUDIT_STREAM, event.text, event.micros) for event in some] + others[1:]
        pages.append(filter_log_events(rows, nextToken="token") + "\n")
        count += len(others)
    return data(*pages), {NOT_AN_EVENT: count}


@variant("cloudwatch-events.get.json", "cloudwatch-events")
def _(events):
    return data(get_log_events([(event.text, event.micros) for event in events]) + "\n"), {}


@variant("cloudwatch-insights.results.json", "cloudwatch-insights", EKS)
def _(events):
    return data(insights([insights_row(event.text, event.micros) for event in events]) + "\n"), {}


@variant("cloudwatch-insights.other-streams.json", "cloudwatch-insights", EKS)
def _(events):
    rows = [insights_row(line, events[0].micros, APISERVER) for line in KLOG]
    rows += [insights_row(event.text, event.micros) for event in events]
    return data(insights(rows) + "\n"), {NOT_AN_EVENT: len(KLOG)}


@variant("cloudwatch-insights.message-only.json", "cloudwatch-insights")
def _(events):
    return data(dump({"results": [[{"field": "@message", "value": event.text}] for event in events]})), {}


# ---------------------------------------------------------------- AKS


@variant("aks.blob/", "aks", AKS)
def _(events):
    # A blob an hour, the records ordered as they came; the path has two `m=`.
    hours = collections.defaultdict(list)
    latest = 0
    for event in events:
        latest = max(latest, event.micros // 3_600_000_000)
        hours[latest].append(azure_line(azure_record(event.text + "\n", event.micros)))
    folder = (
        lambda hour: written(hour * 3_600_000_000, 0, "", separator=" ")
        .replace("-", " ")
        .replace(":", " ")
        .split()
    )
    return {
        f"resourceId={RESOURCE}/"
        + "y={}/m={}/d={}/h={}/m=00/PT1H.json".format(*folder(hour)): "".join(lines).encode()
        for hour, lines in hours.items()
    }, {}


@variant("aks.blob-other-categories.json", "aks", AKS)
def _(events):
    others = lambda micros: [azure_line(azure_klog(micros))]
    return beside(events, others, lambda event: azure_line(azure_record(event.text + "\n", event.micros)))


@variant("aks.event-hub.json", "aks", AKS)
def _(events):
    bodies = []
    for some in batches(events, 100):
        records = [azure_klog(some[0].micros)] + [
            azure_record(event.text + "\n", event.micros) for event in some
        ]
        bodies.append(dump({"records": records}) + "\n")
    return data("\ufeff", *bodies), {NOT_AN_EVENT: len(bodies)}


@variant("aks.log-decoded.json", "aks", AKS)
def _(events):
    return data(*(dump(azure_record(Raw(event.text), event.micros)) + "\n" for event in events)), {}


@variant("aks.properties.json", "aks", AKS | {"cluster": None, "account": None})
def _(events):
    rows = (azure_record(event.text + "\n", event.micros)["properties"] for event in events)
    return data(*(dump(row) + "\n" for row in rows)), {}


@variant("aks.twin-streams.json", "aks", AKS)
def _(events):
    if not regular(events):
        return None
    # kube-audit and kube-audit-admin in one hub: the second is a part of the first.
    if len({dump(dict(sorted(event.members.items()))) for event in events}) < len(events):
        return None
    records, twins = [], 0
    for event in events:
        records.append(azure_record(event.text + "\n", event.micros))
        if event.string("verb") not in ("get", "list"):
            records.append(azure_record(event.text + "\n", event.micros, "kube-audit-admin"))
            twins += 1
    return data(*(dump({"records": some}) + "\n" for some in batches(records, 100))), {"duplicate": twins}


@variant("aks-diagnostics.rows.json", "aks-diagnostics", AKS)
def _(events):
    others = lambda micros: [azure_diagnostics(KLOG[0], micros, "kube-apiserver") + "\n"]
    return beside(events, others, lambda event: azure_diagnostics(event.text, event.micros) + "\n")


@variant("aks-audit.rows.json", "aks-audit", AKS, AKS_AUDIT_DROPS)
def _(events):
    if not regular(events):
        return None
    return data(*(aks_audit(event) + "\n" for event in events)), {}


@variant("aks-audit.dynamic-as-text.json", "aks-audit", AKS, AKS_AUDIT_DROPS)
def _(events):
    if not regular(events):
        return None
    return (
        data(
            dump([Raw(aks_audit(event, dynamic_as_text=True, table="AKSAuditAdmin")) for event in events], 2)
        ),
        {},
    )


# ---------------------------------------------------------------- OpenShift


VIAQ = {"cluster": OPENSHIFT_ID, "account": None, "log_stream": NODE}


@variant("viaq.lines.json", "viaq", VIAQ)
def _(events):
    if not regular(events):
        return None
    return data(*(viaq(event) + "\n" for event in events)), {}


@variant("viaq.level-default.json", "viaq", VIAQ)
def _(events):
    if not regular(events):
        return None
    others = lambda micros: [viaq_auditd(micros) + "\n", viaq_ovn(micros) + "\n"]
    more = {"source_type": "file", "tag": ".openshift-audit.log"}
    return beside(events, others, lambda event: viaq(event, "openshiftAPI", level_lost=True, **more) + "\n")


NODE_OF = {"openshift.cluster.uid": OPENSHIFT_ID, "openshift.log.source": "kubeAPI", "k8s.node.name": NODE}


@variant("otlp.string-body.json", "otlp", VIAQ)
def _(events):
    others = (NODE_OF, [otlp_record(any_value(line), events[0].micros) for line in KLOG])
    record = lambda event: otlp_record(
        any_value(event.text), event.micros, [("k8s.audit.event.verb", event.string("verb"))]
    )
    documents = [
        otlp([others, (NODE_OF, [record(event) for event in some])]) + "\n" for some in batches(events, 100)
    ]
    return data(*documents), {NOT_AN_EVENT: len(KLOG) * len(documents)}


@variant("otlp.kvlist-body.json", "otlp", {"cluster": "shop-prod", "account": None, "log_stream": "master-0"})
def _(events):
    if not regular(events):
        return None
    of = {"k8s.cluster.name": "shop-prod", "host.name": "master-0"}
    records = lambda some: [otlp_record(kvlist(event.text), event.micros) for event in some]
    return data(*(otlp([(of, records(some))]) + "\n" for some in batches(events, 100))), {}


# ---------------------------------------------------------------- log stores and agents


@variant("loki.query-range.json", "loki", NOWHERE | {"cluster": "shop-prod"})
def _(events):
    klog = [(line, events[0].micros) for line in KLOG]
    streams = [
        (LABELS | {"job": "kube-apiserver"}, klog),
        (LABELS, [(event.text, event.micros) for event in events]),
    ]
    return data(loki_response(streams) + "\n"), {NOT_AN_EVENT: len(KLOG)}


@variant("loki.logcli.jsonl", "loki", NOWHERE | {"cluster": "shop-prod"})
def _(events):
    return data(*(logcli(event.text, event.micros, LABELS) for event in events)), {}


HEC = NOWHERE | {"log_stream": "idx-forwarder-1"}


@variant("splunk-hec.objects.json", "splunk-hec", HEC)
def _(events):
    return data(*(splunk(Raw(event.text), event.micros) for event in events)), {}


@variant("splunk-hec.strings.json", "splunk-hec", HEC)
def _(events):
    others = lambda micros: [splunk(KLOG[0], micros, sourcetype="kube:apiserver") + "\n"]
    return beside(events, others, lambda event: splunk(event.text, event.micros, index="k8s") + "\n")


@variant("ecs.documents.json", "ecs", NOWHERE | {"cluster": "shop-prod"})
def _(events):
    return data(*(ecs(event, event.micros) + "\n" for event in events)), {}


@variant("ecs.dedotted.json", "ecs", NOWHERE | {"cluster": "shop-prod"})
def _(events):
    if not regular(events):
        return None
    if not all(dedot_is_reversible(event.members.get("annotations", "{}")) for event in events):
        return None
    return data(*(ecs(event, event.micros, dedot=True) + "\n" for event in events)), {}


@variant("sls.rows.json", "sls", NOWHERE | {"log_stream": "10.0.12.7"})
def _(events):
    if not regular(events):
        return None
    return data(*(sls(event) + "\n" for event in events)), {}


@variant("sls.array.json", "sls", NOWHERE | {"log_stream": "10.0.12.7"})
def _(events):
    if not regular(events):
        return None
    return data(dump([Raw(sls(event, tags=False)) for event in events], 2)), {}


@variant(
    "yandex.lines.json", "yandex", NOWHERE | {"cluster": "catshop0prod0cluster"}, ["authenticationMetadata"]
)
def _(events):
    if not regular(events):
        return None
    return data(*(yandex(event) + "\n" for event in events)), {}


@variant(
    "yandex.snake-array.json",
    "yandex",
    NOWHERE | {"cluster": "catshop0prod0cluster"},
    ["authenticationMetadata"],
)
def _(events):
    if not regular(events):
        return None
    return data(dump([Raw(yandex(event, snake=True)) for event in events])), {}


@variant("ovh.frames.json", "ovh", NOWHERE | {"cluster": "kubernetes-audit-0f1e2d3c"})
def _(events):
    others = lambda micros: [ovh(KLOG[0], micros, "ingress-logs") + "\n"]
    return beside(events, others, lambda event: ovh(event.text, event.micros) + "\n")


@variant("shipper.fluent-bit.json", "shipper")
def _(events):
    others = lambda micros: [record(KLOG[0], "stderr", micros), record(KLOG[2], "stderr", micros)]

    def record(text, stream, micros):
        date = Raw(f"{micros // 1_000_000}.{micros % 1_000_000:06d}")
        return (
            dump({"date": date, "stream": stream, "logtag": "F", "log": text, "kubernetes": KUBERNETES})
            + "\n"
        )

    return beside(events, others, lambda event: record(event.text, "stdout", event.micros))


@variant("shipper.filebeat.json", "shipper")
def _(events):
    # `log` and `event` are objects of the shipper's own; the event is the message.
    def record(event):
        log = {"file": {"path": "/var/log/kubernetes/audit.log"}, "offset": 8398}
        of = {
            "@timestamp": written(event.micros, 3),
            "log": log,
            "event": {"dataset": "generic"},
            "message": event.text,
        }
        return dump(of, style="go") + "\n"

    return data(*(record(event) for event in events)), {}


@variant("shipper.vector.json", "shipper")
def _(events):
    def record(event):
        of = {
            "file": "/var/log/kubernetes/audit.log",
            "host": "master-0",
            "message": event.text,
            "source_type": "file",
        }
        return dump(of | {"timestamp": written(event.micros, 9)}) + "\n"

    return data(*(record(event) for event in events)), {}


@variant("shipper.logstash.json", "shipper")
def _(events):
    # The same event twice in one record is one event.
    def record(event):
        of = {
            "event": {"original": event.text},
            "@version": "1",
            "host": {"name": "master-0"},
            "message": event.text,
        }
        return dump(of | {"@timestamp": written(event.micros, 9)}) + "\n"

    return data(*(record(event) for event in events)), {}


@variant("shipper.object-members.json", "shipper")
def _(events):
    names = ("event", "log", "message", "body", "line")
    rows = (
        dump({"agent": "fluentd", names[n % len(names)]: Raw(event.text)}) + "\n"
        for n, event in enumerate(events)
    )
    return data(*rows), {}


# ---------------------------------------------------------------- writing


def read(path):
    raw = pathlib.Path(path).read_bytes()
    raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    return [Event(line.strip(" \t\r")) for line in raw.decode("utf-8-sig").split("\n") if line.strip(" \t\r")]


def write(out, name, content):
    """A file of chunks of bytes, or a folder of files; what was there before goes."""
    target = out / name
    if target.is_dir():
        shutil.rmtree(target)
    if isinstance(content, dict):
        for path, body in content.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(body)
    else:
        with target.open("wb") as file:
            file.writelines(content)


def main(log, out, *formats):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    events = read(log)
    if not events:
        sys.exit(f"{log}: no events")
    manifest = {}
    for name, format, columns, drops, make in VARIANTS:
        if formats and format not in formats:
            continue
        made = make(events)
        if made is None:
            print(f"left out: {name}, this log cannot be taken back from it exactly", file=sys.stderr)
            continue
        content, skipped = made
        write(out, name, content)
        manifest[name] = {
            "format": format,
            "drops": drops,
            "events": len(events),
            "skipped": skipped,
            "columns": columns,
        }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
