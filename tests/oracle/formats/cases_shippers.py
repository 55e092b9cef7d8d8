"""Cases of shippers' own records, with the event in one of their members or merged into them: shipper."""

import sys

sys.dont_write_bytecode = True
from envelope_case import *


def shipper(name, records, events, **more):
    write(
        "shipper",
        name,
        [record + "\n" for record in records],
        events,
        "json",
        columns=more.pop("columns", {}),
        **more,
    )


def shipper_cases():
    at = EXEC.micros
    two = [READYZ, EXEC]
    pod = {
        "namespace_name": "kube-system",
        "pod_name": "kube-apiserver-master-0",
        "labels": {"cluster": "no-column"},
    }
    date = Raw("1795342457.213381")
    bit = lambda text: {"date": date, "stream": "stdout", "logtag": "F", "log": text, "kubernetes": pod}
    beat_log = {"file": {"path": "/var/log/kubernetes/audit.log"}, "offset": 8398}
    shipper("fluent-bit-log", [dump(bit(event.text)) for event in two], two)
    # Merge_Log with Keep_Log: the same event as text and as an object.
    kept = lambda event: dump(bit(event.text + "\n") | {"log_processed": Raw(event.text)}, style="go")
    shipper("fluent-bit-keep-log", [kept(event) for event in two], two)
    # Docker's record in the log of the shipper: the innermost wrapper names the format.
    inside = lambda event: dump(bit(docker(event.text, at)[0].decode().rstrip("\n")))
    shipper("fluent-bit-around-docker", [inside(event) for event in two], two, columns={"format": "docker"})
    # filebeat has objects called `log` and `event` beside the message.
    beat = lambda text: dump(
        {
            "@timestamp": written(at, 3),
            "log": beat_log,
            "event": {"dataset": "generic"},
            "host": {"name": "n"},
            "message": text,
        }
    )
    shipper("filebeat-message", [beat(event.text) for event in two], two)
    source = {"log_group": GROUP, "log_stream": AUDIT_STREAM, "ingestion_time": written(at, 0)}
    shipper(
        "filebeat-cloudwatch",
        [dump({"awscloudwatch": source, "event": {"id": "385"}, "message": event.text}) for event in two],
        two,
    )
    vector = lambda text: dump(
        {
            "file": "/a.log",
            "host": "master-0",
            "message": text,
            "source_type": "file",
            "timestamp": written(at, 9),
        }
    )
    shipper("vector-message", [vector(event.text) for event in two], two)
    # Logstash, and anything with `preserve_original_event`: once as it came, once as text, or only the original.
    both = dump(
        {"event": {"original": EXEC.text}, "@version": "1", "host": {"name": "n"}, "message": EXEC.text}
    )
    only = dump({"event": {"original": READYZ.text, "ingested": written(at, 3)}, "ecs": {"version": "8.0.0"}})
    shipper("event-original", [only, both], two)
    shipper(
        "input-message",
        [dump({"input": {"message": event.text + "\n", "sekoiaio": {"intake": {}}}}) for event in two],
        two,
    )
    # Splunk's export of a search: the raw text, and under `result` when it comes from the REST interface.
    raw = {"_time": written(at, 3, "+00:00", separator=" "), "host": "master-0", "_raw": EXEC.text}
    shipper(
        "splunk-export",
        [dump(raw), dump({"preview": False, "offset": 0, "result": raw | {"_raw": READYZ.text}})],
        [EXEC, READYZ],
    )
    gelf = lambda text: dump(
        {
            "version": "1.1",
            "host": "master-0",
            "short_message": text,
            "timestamp": Raw("1795342457.213"),
            "level": 6,
        }
    )
    shipper("gelf", [gelf(event.text) for event in two], two)
    members = ("log", "message", "line", "@message", "body", "_raw", "short_message")
    shipper(
        "string-members", [dump({"agent": "x", name: EXEC.text}) for name in members], [EXEC] * len(members)
    )
    members = ("log", "message", "event", "line", "body")
    shipper(
        "object-members",
        [dump({"agent": "x", name: Raw(EXEC.text)}) for name in members],
        [EXEC] * len(members),
    )
    # An HTTP source in front of the webhook backend: a batch is the message.
    posted = [
        dump({"path": "/", "message": event_list([READYZ.text, DENIED.text])}),
        dump({"path": "/", "body": Raw(event_list([EXEC.text]))}),
    ]
    shipper("webhook-batches", posted, [READYZ, DENIED, EXEC])
    # Merged into the root: such a record is an event with members that Kubernetes does not have, and stays one.
    merged = [
        '{"date":1795342457.213381,'
        + READYZ.text[1:-1]
        + ',"kubernetes":{"pod_name":"kube-apiserver-master-0"}}',
        '{"@timestamp":"2026-11-22T10:14:17.213Z","file":"/a.log","host":{"name":"n"},' + DENIED.text[1:],
        EXEC.text[:-1] + ',"source_type":"file","timestamp":"2026-11-22T23:59:59.213381417Z"}',
    ]
    times = [event.string("stageTimestamp") for event in (READYZ, DENIED, EXEC)]
    shipper("merged-at-root", merged, merged, columns={"format": "kube-apiserver", "stage_timestamp": times})
    mixed = [
        dump(bit(KLOG[0] + "\n")),
        beat(KLOG[1]),
        dump(bit(READYZ.text)),
        dump(bit(OTHER_JSON)),
        dump({"log": {"level": "info"}, "message": {"text": "no event"}}),
        vector(""),
        beat(EXEC.text),
    ]
    shipper("other-messages", mixed, two, skipped={NOT_AN_EVENT: 5})
    # A long line that the runtime cut and the shipper did not join.
    cut = [dump(bit(READYZ.text)), dump(bit(CREATE.text[:2000])), dump(bit(EXEC.text))]
    shipper("cut", cut, two, rejects={INVALID: 1})
    shipper("array", ["[" + ",\n".join(dump(bit(event.text)) for event in two) + "]"], two)
    odd = [
        dump(bit(HOSTILE.text), style="ascii"),
        dump(bit(HOSTILE.text), style="slash"),
        vector(NUMBERS.text),
        dump({"agent": "x", "log": Raw(NUMBERS.text)}),
    ]
    shipper("escapes-and-numbers", odd, [HOSTILE, HOSTILE, NUMBERS, NUMBERS])


def main():
    shipper_cases()
