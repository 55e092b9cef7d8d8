"""Variants of log stores and agents."""

from envelopes import *
from variant import *


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
