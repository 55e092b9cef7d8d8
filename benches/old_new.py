#!/usr/bin/env python3
"""Two auditql binaries side by side on the same files: is the new one slower, and are the rows the same?

    old_new.py OLD NEW [LOG...] [--profiles [A,B]] [--bytes 1GB] [--pairs 5] [--threads 2] [--queries A,B] [--limit 1.05]

Each LOG is asked every question: counts, columns, bodies, all columns as CSV, saved queries, conversion to Parquet and into a
lake, and most of these once more over the lake. The binaries take turns, old, new, old, new; each pair gives a ratio of
times, and the median of a question's ratios counts, so that a machine that slows down for a while does not decide.
A ratio above 1 says that the new binary is slower. The table has the worst first.

Before the clock starts, each binary answers every question once, and the rows are compared: as many CSV lines, with the
same hash whatever their order. Of files and lakes that the binaries write, each reads its own, all columns. Over the lake
both read the one that OLD wrote. Different rows or exit codes make the exit code 1; so does a ratio above --limit.

OLD OLD in place of OLD NEW shows how far apart two equal binaries are on this machine.
"""

import argparse
import hashlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import loads  # noqa: E402: after the line that keeps the source folder clean

COLUMNS = "SELECT * FROM events"
STATEMENTS = {
    "count(*)": "SELECT count(*) FROM events",
    "count by user": "SELECT username, count(*) AS n FROM events GROUP BY 1 ORDER BY n DESC, 1",
    "count where code = 403": "SELECT count(*) FROM events WHERE response_code = 403",
    "two columns": "SELECT verb, stage, count(*) AS n FROM events GROUP BY 1, 2 ORDER BY n DESC, 1, 2",
    "bodies": "SELECT count(*), count(request_object), count(response_object), sum(length(request_object)), "
    "sum(length(response_object)) FROM events",
    "all columns to CSV": COLUMNS,
    "lines of 403s": "SELECT source_line, username, request_uri FROM events WHERE response_code = 403",
}
SAVED = ["denied-requests", "pod-exec-sessions", "rbac-binding-usage", "requests-by-actor", "secrets-read-by-humans"]
# Exit code 3: finished, but a part of the input could not be read.
FINE = (0, 3)
# Short questions get more pairs: up to ten times as many, in this many seconds.
LONG_ENOUGH = 2.0


class Binary:
    def __init__(self, path, threads, memory):
        self.path = os.path.abspath(path)
        self.common = ["-q", "--threads", str(threads), *(["--memory", memory] if memory else [])]

    def command(self, question, log):
        return [self.path, *question, "-o", "csv", "-i", str(log), *self.common]

    def conversion(self, log, to):
        return [self.path, "convert", "-i", str(log), "--to", str(to), *self.common]


def rows(command):
    """Number of lines, their hash whatever their order, and the exit code."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        total = lines = 0
        for line in child.stdout:
            total += int.from_bytes(hashlib.blake2b(line, digest_size=16).digest(), "big")
            lines += 1
        code = child.wait()
        if code not in FINE:
            errors.seek(0)
            sys.exit(f"{' '.join(command)} ended with {code}: {errors.read().decode(errors='replace').strip()}")
    return lines, f"{total % (1 << 128):032x}", code


def seconds(command):
    started = time.perf_counter()
    code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
    taken = time.perf_counter() - started
    if code not in FINE:
        sys.exit(f"{' '.join(command)} ended with {code}")
    return taken


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


class Comparison:
    """The results of all questions."""

    def __init__(self, pairs):
        self.pairs, self.results, self.different = pairs, [], []

    def ask(self, name, commands, targets=(), checks=()):
        """Times two commands in turn, each with its target removed before. `checks` are two commands that show the rows, by
        default the commands themselves."""

        def timed(side):
            if targets:
                remove(targets[side])
            return seconds(commands[side])

        if checks:
            timed(0), timed(1)
        answers = [rows(command) for command in checks or commands]
        if answers[0] != answers[1]:
            self.different.append(f"{name}: old {answers[0]}, new {answers[1]}")
        elif answers[0][0] == 0:
            self.different.append(f"{name}: neither wrote anything")
        times, spent = [], 0.0
        while len(times) < self.pairs or spent < LONG_ENOUGH and len(times) < 10 * self.pairs:
            times.append((timed(0), timed(1)))
            spent += sum(times[-1])
        ratios = [new / old for old, new in times]
        olds, news = ([pair[side] for pair in times] for side in (0, 1))
        self.results.append((statistics.median(ratios), name, statistics.median(olds), statistics.median(news), ratios, answers[0][0]))
        print(f"  {name}: {self.results[-1][0]:.3f}", file=sys.stderr, flush=True)

    def report(self, limit):
        """Prints the table, worst first; whether all is well."""
        self.results.sort(reverse=True)
        width = max(len(result[1]) for result in self.results)
        print(f"{'':{width}}  new/old  {'lowest':>7} {'highest':>7}  {'old s':>8} {'new s':>8}  {'lines':>8}")
        for ratio, name, old, new, ratios, lines in self.results:
            mark = "  SLOWER" if limit and ratio > limit else ""
            print(f"{name:{width}}  {ratio:7.3f}  {min(ratios):7.3f} {max(ratios):7.3f}  {old:8.3f} {new:8.3f}  {lines:8}{mark}")
        product = statistics.geometric_mean(result[0] for result in self.results)
        print(f"{'geometric mean':{width}}  {product:7.3f}")
        for line in self.different:
            print(f"DIFFERENT: {line}")
        return not self.different and not (limit and self.results[0][0] > limit)


def compare(comparison, binaries, load, queries, work):
    """All questions over one log, and over the lake that the old binary makes of it."""
    files, lakes = ([work / f"{side}{suffix}" for side in ("old", "new")] for suffix in (".parquet", ""))
    asked = {name: ["sql", sql] for name, sql in STATEMENTS.items()} | {name: ["run", name] for name in queries}
    for name, question in asked.items():
        comparison.ask(f"{load.name}: {name}", [binary.command(question, load.log) for binary in binaries])
    for name, targets in (("convert to Parquet", files), ("convert into a lake", lakes)):
        commands = [binary.conversion(load.log, target) for binary, target in zip(binaries, targets)]
        checks = [binary.command(["sql", COLUMNS], target) for binary, target in zip(binaries, targets)]
        comparison.ask(f"{load.name}: {name}", commands, targets, checks)
    for name, question in asked.items():
        comparison.ask(f"{load.name}, lake: {name}", [binary.command(question, lakes[0]) for binary in binaries])
    for target in [*files, *lakes]:
        remove(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    loads.add_arguments(parser)
    parser.add_argument("--pairs", type=int, default=5, help="timed runs of each binary for each question, more for short ones [5]")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", help="both binaries' --memory")
    parser.add_argument("--queries", default=",".join(SAVED), metavar="A,B", help="saved queries; `all` for all of them [%(default)s]")
    parser.add_argument("--limit", type=float, metavar="RATIO", help="exit with 1 when a median is above this")
    options = parser.parse_args()
    queries = [query for query in options.queries.split(",") if query]
    if queries == ["all"]:
        queries = sorted(path.stem for path in (loads.ROOT / "queries").glob("*/*.sql"))
    binaries = [Binary(path, options.threads, options.memory) for path in (options.old, options.new)]
    every, comparison = loads.of(options), Comparison(options.pairs)
    for load in every:
        print(f"{load.name}: {load.log}, {load.bytes / 1e9:.2f} GB", flush=True)
        with tempfile.TemporaryDirectory(dir=load.log.resolve().parent) as work:
            compare(comparison, binaries, load, queries, pathlib.Path(work))
    print(f"{options.threads} threads, medians of {options.pairs} pairs or more")
    sys.exit(not comparison.report(options.limit))


if __name__ == "__main__":
    main()
