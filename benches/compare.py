#!/usr/bin/env python3
"""auditql and DuckDB side by side: the same file, the same threads, the same answers, in one run.

    compare.py AUDITQL LOG [--threads 2] [--runs 5]

AUDITQL is the binary, LOG a log of plain JSON lines (`auditql-benches generate --bytes 2GB --seed 7 --out LOG`).
DuckDB comes from PyPI (`pip install duckdb`) and reads with `read_json` and explicit columns: only those a
question needs. Each question is asked by both in turn, RUNS times; the best time of each counts, since the
machine may be shared. Answers have to be equal, else the exit code is 1. Peak memory is auditql's, of convert.

A ratio above 1 says how many times as fast auditql was.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time

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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql")
    parser.add_argument("log")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(dir=os.path.dirname(os.path.abspath(options.log)))
    # Before DuckDB is loaded: a child's peak begins with what its parent holds.
    first = os.path.join(folder, "first.parquet")
    subprocess.run([options.auditql, "convert", "-q", "-i", options.log, "--to", first, "--threads", str(options.threads)], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    os.remove(first)
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads={options.threads}")
    print(f"DuckDB {duckdb.__version__}, {os.path.getsize(options.log) / 1e9:.2f} GB, {options.threads} threads, best of {options.runs}")
    print(f"{'':55} {'auditql':>9} {'DuckDB':>9} {'ratio':>7}")
    failed = False

    def ours(*arguments):
        command = [options.auditql, *arguments, "-q", "-i", options.log, "--threads", str(options.threads)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def line(name, times, note=""):
        print(f"{name:55} {times[0]:8.2f}s {times[1]:8.2f}s {times[1] / times[0]:6.2f}x {note}", flush=True)

    for name, sql, columns, peer in QUESTIONS:
        peer = peer.format(log=source(options.log, columns))
        times, (mine, theirs) = best(
            options.runs, lambda: ours("sql", sql, "-o", "csv"), lambda: connection.execute(peer).fetchall()
        )
        rows = [tuple(row) for row in csv.reader(mine.splitlines()[1:])]
        text = lambda value: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        same = rows == [tuple(text(value) for value in row) for row in theirs]
        failed |= not same
        line(name, times, "" if same else f"DIFFERENT: {rows[:2]} {theirs[:2]}")

    parquet, peer_parquet = os.path.join(folder, "auditql.parquet"), os.path.join(folder, "duckdb.parquet")
    everything = source(options.log, COLUMNS)
    times, _ = best(
        options.runs,
        lambda: ours("convert", "--to", parquet),
        lambda: connection.execute(f"COPY (SELECT * FROM {everything}) TO '{peer_parquet}' (FORMAT parquet, COMPRESSION zstd)"),
    )
    count = lambda file: connection.execute(f"SELECT count(*) FROM '{file}'").fetchone()[0]
    same = count(parquet) == count(peer_parquet)
    failed |= not same
    line("convert, all columns, zstd", times, "" if same else "DIFFERENT counts")
    sizes = [os.path.getsize(file) / 1e6 for file in (parquet, peer_parquet)]
    print(f"size of the Parquet: auditql {sizes[0]:.1f} MB (68 columns), DuckDB {sizes[1]:.1f} MB (19 columns)")
    print(f"peak memory of auditql: {peak:.0f} MiB")
    for file in (parquet, peer_parquet):
        os.remove(file)
    os.rmdir(folder)
    sys.exit(failed)


if __name__ == "__main__":
    main()
