#!/usr/bin/env python3
"""What the table `events` and the views must hold, worked out a second time.

    python3 oracle.py FILE...                 one JSON object per event, keys sorted
    python3 oracle.py --view NAME FILE...     one JSON object per row of a view

This program shares no code with the engine. It exists so that tests can compare the two: where they
differ, one of them is wrong. It favours plainness over speed and reads only what kube-apiserver
itself writes: JSON lines of `audit.k8s.io/v1` events (the log backend) and `EventList` bodies (the
webhook backend), plain or gzip. Several files are read as one log, in the order given.

Of an event it prints every column of `events` except those that say where the record lay (`cluster`, `account`,
`log_stream`, `format`, `source_file`, `source_line`, `source_offset`, `event_bytes`); `compare.py`
checks these. Times are text with six digits and `Z`, further digits are cut off; lists and maps are
JSON; bodies and `response_details` are the exact text of the source, found by walking the event
without parsing what is inside them. A value of the wrong type is null, as is a JSON null; an entry of
a map whose value has the wrong type is left out. Of duplicate keys the last counts. `unknown_fields`
is right as a JSON value, not as text.

Of a view it prints what identifies a row (`audit_id`, `request_received_timestamp`, `stage`) and the
view's own columns. What a view means is written at the function of its name in `views*.py`, and for users
in `schemas/views/`. `columns.py` has the columns, `apiserver_rules.py` what both take from Kubernetes and Go.

Lines that are no JSON object are counted on stderr and make the exit status 1.
"""

import argparse
import gzip
import json
import sys

sys.dont_write_bytecode = True
from columns import columns_of
from json_text import Malformed, elements, members, skip_white, string, value_end
from view_list import VIEWS


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data.decode("utf-8")


def values(text):
    """The top-level JSON objects of a file: its lines, or one object that spans lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and value_ends_at(lines[0]) is None and value_ends_at(text) is not None:
        lines = [text]
    for line in lines:
        end = value_ends_at(line)
        yield line.strip() if end is not None else None


def value_ends_at(text):
    """End of the object that is all of `text`, or None."""
    start = skip_white(text, 0)
    try:
        end = value_end(text, start)
    except Malformed:
        return None
    return end if text[start] == "{" and skip_white(text, end) == len(text) else None


def events(paths, broken):
    """Every event of the files as (its text, apiVersion of the list around it)."""
    for path in paths:
        for number, raw in enumerate(values(read(path)), 1):
            try:
                if raw is None:
                    raise Malformed("not one JSON object")
                fields = members(raw)
                if string(fields.get("kind")) != "EventList" or elements(fields.get("items")) is None:
                    yield raw, None
                    continue
                for item in elements(fields["items"]):
                    yield item, string(fields.get("apiVersion"))
            except Malformed as error:
                broken.append(f"{path}: record {number}: {error}")


def main():
    parser = argparse.ArgumentParser(description="The columns of audit events, worked out again.")
    parser.add_argument("--view", choices=sorted(VIEWS), help="print the rows of a view instead")
    parser.add_argument("files", nargs="+", metavar="FILE")
    options = parser.parse_args()

    broken = []
    rows = (columns_of(*event) for event in events(options.files, broken))
    if options.view:
        identity = ("audit_id", "request_received_timestamp", "stage")
        rows = (
            {**{name: row[name] for name in identity}, **own}
            for row, own in VIEWS[options.view](rows)
        )
    for row in rows:
        print(json.dumps(row, sort_keys=True))
    for message in broken:
        print(message, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
