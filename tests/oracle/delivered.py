"""Compares what auditql makes of deliveries in providers' formats with what the oracle makes of their events.

In: cases of `tests/data/formats`, whose `expected.jsonl` holds the events that their `input.*` delivers. Out: the
differences. The engine reads the deliveries and the oracle the events, so every cell of `events` and of every view has
to be right in each envelope too. Several cases are read as one log, because a debug build plans slowly. Not compared
here: what says where a record lay and who delivered it (`columns.json` has it), and the account (`account.json`).

Bodies and `response_details` are compared as JSON values with numbers by their text, because an envelope may hold them
in another spelling. `unknown_fields` is compared without `envelope`.
"""

import collections
import json

import compare
import oracle

PROVENANCE = {
    *compare.UNKNOWN_TO_A_LOG,
    "format",
    "source_file",
    "source_line",
    "source_offset",
    "event_bytes",
}
JSON_TEXT = {"request_object", "response_object", "response_details", "pod_spec", "after", "before", "patch"}
# Events that are alike in these cannot be told apart: of an exec session that was delivered twice, for instance, any of
# the two may be the row.
IDENTITY = ("audit_id", "stage", "request_received_timestamp", "stage_timestamp", "username", "request_uri")


def cell(name, value):
    """A cell as it is compared."""
    if name == "unknown_fields":
        value = compare.unknown(value) or {}
        value.pop("envelope", None)
        return value or None
    if name in JSON_TEXT and value is not None:
        return json.loads(value, parse_float=compare.Number, parse_int=compare.Number)
    return value


def cells(row):
    return {name: cell(name, value) for name, value in row.items() if name not in PROVENANCE}


def identity(row):
    return json.dumps([row[name] for name in IDENTITY])


def compare_cases(binary, cases):
    """Compares cases; returns how many events they have, and the differences of each case and of all together."""
    deliveries = {}
    for case in cases:
        (delivery,) = case.glob("input.*")
        deliveries[str(delivery)] = case
    engine = compare.Engine(binary, list(deliveries))
    answers = engine.answers({name: f"SELECT * FROM {name}" for name in ("events", *oracle.VIEWS)})

    differences = collections.defaultdict(compare.Differences)
    events, expected, pairs = collections.defaultdict(list), [], []
    for row in answers["events"]:
        events[row["source_file"]].append(row)
    for delivery, case in deliveries.items():
        broken = []
        own = [oracle.columns_of(*event) for event in oracle.events([str(case / "expected.jsonl")], broken)]
        expected += own
        got = events.pop(delivery, [])
        if broken or len(got) != len(own):
            differences[case].add("events, count", str(broken), len(got), len(own))
        else:
            pairs += zip(got, own)
            for row, wanted in zip(got, own):
                # Some views go by them; `columns.json` says what they must be.
                wanted.update(cluster=row["cluster"], log_stream=row["log_stream"])
            for number, (row, wanted) in enumerate(zip(got, own), 1):
                compare_event(row, wanted, number, differences[case])
    for source in events:
        differences[None].add("events, of no case", source, len(events[source]), 0)

    # Every event by its identity, each as the engine has it: these cells have been compared.
    alike = collections.defaultdict(list)
    for row, _ in pairs:
        alike[identity(row)].append(cells(row))
    for view, rule in oracle.VIEWS.items():
        compare_view(view, answers[view], rule(expected), alike, differences[None])
    return len(expected), differences


def compare_event(row, wanted, number, differences):
    label = f"event {number} {json.dumps(row['audit_id'])} {json.dumps(row['stage'])}"
    row, wanted = cells(row), cells(wanted)
    for name in sorted(row.keys() | wanted.keys()):
        sides = (side.get(name, "no such column") for side in (row, wanted))
        differences.compare(f"events.{name}", label, *sides)


def compare_view(view, rows, expected, alike, differences):
    """Compares the rows of a view: its own columns, and that the others are those of the event."""
    got, wanted = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        got[identity(row)].append(cells(row))
    for row, own in expected:
        wanted[identity(row)].append(cells(own))
    for event in sorted({**got, **wanted}):
        if len(got[event]) != len(wanted[event]):
            differences.add(f"{view}, rows", event, got[event], wanted[event])
            continue
        left, unmatched = list(wanted[event]), []
        for row in got[event]:
            own = {name: row[name] for name in row if name not in alike[event][0]}
            rest = {name: row[name] for name in row if name not in own}
            if rest not in alike[event]:
                differences.add(f"{view} (of the event)", event, rest, alike[event])
            if own in left:
                left.remove(own)
            else:
                unmatched.append(own)
        for own, other in zip(unmatched, left):
            for name in sorted(own.keys() | other.keys()):
                sides = (side.get(name, "no such column") for side in (own, other))
                differences.compare(f"{view}.{name}", event, *sides)
