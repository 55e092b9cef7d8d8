"""Where auditql and the oracle differ and should, each with the reason.

`log`, `where` and `row` are patterns (`fnmatch`) over what `check.py` prints: the path below `tests/data`, the table and
column, and the event. An entry that matches nothing any more fails the check.
"""

import fnmatch
import typing


class Intended(typing.NamedTuple):
    log: str
    where: str
    reason: str
    row: str = "*"


CUT = (
    "the delivery says that it cut the event, or it can be seen; the event itself, which the oracle is given, says nothing"
)
NO_LATENCY = "a LogEntry has one time, so that the two of the event are the same and say nothing of latency"
HALF_KEY = (
    "a key with half a surrogate cannot be held in a column and given back: the member goes to unknown_fields, while "
    "the oracle takes U+FFFD for it"
)
DELIVERED_TIME = "the delivery says when the event was, and the event, which is all that the oracle is given, does not"
CHANGED_TYPE = (
    "a value whose type a pipeline changed fills its column if it has one reading; the oracle takes the apiserver's "
    "types alone"
)
CUT_CASES = (
    "aks/truncated-16k",
    "cloudwatch/truncated-*",
    "cloudwatch-events/truncated*",
    "cloudwatch-export/truncated",
    "cloudwatch-insights/truncated",
)

INTENDED = [
    # The first entry that fits is taken.
    *(
        Intended("hostile/round-trip.jsonl", f"events.{column}", HALF_KEY, '*"surrogates in *')
        for column in ("annotations", "user_extra", "unknown_fields")
    ),
    *(
        Intended(f"formats/{case}", f"events.{column}", DELIVERED_TIME)
        for case in (*CUT_CASES, "kube-apiserver/times-taken-out", "ocsf/original-beside")
        for column in ("date", "stage_timestamp", "unknown_fields")
    ),
    *(
        Intended(f"formats/{group}", "*, rows", DELIVERED_TIME)
        for group in ("aks", "cloudwatch", "cloudwatch-events", "cloudwatch-export", "cloudwatch-insights", "kube-apiserver", "ocsf")
    ),
    Intended("formats/kube-apiserver/changed-types", "events.*", CHANGED_TYPE),
    *(Intended(f"formats/{group}", "object_versions.after_unknown", CUT) for group in ("kube-apiserver", "shipper")),
    Intended("hostile/round-trip.jsonl", "denials, rows", CHANGED_TYPE),
    Intended("formats/cloudwatch", "rbac_history.valid_until", DELIVERED_TIME),
    *(
        Intended("hostile/round-trip.jsonl", f"events.{column}", CHANGED_TYPE)
        for column in (
            "actor_groups",
            "client_ip",
            "date",
            "impersonated_extra",
            "impersonated_groups",
            "latency_ms",
            "peer_ip",
            "request_object",
            "request_received_timestamp",
            "response_code",
            "response_object",
            "source_ips",
            "stage_timestamp",
            "user_groups",
        )
    ),
    *(
        Intended("hostile/round-trip.jsonl", f"events.{column}", CHANGED_TYPE, row)
        for column, row in (
            ("annotations", '*"annotations *'),
            ("user_extra", '*"user*'),
            ("unknown_fields", "*"),
        )
    ),
    *(
        Intended(f"formats/{case}", "events.truncated", CUT)
        for case in (
            "aks/truncated-16k",
            "aks-audit/truncated-column",
            "aks-diagnostics/truncated-32k",
            "cloudwatch/truncated-*",
            "cloudwatch-events/truncated*",
            "cloudwatch-export/truncated",
            "cloudwatch-insights/truncated",
            "kube-apiserver/eks-truncated-lines",
            "ocsf/original-beside",
            "shipper/eks-truncated",
        )
    ),
    Intended("formats/gke/*", "events.latency_ms", NO_LATENCY),
    Intended("formats/gke-bigquery/*", "events.latency_ms", NO_LATENCY),
    Intended("formats/pubsub/*", "events.latency_ms", NO_LATENCY),
    Intended("formats/ocsf/eks-translated", "events.latency_ms", NO_LATENCY),
]


def of(log, where, row):
    """The entry that covers a difference, or None."""
    for entry in INTENDED:
        patterns = zip((log, where, row), (entry.log, entry.where, entry.row))
        if all(fnmatch.fnmatchcase(text, pattern) for text, pattern in patterns):
            return entry
    return None
