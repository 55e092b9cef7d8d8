#!/usr/bin/env python3
"""Lakes of auditql, written and queried: beside one Parquet file, and beside DuckDB over the same Parquet, in one run.

    lake.py AUDITQL [LOG...] [--profiles [A,B]] [--bytes 1GB] --work DIR [--threads 2] [--runs 5] [--converts 3]
            [--incremental] [--sizes] [--reuse] [--plain]
    lake.py AUDITQL [LOG...] [--profiles [A,B]] [--events 10000000] --work DIR --upkeep

AUDITQL is the binary, each LOG a log of plain JSON lines. With --profiles the load generator writes logs of its
profiles, all of them or those named; 1 GB of `cluster` has 440,000 events, of `large` 700,000. Each log is a column of the
tables. The lakes and other files go to DIR (10% of each LOG; with --incremental LOG once more), and stay there for
--reuse. DuckDB comes from PyPI (`pip install duckdb`).

Each LOG is converted to one Parquet file and to a lake in turn; the best of --converts counts, and the child's peak memory.
The lake is optimized. Then both engines answer the same SQL over the same Parquet files, those that the Delta log lists
(DuckDB is given their names and needs no delta extension), with the same threads, and all answers are compared. The queries
are seven of this file and every saved query that DuckDB can express (`duck.py` translates; `*` marks those that need
macros in place of our functions). The engines take turns, the best of --runs counts, and each query is timed twice:

- session: one auditql shell and one DuckDB connection stay open for all queries. The shell gets each statement through a
  FIFO, and the clock stops at its `.timer` line. Both plan every time, both write all rows as CSV to nowhere, both keep
  what they know of the files: DuckDB's `parquet_metadata_cache` is on.
- process: a new process for each answer. auditql's time is that of the whole process. DuckDB's begins at `import
  duckdb`, since Python's own start is not DuckDB's, and it creates only the views that the query needs.

DuckDB keeps its defaults for memory (80% of the machine's; auditql has 1 GiB or --memory) and for its cache of file
contents. A ratio above 1 says how many times as fast auditql was; the last two columns are the worst and the best ratio of
a query over all logs. If an answer differs, the exit code is 1. All times are in DIR/LOG-NAME/queries.json.

--incremental   converts 99% of LOG, then all of it, then again: times against the full convert
--upkeep        only `lake verify`, with and without its originals, and `lake export`, on a lake as it was converted and once it
                is optimized: seconds, events a second, peak memory, the best of --runs. Needs no DuckDB
--sizes         the lake against LOG, plain and compressed, one Parquet file, and Parquet that DuckDB wrote
--reuse         takes the lakes that DIR has
--plain         a folder of one Parquet file a day in place of the lake, to tell the lake's own cost
"""

import argparse
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import answers  # noqa: E402: after the line that keeps the source folder clean
import duck  # noqa: E402
import loads  # noqa: E402
from session import Auditql, Session  # noqa: E402


class LoadRun:
    """The files of one load, and what was measured: table → row → cell."""

    def __init__(self, load, options):
        self.load, self.log, self.work = load, load.log, options.work / load.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.one, self.lake = self.work / "one.parquet", self.work / ("plain" if options.plain else "lake")
        self.tables, self.seconds, self.fine = {}, math.inf, True

    def note(self, table, row, cell):
        self.tables.setdefault(table, {})[row] = cell


def size(path):
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def convert(auditql, options, run):
    """Writes the one file and the lake in turn, and optimizes the lake."""
    times, peaks = {run.one: math.inf, run.lake: math.inf}, {run.one: 0, run.lake: 0}
    for _ in range(1 if options.plain else options.converts):
        for target in [run.one] if options.plain else [run.one, run.lake]:
            remove(target)
            seconds, peak, _ = auditql.convert(run.log, target)
            times[target], peaks[target] = min(times[target], seconds), max(peaks[target], peak)
    if options.plain:
        remove(run.lake)
        daily(auditql, run.log, run.one, run.lake)
        return
    for name, target in (("to one Parquet file", run.one), ("to a lake", run.lake)):
        rate = run.load.bytes / times[target] / 1e6
        run.note("convert", name, f"{times[target]:.2f} s, {rate:.0f} MB/s, {peaks[target]:.0f} MiB")
    run.note("convert", "lake / file", f"{times[run.lake] / times[run.one]:.2f}x")
    before = len(list(run.lake.glob("events/date=*/*.parquet")))
    seconds, peak, _ = auditql.run("lake", "optimize", run.lake, "-q", *auditql.threads)
    run.note("convert", "optimize", f"{seconds:.2f} s, {before} files, {peak:.0f} MiB")
    run.seconds = times[run.lake]


def incremental(auditql, run):
    """The same log, converted when it had 99% of its bytes, then when it had grown, then once more."""
    grown, lake = run.work / "grown.log", run.work / "grown"
    remove(lake)
    full = run.seconds
    if math.isinf(full):
        full = auditql.convert(run.log, lake)[0]
        remove(lake)
    shutil.copyfile(run.log, grown)
    with open(grown, "r+b") as file:
        file.seek(run.load.bytes * 99 // 100)
        file.readline()
        cut = file.tell()
        file.truncate()
    seconds = {"99% of the log": auditql.convert(grown, lake)[0]}
    with open(run.log, "rb") as source, open(grown, "ab") as target:
        source.seek(cut)
        shutil.copyfileobj(source, target)
    seconds["the last 1%"] = auditql.convert(grown, lake)[0]
    seconds["nothing new"] = auditql.convert(grown, lake)[0]
    count = ["sql", "SELECT count(*) AS n FROM events"]
    counts = [auditql.rows(count, input)[0]["n"] for input in (lake, run.log)]
    for name, taken in seconds.items():
        run.note("incremental, part of the full convert", name, f"{taken / full:.3f} ({taken:.2f} s)")
    run.note("incremental, part of the full convert", "events", f"{counts[0]}" if counts[0] == counts[1] else f"DIFFERENT: {counts}")
    run.fine &= counts[0] == counts[1]
    for path in (grown, lake):
        remove(path)


def upkeep(auditql, options, run):
    """Verifies and exports the lake. An export has to have as many events as the lake."""
    if not (options.reuse and run.lake.exists()):
        remove(run.lake)
        seconds, peak, _ = auditql.convert(run.log, run.lake)
        run.note("upkeep", "convert", f"{seconds:.2f} s, {run.load.bytes / seconds / 1e6:.0f} MB/s, {peak:.0f} MiB")
    exported = run.work / "exported.jsonl"
    works = {
        # It knows no --memory.
        "verify": ["verify", run.lake, *auditql.threads[:2]],
        "verify --no-originals": ["verify", run.lake, "--no-originals", *auditql.threads[:2]],
        "export": ["export", run.lake, "--to", exported, *auditql.threads],
    }
    (count,) = (row["n"] for row in auditql.rows(["sql", "SELECT count(*) AS n FROM events"], run.lake))
    run.note("upkeep", "events", f"{count}")
    for state in ("as converted", "optimized"):
        if state == "optimized":
            seconds, peak, _ = auditql.run("lake", "optimize", run.lake, "-q", *auditql.threads)
            run.note("upkeep", "optimize", f"{seconds:.2f} s, {count / seconds:.0f} events/s, {peak:.0f} MiB")
        for name, work in works.items():
            taken = []
            for _ in range(options.runs):
                remove(exported)
                taken.append(auditql.run("lake", *work, "-q"))
            seconds, peak = min(times for times, _, _ in taken), max(peaks for _, peaks, _ in taken)
            run.note("upkeep", f"{name}, {state}", f"{seconds:.2f} s, {count / seconds:.0f} events/s, {peak:.0f} MiB")
        with open(exported, "rb") as file:
            lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
        if lines != count:
            run.note("upkeep", f"export, {state}", f"DIFFERENT: {lines} lines, {count} events")
            run.fine = False
        remove(exported)


def questions(connection):
    """Name → the shell's line, the arguments of a process, DuckDB's SQL. Their literals come from the lake."""
    one = lambda sql: connection.execute(sql).fetchone()
    audit_id, hour, end, day = one(
        "SELECT audit_id, strftime(date_trunc('hour', stage_timestamp), '%xT%H:00:00Z'), "
        "strftime(date_trunc('hour', stage_timestamp) + INTERVAL 1 HOUR, '%xT%H:00:00Z'), strftime(stage_timestamp, '%x') "
        "FROM events WHERE stage_timestamp >= (SELECT min(stage_timestamp) + (max(stage_timestamp) - min(stage_timestamp)) / 2 "
        "FROM events) ORDER BY stage_timestamp, audit_id LIMIT 1"
    )
    # Of that hour: where users do not repeat, any other would have nothing to show.
    (user,) = one(
        "SELECT username FROM events WHERE actor_kind = 'human' "
        f"AND stage_timestamp >= '{hour}' AND stage_timestamp < '{end}' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    )
    user_hour = (
        "SELECT stage_timestamp, audit_id, verb, resource, namespace, name, response_code, user_agent FROM requests "
        f"WHERE username = '{user}' AND stage_timestamp >= '{hour}' AND stage_timestamp < '{end}'"
    )
    order = " ORDER BY stage_timestamp, audit_id"
    own = {
        "needle: one audit_id, SELECT *": f"SELECT * FROM events WHERE audit_id = '{audit_id}'",
        "one user in one hour": user_hour + order,
        "the same, with its date": f"{user_hour} AND date = '{day}'{order}",
        "secrets read by humans": "SELECT stage_timestamp, audit_id, actor, verb, namespace, name FROM events "
        "WHERE resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND actor_kind = 'human' "
        f"AND stage = 'ResponseComplete' AND response_code = 200{order}",
        "count by user": "SELECT username, count(*) AS n FROM events GROUP BY 1 ORDER BY n DESC, 1",
        "403s": "SELECT username, verb, resource, count(*) AS n FROM events WHERE response_code = 403 "
        "GROUP BY 1, 2, 3 ORDER BY n DESC, 1, 2, 3",
        "hourly histogram": "SELECT date_trunc('hour', stage_timestamp) AS hour, count(*) AS n FROM events GROUP BY 1 ORDER BY 1",
    }
    asked = {name: (f"{sql};\n", ["sql", sql], sql) for name, sql in own.items()}
    return asked | {name: (f".run {name}\n", ["run", name], sql) for name, sql in duck.saved_queries().items()}


def own_process(statements):
    job = json.dumps(statements)
    return float(subprocess.run([sys.executable, duck.__file__], input=job, check=True, capture_output=True, text=True).stdout)


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def queries(auditql, options, run, files):
    """Name → the best times in milliseconds and a note, or why DuckDB was not asked."""
    import duckdb

    connection, results = duckdb.connect(), {}
    for statement in duck.setup(files, options.threads):
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            results[" ".join(statement.split()[1:3])] = {"left_out": str(error).splitlines()[0]}
    session = Session(auditql, run.lake, run.work)
    everything = {"(SELECT 1)": ("SELECT 1 AS one;\n", ["sql", "SELECT 1 AS one"], "SELECT 1 AS one")} | questions(connection)
    for name, (line, arguments, sql) in everything.items():
        try:
            rows = connection.execute(f"SELECT to_json(answer) FROM ({sql}) AS answer").fetchall()
        except duckdb.Error as error:
            results[name] = {"left_out": str(error).splitlines()[0]}
            continue
        note = answers.compared(auditql.rows(arguments, run.lake), [json.loads(row) for (row,) in rows])
        run.fine &= not note.startswith("DIFFERENT")
        alone = [*duck.setup(files, options.threads, sql), duck.to_nowhere(sql)]
        works = [
            lambda: session.ask(line),
            lambda: timed(lambda: connection.execute(duck.to_nowhere(sql))),
            lambda: auditql.ask(arguments, run.lake)[0],
            lambda: own_process(alone),
        ]
        # In turn, since the machine may be shared.
        best = [min(times) * 1e3 for times in zip(*([work() for work in works] for _ in range(options.runs)))]
        results[name] = dict(zip(("session", "duckdb_session", "process", "duckdb_process"), best))
        results[name] |= {"macros": sorted(duck.needed(sql)[1]), "rows": len(rows), "note": note}
    session.close()
    (run.work / "queries.json").write_text(json.dumps(results, indent=1) + "\n")
    return results


def ratio(result, mode):
    return result[f"duckdb_{mode}"] / result[mode]


def report_queries(every, results):
    """One table for sessions and one for processes: a query a row, a load a column."""
    names = list(dict.fromkeys(name for load in every for name in results[load.name]))
    first = lambda cell: [float(re.match(r"[\d.]+", cell)[0])]
    for mode in ("session", "process"):
        rows, ratios = [], {load.name: [] for load in every}
        for name in names:
            cells, notes, macros = [], [], False
            for load in every:
                result = results[load.name].get(name, {"left_out": "not asked"})
                if "left_out" in result:
                    cells.append(None)
                    notes.append(f"{load.name}: DuckDB refuses it: {result['left_out']}")
                    continue
                macros |= bool(result["macros"])
                cells.append(f"{ratio(result, mode):.2f}x ({result[mode]:.1f} ms, {result['rows']} rows)")
                notes += [f"{load.name}: {result['note']}"] if result["note"] else []
                if name != "(SELECT 1)":
                    ratios[load.name].append((ratio(result, mode), bool(result["macros"])))
            rows.append((name + (" *" if macros else ""), cells, "; ".join(notes)))
        for name, keep in (("geometric mean", lambda macros: True), ("geometric mean without *", lambda macros: not macros)):
            kept = [[value for value, macros in ratios[load.name] if keep(macros)] for load in every]
            cells = [f"{math.exp(sum(map(math.log, values)) / len(values)):.2f}x of {len(values)}" if values else None for values in kept]
            rows.append((name, cells, ""))
        loads.table(f"{mode}: times as fast as DuckDB", every, rows, first)


def compressed(log, cache):
    """Bytes of the log under `gzip -6` and `zstd -3`, by its name, size and time, since that takes a while."""
    key = f"{log.resolve()} {log.stat().st_size} {log.stat().st_mtime_ns}"
    known = json.loads(cache.read_text()) if cache.exists() else {}
    for command in ("gzip -6", "zstd -3"):
        if command not in known.setdefault(key, {}) and shutil.which(command.split()[0]):
            with subprocess.Popen([*command.split(), "-c", log], stdout=subprocess.PIPE) as child:
                known[key][command] = sum(map(len, iter(lambda: child.stdout.read(1 << 20), b"")))
    cache.write_text(json.dumps(known, indent=1) + "\n")
    return known[key]


def sizes(options, run, files):
    import duckdb

    import compare

    connection = duckdb.connect()
    for statement in duck.setup(files, options.threads, "FROM events"):
        connection.execute(statement)
    target = run.work / "duckdb.parquet"

    def copied(what):
        connection.execute(f"COPY (SELECT * FROM {what}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        length = size(target)
        target.unlink()
        return length

    rows = {"the log": run.load.bytes} | compressed(run.log, run.work / "compressed.json")
    rows |= {"lake, its data files": sum(map(size, files))}
    # With the Delta log, and files that are no longer live.
    rows |= {"lake, its folder before a vacuum": size(run.lake)}
    rows |= {"one Parquet file": size(run.one)} if run.one.exists() else {}
    rows |= {"DuckDB, the lake's columns": copied("events"), "DuckDB, 19 columns of the log": copied(compare.source(run.log, compare.COLUMNS))}
    for name, length in rows.items():
        run.note("sizes, MB (log / it)", name, f"{length / 1e6:.1f} ({rows['the log'] / length:.1f})")
    groups = connection.execute("SELECT count(*) FROM parquet_metadata(?) WHERE column_id = 0", [[str(file) for file in files]])
    run.note("sizes, MB (log / it)", "lake, files and row groups", f"{len(files)}, {groups.fetchone()[0]}")


def report(runs):
    """The tables of whatever was noted."""
    every = [run.load for run in runs]
    for title in dict.fromkeys(title for run in runs for title in run.tables):
        cells = [run.tables.get(title, {}) for run in runs]
        names = dict.fromkeys(name for rows in cells for name in rows)
        loads.table(title, every, [(name, [rows.get(name) for rows in cells], "") for name in names])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql", metavar="AUDITQL", type=os.path.abspath)
    loads.add_arguments(parser)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", help="auditql's --memory; DuckDB takes 80%% of the machine's")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--converts", type=int, default=3)
    for flag in ("--incremental", "--sizes", "--reuse", "--plain", "--upkeep"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    auditql = Auditql(options)
    if not options.plain and subprocess.run([auditql.binary, "lake", "--help"], capture_output=True).returncode:
        sys.exit("this auditql has no lakes; --plain queries a folder of Parquet files instead")
    runs = [LoadRun(load, options) for load in loads.of(options)]
    print(f"{options.threads} threads: " + ", ".join(f"{run.load.name} {run.load.bytes / 1e9:.2f} GB" for run in runs))
    if options.upkeep:
        for run in runs:
            upkeep(auditql, options, run)
        report(runs)
        sys.exit(not all(run.fine for run in runs))
    # Before DuckDB is loaded: a child's peak begins with what its parent holds.
    for run in runs:
        if not (options.reuse and run.lake.exists()):
            convert(auditql, options, run)
        if options.incremental and not options.plain:
            incremental(auditql, run)
    report(runs)
    import duckdb

    print(f"\nDuckDB {duckdb.__version__}, best of {options.runs}; DuckDB's time / auditql's (auditql's time)", flush=True)
    results = {}
    for run in runs:
        run.tables = {}
        files = duck.live_files(run.lake if options.plain else run.lake / "events")
        results[run.load.name] = queries(auditql, options, run, files)
        if options.sizes:
            sizes(options, run, files)
    report_queries([run.load for run in runs], results)
    report(runs)
    sys.exit(not all(run.fine for run in runs))


if __name__ == "__main__":
    main()
