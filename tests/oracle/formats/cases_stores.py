"""Cases of log stores and log models: loki, splunk-hec, ecs, otlp, viaq, sls, ovh."""

import sys

sys.dont_write_bytecode = True
from envelope_case import *


def loki_cases():
    labels = {"cluster": "shop-prod", "job": "kube-audit", "node": "master-0"}
    cluster = {"cluster": "shop-prod"}
    pair = lambda event: (event.text, event.micros)
    one = [(labels, [pair(READYZ), pair(DENIED), pair(EXEC)])]
    write("loki", "query-range", [loki_response(one)], [READYZ, DENIED, EXEC], "json", columns=cluster)
    write(
        "loki",
        "query-range-pretty",
        [loki_response(one, indent=2), "\n"],
        [READYZ, DENIED, EXEC],
        "json",
        columns=cluster,
    )
    several = [
        (labels | {"job": "kube-apiserver"}, [(line, EXEC.micros) for line in KLOG]),
        (labels, [pair(READYZ)]),
        ({"job": "kube-audit"}, [pair(DENIED), ("", EXEC.micros)]),
        (labels | {"cluster": "billing"}, [pair(EXEC)]),
    ]
    columns = {"cluster": ["shop-prod", None, "billing"]}
    write(
        "loki",
        "several-streams",
        [loki_response(several)],
        [READYZ, DENIED, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 4},
        columns=columns,
    )
    # Since Loki 3 a line may have structured metadata, the third element.
    lines = [(*pair(READYZ), {"detected_level": "unknown", "cluster": "no-label"}), (*pair(EXEC), {})]
    write(
        "loki",
        "structured-metadata",
        [loki_response([(labels, lines)])],
        [READYZ, EXEC],
        "json",
        columns=cluster,
    )
    # The answer to a metric query has the same shape; its values are numbers.
    matrix = {"resultType": "matrix", "result": [{"metric": {"verb": "get"}, "values": [[1795342456, "17"]]}]}
    write(
        "loki",
        "metric-query",
        [dump({"status": "success", "data": matrix})],
        [],
        "json",
        skipped={NOT_AN_EVENT: 1},
    )
    write("loki", "no-streams", [loki_response([])], [], "json", skipped={NOT_AN_EVENT: 1})
    lines = [logcli(event.text, event.micros, labels) for event in (READYZ, DENIED)]
    lines += [logcli(KLOG[0], EXEC.micros, labels), logcli(EXEC.text, EXEC.micros, {"job": "kube-audit"})]
    columns = {"cluster": ["shop-prod", "shop-prod", None]}
    write(
        "loki", "logcli", lines, [READYZ, DENIED, EXEC], "jsonl", skipped={NOT_AN_EVENT: 1}, columns=columns
    )
    bad = [(labels, [pair(READYZ), (broken(LIST), LIST.micros), pair(EXEC)])]
    write(
        "loki",
        "one-bad-line",
        [loki_response(bad)],
        [READYZ, EXEC],
        "json",
        rejects={INVALID: 1},
        columns=cluster,
    )
    lines = [logcli(event.text, event.micros, labels) for event in (HOSTILE, NUMBERS)]
    write("loki", "escapes-and-numbers", lines, [HOSTILE, NUMBERS], "jsonl")


def splunk_cases():
    host = {"log_stream": "idx-forwarder-1"}
    objects = [splunk(Raw(event.text), event.micros) for event in (READYZ, DENIED, EXEC)]
    write("splunk-hec", "objects-no-delimiter", objects, [READYZ, DENIED, EXEC], "json", columns=host)
    strings = [
        splunk(event.text, event.micros, index="k8s", fields={"cluster": "shop-prod"}) + "\n"
        for event in (READYZ, EXEC)
    ]
    write("splunk-hec", "strings", strings, [READYZ, EXEC], "json", columns=host)
    write(
        "splunk-hec", "no-host", [splunk(Raw(EXEC.text), EXEC.micros, host=None)], [EXEC], "json", columns={}
    )
    # Everything that the agents of a node send goes to one collector.
    mixed = [
        splunk(KLOG[0], EXEC.micros, sourcetype="kube:apiserver"),
        splunk(Raw(OTHER_JSON), EXEC.micros, sourcetype="kube:container:web"),
        objects[0],
        splunk(OTHER_JSON, EXEC.micros, sourcetype="kube:container:web"),
        splunk("metric", EXEC.micros, sourcetype="kube:metrics", fields={"metric_name": "cpu", "_value": 1}),
        objects[2],
    ]
    write(
        "splunk-hec", "other-sources", mixed, [READYZ, EXEC], "json", skipped={NOT_AN_EVENT: 4}, columns=host
    )
    bad = [objects[0], splunk(broken(LIST), LIST.micros), objects[2]]
    write("splunk-hec", "one-bad-event", bad, [READYZ, EXEC], "json", rejects={INVALID: 1}, columns=host)
    both = [
        splunk(Raw(HOSTILE.text), HOSTILE.micros),
        splunk(HOSTILE.text, HOSTILE.micros),
        splunk(NUMBERS.text, NUMBERS.micros),
    ]
    write("splunk-hec", "escapes-and-numbers", both, [HOSTILE, HOSTILE, NUMBERS], "json")


def ecs_cases():
    cluster = {"cluster": "shop-prod"}
    lines = [ecs(event, event.micros) + "\n" for event in (READYZ, IMPERSONATED, EXEC)]
    write("ecs", "filebeat", lines, [READYZ, IMPERSONATED, EXEC], "json", columns=cluster)
    pretty = dump(json.loads(ecs(EXEC, EXEC.micros, cluster=None)), indent=4)
    write("ecs", "no-orchestrator-pretty", [pretty, "\n"], [EXEC], "json", columns={})
    # The ingest pipeline replaces the dots of annotation keys; a DNS name has no underscore, so those before the
    # slash can be put back, and must be: `authorization.k8s.io/decision` answers half of all questions.
    lines = [ecs(event, event.micros, dedot=True) + "\n" for event in (CREATE, DENIED, EXEC)]
    write("ecs", "annotations-dedotted", lines, [CREATE, DENIED, EXEC], "json", columns=cluster)
    # With `preserve_original_event` the same event is there twice; it is one event.
    original = dump(
        {"kubernetes": {"audit": Raw(EXEC.text)}, "event": {"original": EXEC.text}, "message": EXEC.text}
    )
    write("ecs", "original-event-kept", [original], [EXEC], "json", columns={})
    # Container logs and metrics of the same integration.
    mixed = [
        dump({"kubernetes": {"pod": {"name": "web-0"}}, "message": KLOG[0], "log": {"offset": 1}}) + "\n",
        lines[2],
        dump({"kubernetes": {"audit": {}}, "event": {"kind": "pipeline_error"}}) + "\n",
        dump({"kubernetes": {"container": {"cpu": {"usage": 1}}}}) + "\n",
    ]
    write("ecs", "other-data-streams", mixed, [EXEC], "json", skipped={NOT_AN_EVENT: 3}, columns=cluster)
    # Elastic's Azure integration keeps the decoded `properties.log` under its own name.
    azure = {"category": "kube-audit", "properties": {"log": Raw(EXEC.text), "pod": POD, "stream": "stdout"}}
    document = dump(
        {"@timestamp": written(EXEC.micros, 3), "azure": {"platformlogs": azure}, "tags": ["forwarded"]}
    )
    write("ecs", "azure-platformlogs", [document], [EXEC], "json")
    lines = [ecs(event, event.micros) + "\n" for event in (HOSTILE, NUMBERS)]
    write("ecs", "escapes-and-numbers", lines, [HOSTILE, NUMBERS], "json")


def otlp_cases():
    openshift = {
        "openshift.cluster.uid": OPENSHIFT_ID,
        "openshift.log.source": "kubeAPI",
        "k8s.node.name": NODE,
    }
    both = {
        "openshift.cluster.uid": OPENSHIFT_ID,
        "k8s.cluster.name": "shop-prod",
        "host.name": "h",
        "k8s.node.name": "n",
    }
    attributes = [
        ("k8s.audit.event.stage", "ResponseComplete"),
        ("k8s.audit.event.response.code", Number("200")),
    ]
    text = lambda event: otlp_record(any_value(event.text), event.micros, attributes)
    tree = lambda event: otlp_record(kvlist(event.text), event.micros)
    columns = {"cluster": OPENSHIFT_ID, "log_stream": NODE}
    one = otlp([(openshift, [text(READYZ), text(DENIED), text(EXEC)])])
    write("otlp", "string-body", [one], [READYZ, DENIED, EXEC], "json", columns=columns)
    pretty = otlp([(openshift, [text(READYZ), text(EXEC)])], indent=2)
    write("otlp", "string-body-pretty", [pretty, "\n"], [READYZ, EXEC], "json", columns=columns)
    # k8s.cluster.name is a name, openshift.cluster.uid an id; a node goes before a host; nothing is nothing.
    several = [(both, [text(READYZ)]), ({"host.name": "master-0"}, [text(DENIED)]), ({}, [text(EXEC)])]
    columns = {"cluster": ["shop-prod", None, None], "log_stream": ["n", "master-0", None]}
    write("otlp", "several-resources", [otlp(several)], [READYZ, DENIED, EXEC], "json", columns=columns)
    # The file exporter writes a document a line.
    lines = [otlp([(both, [text(event)])]) + "\n" for event in (READYZ, EXEC)]
    write(
        "otlp",
        "file-exporter",
        lines,
        [READYZ, EXEC],
        "json",
        columns={"cluster": "shop-prod", "log_stream": "n"},
    )
    # A parsed body: objects, arrays, empty ones, null, booleans, integers as strings, doubles.
    trees = otlp([(both, [tree(CREATE), tree(UNAUTHENTICATED), tree(PATCH), tree(OPTIONS)])])
    events = [CREATE, UNAUTHENTICATED, PATCH, OPTIONS]
    write("otlp", "kvlist-body", [trees], events, "json", columns={"cluster": "shop-prod", "log_stream": "n"})
    values = '{"kind":"Scale","metadata":{},"a":null,"b":[],"c":[null,true,1.5,{"d":[[]]}],"e":-7,"f":9223372036854775807,"g":1e30}'
    odd = changed(
        PATCH,
        '"requestObject":[{"op":"add","path":"/rules/0/verbs/-","value":"watch"}]',
        f'"requestObject":{values}',
    )
    # Other writers spell the empty ones in full, and integers as numbers, as the JSON mapping of protobuf allows to read.
    spelled = otlp([({}, [tree(odd)])]).replace('"arrayValue":{}', '"arrayValue":{"values":[]}')
    spelled = spelled.replace('"kvlistValue":{"values":[]}', '"kvlistValue":{}').replace(
        '"intValue":"200"', '"intValue":200'
    )
    write("otlp", "kvlist-values", [otlp([({}, [tree(odd)])]), "\n", spelled], [odd, odd], "json", columns={})
    others = [otlp_record(any_value(line), EXEC.micros) for line in KLOG]
    others.append({"timeUnixNano": f"{EXEC.micros}000", "attributes": []})
    others.append(otlp_record(kvlist(OTHER_JSON), EXEC.micros))
    mixed = otlp(
        [
            ({"openshift.log.type": "infrastructure"}, others),
            (openshift, [text(READYZ), others[0], text(EXEC)]),
        ]
    )
    columns = {"cluster": OPENSHIFT_ID, "log_stream": NODE}
    write(
        "otlp", "other-records", [mixed], [READYZ, EXEC], "json", skipped={NOT_AN_EVENT: 6}, columns=columns
    )
    write("otlp", "empty", [otlp([])], [], "json", skipped={NOT_AN_EVENT: 1})
    bad = [text(READYZ), otlp_record(any_value(broken(LIST)), LIST.micros), text(EXEC)]
    write(
        "otlp",
        "one-bad-body",
        [otlp([(openshift, bad)])],
        [READYZ, EXEC],
        "json",
        rejects={INVALID: 1},
        columns=columns,
    )
    write(
        "otlp",
        "escapes-and-numbers",
        [otlp([({}, [text(HOSTILE), tree(HOSTILE), text(NUMBERS)])])],
        [HOSTILE, HOSTILE, NUMBERS],
        "json",
    )


def viaq_cases():
    columns = {"cluster": OPENSHIFT_ID, "log_stream": NODE}
    lines = [viaq(event) + "\n" for event in (READYZ, CREATE, EXEC)]
    write(
        "viaq",
        "kube-api",
        lines,
        [READYZ, CREATE, EXEC],
        "json",
        columns=columns | {"level": ["Metadata", "RequestResponse", "Request"]},
    )
    # Collectors up to 5.9 put "default" where the level was.
    lines = [viaq(event, level_lost=True) + "\n" for event in (READYZ, CREATE, EXEC)]
    write(
        "viaq",
        "level-default",
        lines,
        [READYZ, CREATE, EXEC],
        "json",
        columns=columns | {"level": ["Metadata", "RequestResponse", "Request"]},
    )
    lines = [
        viaq(event, "openshiftAPI", level_lost=lost) + "\n" for event, lost in ((DENIED, True), (EXEC, False))
    ]
    write(
        "viaq",
        "openshift-api",
        lines,
        [DENIED, EXEC],
        "json",
        columns=columns | {"level": ["Metadata", "Request"]},
    )
    # The collection time stands in `timestamp`, which in v1beta1 was the time of the stage.
    times = {"stage_timestamp": [event.string("stageTimestamp") for event in (READYZ, EXEC)]}
    more = {
        "file": "/var/log/kube-apiserver/audit.log",
        "kubernetes": {},
        "path": "/var/log/kube-apiserver/audit.log",
        "pipeline_metadata": {
            "collector": {"name": "fluentd", "received_at": written(EXEC.micros, 6), "version": "1.16.2"}
        },
        "source_type": "file",
        "stream_name": f"{NODE}.k8s-audit.log",
        "tag": ".k8s-audit.log",
        "viaq_index_name": "audit-write",
        "viaq_msg_id": "NzQ5ZTJiMGYtOGM0Yy00",
    }
    lines = [viaq(event, level_lost=True, **more) + "\n" for event in (READYZ, EXEC)]
    write("viaq", "keys-of-older-collectors", lines, [READYZ, EXEC], "json", columns=columns | times)
    pretty = dump(json.loads(viaq(EXEC, level_lost=True)), indent=2)
    write("viaq", "pretty", [pretty, "\n"], [EXEC], "json", columns=columns)
    container = {
        "@timestamp": written(EXEC.micros, 9),
        "hostname": NODE,
        "kubernetes": {"pod_name": "web-0"},
        "level": "info",
    }
    container |= {
        "log_source": "container",
        "log_type": "application",
        "message": KLOG[0],
        "openshift": {"cluster_id": OPENSHIFT_ID},
    }
    mixed = [viaq_auditd(EXEC.micros), viaq(READYZ), viaq_ovn(EXEC.micros), viaq(EXEC), dump(container)]
    write(
        "viaq",
        "other-log-sources",
        [line + "\n" for line in mixed],
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 3},
        columns=columns,
    )
    # Where the collector's outputs put these records: syslog, a LokiStack, CloudWatch.
    lines = [syslog_5424(viaq(event), event.micros, host=NODE) for event in (READYZ, EXEC)]
    write("viaq", "over-syslog", lines, [READYZ, EXEC], "log", columns=columns)
    labels = {"log_type": "audit", "k8s_node_name": NODE}
    streams = [(labels, [(viaq(event, level_lost=True), event.micros) for event in (READYZ, EXEC)])]
    write("viaq", "in-loki", [loki_response(streams)], [READYZ, EXEC], "json", columns=columns)
    where = {"group": "shop-prod.audit", "stream": f"{NODE}.k8s-audit.log"}
    stored = subscription([(viaq(event), event.micros) for event in (READYZ, EXEC)], **where)
    write("viaq", "in-cloudwatch", [stored], [READYZ, EXEC], "json", columns=columns | {"account": ACCOUNT})
    lines = [viaq(event, level_lost=True) + "\n" for event in (HOSTILE, NUMBERS)]
    write("viaq", "escapes-and-numbers", lines, [HOSTILE, NUMBERS], "json")


def sls_cases():
    source = {"log_stream": "10.0.12.7"}
    events = [READYZ, IMPERSONATED, UNAUTHENTICATED, EXEC]
    write("sls", "rows", [sls(event) + "\n" for event in events], events, "json", columns=source)
    array = dump([Raw(sls(event, tags=False)) for event in events], indent=2)
    write("sls", "array", [array], events, "json", columns=source)
    # Bodies are JSON in a string; the strings inside them that hold JSON stay strings. `verb` may be "".
    events = [CREATE, PATCH, OPTIONS]
    write("sls", "bodies", [sls(event) + "\n" for event in events], events, "json", columns=source)
    # What is a string in the event stays one, whatever it looks like.
    odd = changed(
        EXEC, '"userAgent":"kubectl/v1.36.2 (linux/amd64) kubernetes/98b3519"', r'"userAgent":"{\"a\":[1]}"'
    )
    odd = Event(odd.text.replace('"auditID":"c723be5b-3e29-4e98-b401-2e87bf970356"', '"auditID":"[1]"'))
    write(
        "sls",
        "strings-that-look-like-json",
        [sls(odd) + "\n", sls(EXEC) + "\n"],
        [odd, EXEC],
        "json",
        columns=source,
    )
    # __time__ may be a number, and a row may come without its source.
    row = sls(EXEC, tags=False).replace(
        f'"__time__":"{EXEC.micros // 1_000_000}"', f'"__time__":{EXEC.micros // 1_000_000}'
    )
    write("sls", "no-source", [row.replace('"__source__":"10.0.12.7",', "")], [EXEC], "json", columns={})
    ingress = {
        "__source__": "10.0.12.9",
        "__time__": "1795342457",
        "__topic__": "nginx-ingress",
        "method": "GET",
        "status": "200",
    }
    write(
        "sls",
        "other-log-store",
        [dump(ingress), sls(READYZ), dump(ingress), sls(EXEC)],
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 2},
        columns=source,
    )
    write("sls", "escapes-and-numbers", [sls(HOSTILE), sls(NUMBERS)], [HOSTILE, NUMBERS], "json")


def ovh_cases():
    app = {"cluster": "kubernetes-audit-0f1e2d3c"}
    frames = [ovh(event.text, event.micros) + "\n" for event in (READYZ, DENIED, EXEC)]
    write("ovh", "frames", frames, [READYZ, DENIED, EXEC], "json", columns=app)
    mixed = [ovh(KLOG[0], EXEC.micros, "ingress"), frames[0], ovh(OTHER_JSON, EXEC.micros, "web"), frames[2]]
    write("ovh", "other-applications", mixed, [READYZ, EXEC], "json", skipped={NOT_AN_EVENT: 2}, columns=app)
    bad = [frames[0], ovh(broken(LIST), LIST.micros), frames[2]]
    write("ovh", "one-bad-message", bad, [READYZ, EXEC], "json", rejects={INVALID: 1}, columns=app)
    write(
        "ovh",
        "escapes-and-numbers",
        [ovh(HOSTILE.text, HOSTILE.micros), ovh(NUMBERS.text, NUMBERS.micros)],
        [HOSTILE, NUMBERS],
        "json",
    )


def main():
    loki_cases()
    splunk_cases()
    ecs_cases()
    otlp_cases()
    viaq_cases()
    sls_cases()
    ovh_cases()
