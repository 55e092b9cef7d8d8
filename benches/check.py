#!/usr/bin/env python3
"""Many saved queries over a raw log, against converting it: how much one pass with all questions costs, in one run.

    check.py AUDITQL [LOG...] [--profiles [A,B]] [--bytes 1GB] [--queries 200] [--threads 2] [--runs 3] [--limit 4]

AUDITQL is the binary, each LOG a log of plain JSON lines. With --profiles the load generator writes logs of its profiles.
As long as the library has fewer queries than --queries, copies of its queries under other names fill up: they are planned
and run like any other. The two take turns, RUNS times, and the best time of each counts, since the machine may be shared.
Peak memory is that of `check`. The exit code is 1 where `check` takes more than --limit times the conversion.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import loads  # noqa: E402: after the line that keeps the source folder clean

LIBRARY = loads.ROOT / "queries"


def measured(words):
    """Seconds, and the peak of the resident memory in MiB."""
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit(f"{' '.join(map(str, words))}: exit {code}: {error.decode(errors='replace')}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def questions(count, folder):
    """So many queries: those of the library, and copies of them as queries of one's own."""
    known = sorted(LIBRARY.glob("*/*.sql"))
    words = [word for query in known[:count] for word in ("--query", query.stem)]
    for index in range(len(known), count):
        original = known[index % len(known)]
        copy = folder / f"{original.stem}-{index}.sql"
        copy.write_text(original.read_text())
        words += ["--query", copy]
    return words


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql", type=pathlib.Path)
    loads.add_arguments(parser)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--threads", default="2")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=4.0)
    options = parser.parse_args()
    auditql, too_slow = options.auditql.resolve(), False
    print("| log | convert, s | check, s | times | peak, MiB |\n|---|---:|---:|---:|---:|")
    for load in loads.of(options):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            common = ["-q", "--threads", options.threads, "-i", load.log]
            convert = [auditql, "convert", *common, "--to", folder / "events.parquet"]
            # The default of --severity beside --query: every row is a finding, as bad as it gets.
            check = [auditql, "check", *common, "--fail-on", "none", "-o", "json", *questions(options.queries, folder)]
            converted, checked, peak = [], [], 0
            for _ in range(options.runs):
                converted.append(measured(convert)[0])
                seconds, memory = measured(check)
                checked.append(seconds)
                peak = max(peak, memory)
            answer = json.loads(subprocess.run([str(word) for word in check], stdout=subprocess.PIPE, check=False).stdout)
            failed = [query["id"] for query in answer["queries"] if query["status"] == "error"]
            if failed:
                sys.exit(f"failed: {', '.join(failed)}")
            ratio = min(checked) / min(converted)
            too_slow |= ratio > options.limit
            print(f"| {load.name} | {min(converted):.2f} | {min(checked):.2f} | {ratio:.1f} | {peak:.0f} |")
    sys.exit(1 if too_slow else 0)


if __name__ == "__main__":
    main()
