"""What CloudWatch Logs delivers, and how it is read back."""

import base64
import gzip

from envelope_event import *


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
