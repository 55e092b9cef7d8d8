#!/usr/bin/env python3
"""auditql and DuckDB side by side: the same files, the same threads, the same answers, in one run.

    compare.py AUDITQL [LOG...] [--profiles [A,B]] [--bytes 1GB] [--threads 2] [--runs 5]

AUDITQL is the binary, each LOG a log of plain JSON lines. With --profiles the load generator writes logs of its
profiles, all of them or those named. Each log is a column of the table.

DuckDB comes from PyPI (`pip install duckdb`). It reads with `read_json` and explicit columns, only those that a
question needs. The two take turns, RUNS times for each question, and the best time of each counts, since the
machine may be shared. If an answer differs, the exit code is 1. Peak memory is auditql's while it converts.

A ratio above 1 says how many times as fast auditql was. The last two columns are the worst and the best ratio of a
question over all logs.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import loads  # noqa: E402: after the line that keeps the source folder clean

USER = "STRUCT(username VARCHAR, uid VARCHAR, groups VARCHAR[], extra MAP(VARCHAR, VARCHAR[]))"
COLUMNS = {
    "kind": "VARCHAR",
    "apiVersion": "VARCHAR",
    "level": "VARCHAR",
    "auditID": "VARCHAR",
    "stage": "VARCHAR",
    "requestURI": "VARCHAR",
    "verb": "VARCHAR",
    "user": USER,
    "impersonatedUser": USER,
    "authenticationMetadata": "STRUCT(impersonationConstraint VARCHAR)",
    "sourceIPs": "VARCHAR[]",
    "userAgent": "VARCHAR",
    "objectRef": "STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, uid VARCHAR, apiGroup VARCHAR, "
    "apiVersion VARCHAR, resourceVersion VARCHAR, subresource VARCHAR)",
    "responseStatus": "STRUCT(status VARCHAR, message VARCHAR, reason VARCHAR, details JSON, code INTEGER)",
    "requestObject": "JSON",
    "responseObject": "JSON",
    "requestReceivedTimestamp": "TIMESTAMP",
    "stageTimestamp": "TIMESTAMP",
    "annotations": "MAP(VARCHAR, VARCHAR)",
}


def source(log, columns):
    spec = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    return f"read_json('{log}', format='newline_delimited', columns={{{spec}}}, maximum_object_size=16777216)"


# name, auditql, DuckDB's columns, DuckDB's SQL over {log}
QUESTIONS = [
    ("count(*)", "SELECT count(*) FROM events", {"auditID": "VARCHAR"}, "SELECT count(*) FROM {log}"),
    (
        "count by user",
        "SELECT username, count(*) n FROM events GROUP BY 1 ORDER BY n DESC, 1",
        {"user": "STRUCT(username VARCHAR)"},
        "SELECT user.username, count(*) n FROM {log} GROUP BY 1 ORDER BY n DESC, 1 NULLS LAST",
    ),
    (
        "count where code = 403",
        "SELECT count(*) FROM events WHERE response_code = 403",
        {"responseStatus": "STRUCT(code INTEGER)"},
        "SELECT count(*) FROM {log} WHERE responseStatus.code = 403",
    ),
    (
        "two columns",
        "SELECT verb, stage, count(*) n FROM events GROUP BY 1, 2 ORDER BY n DESC, 1, 2",
        {"verb": "VARCHAR", "stage": "VARCHAR"},
        "SELECT verb, stage, count(*) n FROM {log} GROUP BY 1, 2 ORDER BY n DESC, 1, 2",
    ),
    (
        "both bodies and other columns",
        "SELECT count(*), count(request_object), count(response_object), sum(length(request_uri)), "
        "count(DISTINCT username), max(stage_timestamp)::text IS NOT NULL FROM events",
        COLUMNS,
        "SELECT count(*), count(requestObject), count(responseObject), "
        "sum(length(requestURI)), count(DISTINCT user.username), max(stageTimestamp)::VARCHAR IS NOT NULL FROM {log}",
    ),
]
CONVERT = "convert, all columns, zstd"


class Auditql:
    def __init__(self, binary, threads):
        self.binary, self.threads = binary, threads

    def command(self, log, *arguments):
        return [self.binary, *arguments, "-q", "-i", log, "--threads", str(self.threads)]

    def output(self, log, *arguments):
        return subprocess.run(self.command(log, *arguments), check=True, capture_output=True, text=True).stdout


def best(runs, *works):
    """The best time of each work and its last result; the works take turns."""
    times = [float("inf")] * len(works)
    results = [None] * len(works)
    for _ in range(runs):
        for index, work in enumerate(works):
            started = time.perf_counter()
            results[index] = work()
            times[index] = min(times[index], time.perf_counter() - started)
    return times, results


def text(value):
    """A value of DuckDB's as auditql writes it in CSV."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def asked(auditql, connection, load, runs):
    """Question → the times of both, and in what their answers differ."""
    times = {}
    for name, sql, columns, peer in QUESTIONS:
        peer = peer.format(log=source(load.log, columns))
        taken, (mine, theirs) = best(
            runs, lambda: auditql.output(load.log, "sql", sql, "-o", "csv"), lambda: connection.execute(peer).fetchall()
        )
        mine, theirs = list(csv.reader(mine.splitlines()[1:])), [[text(value) for value in row] for row in theirs]
        times[name] = (*taken, "" if mine == theirs else f"DIFFERENT: {mine[:2]} {theirs[:2]}")
    return times


def converted(auditql, connection, load, runs, folder):
    """The times of both, in what the files differ, and their sizes in MB."""
    parquet, peer = folder / "auditql.parquet", folder / "duckdb.parquet"
    copy = f"COPY (SELECT * FROM {source(load.log, COLUMNS)}) TO '{peer}' (FORMAT parquet, COMPRESSION zstd)"
    times, _ = best(runs, lambda: auditql.output(load.log, "convert", "--to", parquet), lambda: connection.execute(copy))
    counts = [connection.execute(f"SELECT count(*) FROM '{file}'").fetchone()[0] for file in (parquet, peer)]
    sizes = [file.stat().st_size / 1e6 for file in (parquet, peer)]
    for file in (parquet, peer):
        file.unlink()
    return (*times, "" if counts[0] == counts[1] else f"DIFFERENT: {counts} rows"), sizes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql", metavar="AUDITQL", type=os.path.abspath)
    loads.add_arguments(parser)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all times there, too")
    options = parser.parse_args()
    every = loads.of(options)
    auditql = Auditql(options.auditql, options.threads)
    with tempfile.TemporaryDirectory(dir=every[0].log.resolve().parent) as folder:
        folder = pathlib.Path(folder)
        # Before DuckDB is loaded: a child's peak begins with what its parent holds.
        first = folder / "first.parquet"
        peaks = {load.name: loads.run(auditql.command(load.log, "convert", "--to", first))[1] for load in every}
        first.unlink()
        import duckdb

        connection = duckdb.connect()
        connection.execute(f"SET threads={options.threads}")
        print(f"DuckDB {duckdb.__version__}, {options.threads} threads, best of {options.runs}; "
              "DuckDB's time / auditql's (auditql's seconds)")
        times, sizes = {}, {}
        for load in every:
            print(f"{load.name}: {load.log}, {load.bytes / 1e9:.2f} GB", flush=True)
            times[load.name] = asked(auditql, connection, load, options.runs)
            times[load.name][CONVERT], sizes[load.name] = converted(auditql, connection, load, options.runs, folder)
    report(every, times, sizes, peaks)
    if options.json:
        options.json.write_text(json.dumps({"times": times, "sizes": sizes, "peaks": peaks}, indent=1) + "\n")
    sys.exit(any(note for taken in times.values() for _, _, note in taken.values()))


def report(every, times, sizes, peaks):
    rows = []
    for name in [*(question[0] for question in QUESTIONS), CONVERT]:
        taken = [times[load.name][name] for load in every]
        cells = [f"{theirs / ours:.2f}x ({ours:.2f} s)" for ours, theirs, _ in taken]
        rows.append((name, cells, "; ".join(f"{load.name} {note}" for load, (_, _, note) in zip(every, taken) if note)))
    loads.table("times as fast as DuckDB", every, rows, lambda cell: [float(re.match(r"[\d.]+", cell)[0])])
    loads.table("convert", every, [
        ("MB/s of the log", [f"{load.bytes / times[load.name][CONVERT][0] / 1e6:.0f}" for load in every], ""),
        ("peak memory of auditql, MiB", [f"{peaks[load.name]:.0f}" for load in every], ""),
        ("auditql's Parquet, 68 columns, MB", [f"{sizes[load.name][0]:.1f}" for load in every], ""),
        ("DuckDB's Parquet, 19 columns, MB", [f"{sizes[load.name][1]:.1f}" for load in every], ""),
    ])


if __name__ == "__main__":
    main()
