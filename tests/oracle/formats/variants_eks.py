"""Variants of EKS: CloudWatch Logs and what exports from it."""

from envelopes import *
from variant import *


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
