#!/usr/bin/env python3
"""Compares what auditql says of a log with what the oracle says, cell by cell.

    python3 compare.py BINARY LOG...              every LOG by itself
    python3 compare.py --together BINARY LOG...   all of them as one log

BINARY is the auditql to try. A LOG is a file that `oracle.py` reads: JSON lines or an `EventList`,
plain or gzip. Compared are

  - every cell of `SELECT * FROM events`. Where the record lay (`source_file`, `source_line`,
    `source_offset`, `event_bytes`) is compared with the file itself: the bytes that the columns name
    must be the event, and the newlines before them must give the line;
  - every view: its rows, by the event that each is made from, and its own columns; its other columns
    must be those of that event.

Differences are printed grouped, with how often each occurred and the first few of it. The exit status is
1 when there are any, 2 when the engine could not be run or a log not be read.
"""

import argparse
import collections
import json
import re
import subprocess
import sys

import oracle

SHOWN = 3  # of one kind of difference
# What a plain log does not say of itself, and what only a lake knows.
UNKNOWN_TO_A_LOG = ("cluster", "account", "log_stream", "source_id", "event_hash")
WIDTH = 160


class EngineFailed(Exception):
    """The engine gave no answer."""


class Engine:
    """The auditql under test."""

    def __init__(self, binary, logs):
        # One thread: the rows of `events` then come in the order of the input.
        self.command = [binary, "--quiet", "--threads", "1"]
        self.command += [word for log in logs for word in ("--input", log)]

    def answers(self, questions):
        """The rows of each question, by its name; the questions are put to one shell."""
        script = ".mode jsonl\n"
        for name, sql in questions.items():
            script += f"SELECT '{name}' AS answer_to;\n{sql};\n"
        done = subprocess.run(
            self.command, input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        if done.returncode not in (0, 3):
            raise EngineFailed(f"{self.command}: exit {done.returncode}: {done.stderr.decode().strip()}")
        answers = {}
        for line in done.stdout.decode("utf-8").split("\n"):
            row = json.loads(line) if line else {}
            if "answer_to" in row:
                rows = answers[row["answer_to"]] = []
            elif line:
                rows.append(row)
        return answers


class Differences:
    """What differs, grouped by where."""

    def __init__(self):
        self.found = collections.defaultdict(list)

    def add(self, where, row, engine, expected):
        self.found[where].append((row, engine, expected))

    def compare(self, where, row, engine, expected):
        if engine != expected or type(engine) is not type(expected):
            self.add(where, row, engine, expected)

    def is_empty(self):
        return not any(self.found.values())

    def show(self):
        for where, found in sorted(self.found.items()):
            if not found:
                continue
            print(f"  {where}: {len(found)}")
            for row, engine, expected in found[:SHOWN]:
                print(f"    {row}")
                print(f"      engine {short(engine)}")
                print(f"      oracle {short(expected)}")


def short(value):
    text = json.dumps(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}... ({len(text)} characters)"


class Number(str):
    """A number by its text."""

    def __eq__(self, other):
        return isinstance(other, Number) and str.__eq__(self, other)

    __hash__ = str.__hash__

    def __repr__(self):
        return f"Number({str.__repr__(self)})"


def whole(value):
    """A value with U+FFFD for half surrogates, names included: the oracle does not tell these apart."""
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    return value


def unknown(text):
    """`unknown_fields` as a value; the order of what was absent or doubled says nothing."""
    if text is None:
        return None
    value = whole(json.loads(text, parse_float=Number, parse_int=Number))
    for name in ("duplicates", "absent"):
        if value and name in value:
            value[name] = sorted(value[name], key=repr)
    return value


class Sources:
    """The decompressed bytes of the files, and their newlines."""

    def __init__(self):
        self.files = {}

    def read(self, path):
        if path not in self.files:
            self.files[path] = oracle.read(path).encode("utf-8")
        return self.files[path]

    def record(self, row):
        """The text that the columns of a row point at."""
        start, length = row["source_offset"], row["event_bytes"]
        return self.read(row["source_file"])[start : start + length].decode("utf-8", "replace")

    def line(self, row):
        return 1 + self.read(row["source_file"]).count(b"\n", 0, row["source_offset"])


def label_of(row):
    place = f"{row['source_file']}:{row['source_line']}"
    return f"{place} {json.dumps(row['audit_id'])} {json.dumps(row['stage'])}"


def compare_events(rows, rejects, logs, differences):
    """Compares the events; returns the oracle's rows, and the engine's by their place."""
    broken = []
    found = list(oracle.events(logs, broken))
    order = {log: index for index, log in enumerate(logs)}
    rows.sort(key=lambda row: (order[row["source_file"]], row["source_offset"]))
    if len(rejects) != len(broken):
        differences.add("rejects, count", "all", len(rejects), len(broken))

    sources, expected, events, places = Sources(), [], {}, []
    for row, text, version in matched(rows, found, sources):
        if text is None:
            differences.add("events, no event for the oracle", label_of(row), sources.record(row), None)
            continue
        if row is None:
            differences.add("events, no event for the engine", "", None, text)
            continue
        own = oracle.columns_of(text, version)
        expected.append(own)
        places.append(place_of(row))
        events[place_of(row)] = row
        label = label_of(row)
        differences.compare("events.source_line", label, row["source_line"], sources.line(row))
        for name in sorted(row.keys() | own.keys()):
            where = f"events.{name}"
            if name == "unknown_fields":
                differences.compare(where, label, unknown(row[name]), unknown(own[name]))
            elif name in own:
                differences.compare(where, label, row.get(name, "no such column"), own[name])
            elif name == "format":
                wanted = "kube-apiserver" if version is None else "eventlist"
                differences.compare(where, label, row[name], wanted)
            elif name in UNKNOWN_TO_A_LOG:
                differences.compare(where, label, row[name], None)
            elif name not in ("source_file", "source_line", "source_offset", "event_bytes"):
                differences.add(where, label, row[name], "no such column")
    return expected, events, places


def matched(rows, found, sources):
    """The engine's rows and the oracle's events side by side, by the text of the record."""
    at = 0
    for row in rows:
        record = sources.record(row)
        near = [text for text, _ in found[at : at + 100]]
        if record not in near:
            yield row, None, None
            continue
        skipped = near.index(record)
        for text, _ in found[at : at + skipped]:
            yield None, text, None
        at += skipped + 1
        yield row, *found[at - 1]
    for text, _ in found[at:]:
        yield None, text, None


def place_of(row):
    return row["source_file"], row["source_offset"]


def compare_view(rows, view, expected, events, places, differences):
    """Compares the rows of a view, each found by the event that it is made from."""
    # An event that was delivered several times may be any of them.
    first_like, place_by_row = {}, {}
    for row, place in zip(expected, places):
        place_by_row[id(row)] = first_like.setdefault(json.dumps(row), place)
    first_by_place = {place: place_by_row[id(row)] for row, place in zip(expected, places)}
    wanted = collections.defaultdict(list)
    for row, own in oracle.VIEWS[view](expected):
        wanted[place_by_row[id(row)]].append(own)
    got = collections.defaultdict(list)
    for row in rows:
        event = events[place_of(row)]
        for name in event:
            # What is alike in both is not kept twice.
            differences.compare(f"{view}.{name} (of the event)", label_of(event), row.pop(name), event[name])
        got[first_by_place[place_of(event)]].append(row)
    for place in {**wanted, **got}:
        label = label_of(events[place]) if place in events else str(place)
        if len(got[place]) != len(wanted[place]):
            differences.add(f"{view}, rows", label, got[place], wanted[place])
            continue
        # Rows of one event come in no order.
        by_text = lambda row: json.dumps(row, sort_keys=True, default=str)  # noqa: E731
        for row, own in zip(sorted(got[place], key=by_text), sorted(wanted[place], key=by_text)):
            for name in sorted(row.keys() | own.keys()):
                engine_cell, own_cell = (cells.get(name, "no such column") for cells in (row, own))
                differences.compare(f"{view}.{name}", label, engine_cell, own_cell)
    return sum(map(len, got.values()))


def compare(binary, logs, differences):
    """Compares everything; returns how many rows `events` and each view have."""
    tables = ("events", "rejects", *oracle.VIEWS)
    answers = Engine(binary, logs).answers({name: f"SELECT * FROM {name}" for name in tables})
    expected, events, places = compare_events(answers["events"], answers["rejects"], logs, differences)
    counts = {"events": len(events)}
    for view in oracle.VIEWS:
        counts[view] = compare_view(answers[view], view, expected, events, places, differences)
    return counts


def show(binary, logs):
    """Compares, and prints the outcome; whether anything differs."""
    differences = Differences()
    counts = ", ".join(f"{name} {count}" for name, count in compare(binary, logs, differences).items())
    print(f"{' '.join(logs) if len(logs) < 3 else f'{logs[0]} ... ({len(logs)} files)'}: {counts}")
    differences.show()
    return not differences.is_empty()


def main():
    parser = argparse.ArgumentParser(description="Compares auditql with the oracle, cell by cell.")
    parser.add_argument("--together", action="store_true", help="read all files as one log")
    parser.add_argument("binary", metavar="BINARY")
    parser.add_argument("logs", nargs="+", metavar="LOG")
    options = parser.parse_args()
    groups = [options.logs] if options.together else [[log] for log in options.logs]
    try:
        differ = [show(options.binary, logs) for logs in groups]
    except (OSError, EngineFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if any(differ) else 0


if __name__ == "__main__":
    sys.exit(main())
