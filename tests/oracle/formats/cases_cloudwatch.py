"""Cases of CloudWatch Logs: cloudwatch, cloudwatch-export, cloudwatch-events, cloudwatch-insights.

Events that were cut on the way are in `cases_truncated.py`.
"""

import sys

sys.dont_write_bytecode = True
from envelope_case import *


def document(*events, **how):
    return subscription([(event.text, event.micros) for event in events], **how)


def subscription_cases():
    write(
        "cloudwatch",
        "subscription",
        zipped(document(READYZ, DENIED, EXEC)),
        [READYZ, DENIED, EXEC],
        "gz",
        columns=EKS,
    )
    two = [document(READYZ, DENIED), document(EXEC)]
    write("cloudwatch", "firehose-no-delimiter", two, [READYZ, DENIED, EXEC], "json", columns=EKS)
    write(
        "cloudwatch",
        "firehose-gzip-members",
        [zipped(text) for text in two],
        [READYZ, DENIED, EXEC],
        "object",
        columns=EKS,
    )
    twice = zipped(b"".join(zipped(text) for text in two))
    write("cloudwatch", "firehose-gzip-twice", twice, [READYZ, DENIED, EXEC], "object", columns=EKS)
    write(
        "cloudwatch",
        "kinesis-lines",
        [text + "\n" for text in two],
        [READYZ, DENIED, EXEC],
        "json",
        columns=EKS,
    )
    write(
        "cloudwatch",
        "lambda",
        lambda_event(document(READYZ, EXEC)).encode(),
        [READYZ, EXEC],
        "json",
        columns=EKS,
    )
    policy = [document(READYZ, EXEC, policyLevel="ACCOUNT_LEVEL_POLICY")]
    write("cloudwatch", "account-level-policy", policy, [READYZ, EXEC], "json", columns=EKS)
    mixed = [control_message(READYZ.micros), document(READYZ), control_message(EXEC.micros), document(EXEC)]
    write(
        "cloudwatch",
        "control-messages",
        mixed,
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 2},
        columns=EKS,
    )
    # The other streams of the group; `kube-apiserver-` is how the audit stream begins, too. What is in them does not
    # matter: JSON, JSON that was cut, text.
    at = EXEC.micros
    login = 'time="2026-11-22T10:14:17Z" level=info msg="access granted" username=admin'
    mixed = [
        subscription([(line, at) for line in KLOG], stream=APISERVER),
        document(READYZ),
        subscription([(login, at)], stream=f"authenticator-{HEX}"),
        subscription(
            [(OTHER_JSON, at), (OTHER_JSON[:30] + "[Truncated...]", at)], stream=f"kube-scheduler-{HEX}"
        ),
        subscription([(KLOG[0], at)], stream=f"kube-controller-manager-{HEX}"),
        subscription([(KLOG[1], at)], stream=f"cloud-controller-manager-{HEX}"),
        document(EXEC),
    ]
    write(
        "cloudwatch", "other-streams", mixed, [READYZ, EXEC], "json", skipped={NOT_AN_EVENT: 8}, columns=EKS
    )
    # A cluster that is not EKS's, its log shipped by an agent: neither group nor stream are named as EKS names them.
    agent = {"group": "/shop/kube-audit", "stream": "master-0.var.log.kubernetes.audit.log"}
    columns = {"cluster": None, "account": ACCOUNT, "log_stream": agent["stream"]}
    mixed = [document(READYZ, EXEC, **agent), subscription([(KLOG[0], at)], **agent)]
    write(
        "cloudwatch",
        "group-of-an-agent",
        mixed,
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 1},
        columns=columns,
    )
    # Two clusters, two control plane instances, one archive.
    other = f"kube-apiserver-audit-{HEX[::-1]}"
    mixed = [
        document(READYZ),
        document(DENIED, stream=other),
        document(EXEC, group="/aws/eks/billing/cluster", owner="444455556666"),
    ]
    columns = {
        "cluster": [CLUSTER, CLUSTER, "billing"],
        "account": [ACCOUNT, ACCOUNT, "444455556666"],
        "log_stream": [AUDIT_STREAM, other, AUDIT_STREAM],
    }
    write("cloudwatch", "several-clusters", mixed, [READYZ, DENIED, EXEC], "json", columns=columns)
    bad = [(READYZ.text, READYZ.micros), (broken(LIST), LIST.micros), (OTHER_JSON, at), (EXEC.text, at)]
    counts = {"rejects": {INVALID: 1}, "skipped": {NOT_AN_EVENT: 1}}
    write("cloudwatch", "one-bad-message", [subscription(bad)], [READYZ, EXEC], "json", **counts, columns=EKS)
    # At least once is what the delivery promises; leaving duplicates out is for whoever asks for it.
    write(
        "cloudwatch", "delivered-twice", [document(EXEC), document(EXEC)], [EXEC, EXEC], "json", columns=EKS
    )
    write("cloudwatch", "no-log-events", [subscription([])], [], "json", skipped={NOT_AN_EVENT: 1})
    write(
        "cloudwatch",
        "escapes-and-numbers",
        [document(HOSTILE, NUMBERS, CREATE)],
        [HOSTILE, NUMBERS, CREATE],
        "json",
        columns=EKS,
    )


def export_cases():
    lines = [export_line(event.text, event.micros) for event in (READYZ, DENIED, EXEC)]
    write("cloudwatch-export", "lines", b"".join(lines), [READYZ, DENIED, EXEC], columns={})
    write("cloudwatch-export", "object", zipped(b"".join(lines)), [READYZ, DENIED, EXEC], "gz", columns={})
    # Objects of two streams in one file.
    klog = [export_line(line, EXEC.micros) for line in KLOG]
    write(
        "cloudwatch-export",
        "other-streams",
        [*klog[:2], *lines, klog[2]],
        [READYZ, DENIED, EXEC],
        skipped={NOT_AN_EVENT: 3},
        columns={},
    )
    bad = export_line(broken(LIST), LIST.micros)
    write(
        "cloudwatch-export",
        "broken-line",
        [lines[0], bad, lines[2]],
        [READYZ, EXEC],
        rejects={INVALID: 1},
        columns={},
    )
    lines = [export_line(event.text, event.micros) for event in (HOSTILE, NUMBERS)]
    write("cloudwatch-export", "escapes-and-numbers", lines, [HOSTILE, NUMBERS])


def cloudwatch_events_cases():
    stream = {"log_stream": AUDIT_STREAM}
    rows = [(AUDIT_STREAM, event.text, event.micros) for event in (READYZ, DENIED, EXEC)]
    write(
        "cloudwatch-events",
        "filter-log-events",
        [filter_log_events(rows), "\n"],
        [READYZ, DENIED, EXEC],
        "json",
        columns=stream,
    )
    others = [(APISERVER, line, EXEC.micros) for line in KLOG]
    mixed = [others[0], rows[0], others[1], rows[2], others[2]]
    write(
        "cloudwatch-events",
        "filter-other-streams",
        [filter_log_events(mixed)],
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 3},
        columns=stream,
    )
    pages = [filter_log_events(rows[:2], nextToken="Bxkq6kVGFtq2y"), "\n", filter_log_events(rows[2:]), "\n"]
    write("cloudwatch-events", "filter-pages", pages, [READYZ, DENIED, EXEC], "json", columns=stream)
    rows = [(event.text, event.micros) for event in (READYZ, DENIED, EXEC)]
    write(
        "cloudwatch-events",
        "get-log-events",
        [get_log_events(rows), "\n"],
        [READYZ, DENIED, EXEC],
        "json",
        columns={},
    )
    windows = "\ufeff" + get_log_events(rows).replace("\n", "\r\n") + "\r\n"
    write(
        "cloudwatch-events", "get-log-events-bom-crlf", [windows], [READYZ, DENIED, EXEC], "json", columns={}
    )
    bad = [rows[0], (broken(LIST), LIST.micros), rows[2]]
    write(
        "cloudwatch-events",
        "one-bad-message",
        [get_log_events(bad)],
        [READYZ, EXEC],
        "json",
        rejects={INVALID: 1},
        columns={},
    )
    write("cloudwatch-events", "empty", [filter_log_events([])], [], "json", skipped={NOT_AN_EVENT: 1})
    rows = [(event.text, event.micros) for event in (HOSTILE, NUMBERS)]
    write(
        "cloudwatch-events",
        "escapes-and-numbers",
        [get_log_events(rows, indent=None)],
        [HOSTILE, NUMBERS],
        "json",
    )


def insights_cases():
    rows = [insights_row(event.text, event.micros) for event in (READYZ, DENIED, EXEC)]
    write(
        "cloudwatch-insights",
        "query-results",
        [insights(rows), "\n"],
        [READYZ, DENIED, EXEC],
        "json",
        columns=EKS,
    )
    # A query that names its fields: `fields @message`, nothing else.
    bare_rows = [[{"field": "@message", "value": event.text}] for event in (READYZ, EXEC)]
    write(
        "cloudwatch-insights",
        "message-only",
        [dump({"results": bare_rows})],
        [READYZ, EXEC],
        "json",
        columns={},
    )
    # Insights finds fields in the message by itself; they say nothing that the message does not.
    found = [
        {"field": "verb", "value": "delete"},
        {"field": "auditID", "value": "made-up"},
        {"field": "stage", "value": "Panic"},
    ]
    rows_found = [
        found + insights_row(READYZ.text, READYZ.micros, log=None),
        insights_row(EXEC.text, EXEC.micros, stream=None) + found,
    ]
    columns = {"cluster": [None, CLUSTER], "account": [None, ACCOUNT], "log_stream": [AUDIT_STREAM, None]}
    write(
        "cloudwatch-insights",
        "discovered-fields",
        [insights(rows_found)],
        [READYZ, EXEC],
        "json",
        columns=columns,
    )
    mixed = [
        insights_row(KLOG[0], EXEC.micros, APISERVER),
        rows[0],
        insights_row(OTHER_JSON, EXEC.micros, f"kube-scheduler-{HEX}"),
        rows[2],
    ]
    write(
        "cloudwatch-insights",
        "other-streams",
        [insights(mixed)],
        [READYZ, EXEC],
        "json",
        skipped={NOT_AN_EVENT: 2},
        columns=EKS,
    )
    # `stats count(*) by verb`: rows without a message.
    counts = [
        [{"field": "verb", "value": verb}, {"field": "count(*)", "value": "17"}] for verb in ("get", "list")
    ]
    write("cloudwatch-insights", "statistics", [insights(counts)], [], "json", skipped={NOT_AN_EVENT: 2})
    bad = [rows[0], insights_row(broken(LIST), LIST.micros), rows[2]]
    write(
        "cloudwatch-insights",
        "one-bad-message",
        [insights(bad)],
        [READYZ, EXEC],
        "json",
        rejects={INVALID: 1},
        columns=EKS,
    )
    write("cloudwatch-insights", "empty", [insights([])], [], "json", skipped={NOT_AN_EVENT: 1})
    rows = [insights_row(event.text, event.micros) for event in (HOSTILE, NUMBERS)]
    write("cloudwatch-insights", "escapes-and-numbers", [insights(rows)], [HOSTILE, NUMBERS], "json")


def main():
    subscription_cases()
    export_cases()
    cloudwatch_events_cases()
    insights_cases()
