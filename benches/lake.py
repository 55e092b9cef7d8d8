#!/usr/bin/env python3
"""A lake of auditql, written and asked: beside one Parquet file, and beside DuckDB over the same Parquet, in one run.

    lake.py AUDITQL LOG --work DIR [--threads 2] [--runs 5] [--converts 3] [--incremental] [--sizes] [--reuse] [--plain]

AUDITQL is the binary, LOG a log of plain JSON lines. `cargo run --release -p auditql-benches -- generate --bytes 1GB
--seed 7 --out LOG` writes one of 440,000 events over two days; 10^7 events are `--bytes 23GB` (2,270 bytes an event). DIR
takes the lake and what else is written (10% of LOG; with --incremental LOG once more) and keeps it for --reuse. DuckDB comes
from PyPI (`pip install duckdb`).

LOG is converted to one Parquet file and to a lake in turn, the best of --converts; peak memory is that of the child.
The lake is optimized. Then both answer the same SQL over the same Parquet files, those that the Delta log has (DuckDB is
given their names; its delta extension is not needed), with the same threads, and every answer is compared. The queries are
seven of this file, and every saved query that DuckDB can express (`duck.py` translates; `*` marks those that need
macros in place of our functions). The best of --runs counts, both in turn, and is measured twice:

- session: one auditql shell and one DuckDB connection stay open and are asked query after query. The shell is given each
  statement through a FIFO and the clock stops when its `.timer` speaks. Both plan anew each time, both write all rows
  as CSV to nowhere, both keep what they know of the files: DuckDB's `parquet_metadata_cache` is on.
- process: a new process for each answer. auditql's time is all of it, from its start to its end. DuckDB's counts
  from `import duckdb` on: Python's own start is not DuckDB's. It makes only the views that the query needs.

Left as they are by default: DuckDB's memory (80% of the machine's; auditql has 1 GiB or --memory) and its cache of file contents.
A ratio above 1 says how many times as fast auditql was. The exit code is 1 when an answer differs.

--incremental   converts 99% of LOG, then all of it, then again: times against the full convert
--sizes         the lake against LOG, plain and compressed, one Parquet file, and Parquet that DuckDB wrote
--reuse         takes the lake that DIR has
--plain         a folder of one Parquet file a day in place of the lake: what of a time is the lake's
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

import duck  # noqa: E402: after the line that keeps the source folder clean


class Auditql:
    """The binary, in processes of its own."""

    def __init__(self, options):
        self.binary, self.threads = options.auditql, ["--threads", str(options.threads), *(["--memory", options.memory] if options.memory else [])]

    def run(self, *arguments):
        """Seconds, peak memory in MiB and standard output of a child."""
        started = time.perf_counter()
        child = subprocess.Popen([self.binary, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"auditql {' '.join(map(str, arguments))} ended with {child.returncode}")
        return seconds, usage.ru_maxrss / 1024, output

    def convert(self, log, to):
        return self.run("convert", "-q", "-i", log, "--to", to, *self.threads)

    def ask(self, question, lake, output="csv"):
        return self.run(*question, "-o", output, "-q", "-i", lake, *self.threads)

    def rows(self, question, lake):
        return [json.loads(line) for line in self.ask(question, lake, "jsonl")[2].splitlines()]


class Session:
    """An auditql shell that is asked line by line.

    It reads its script to the end before it begins, so each line of that reads a FIFO, and the statement comes through there.
    """

    def __init__(self, auditql, lake, work):
        self.fifo = work / "statement"
        self.fifo.unlink(missing_ok=True)
        os.mkfifo(self.fifo)
        command = [auditql.binary, "shell", "-q", "-i", lake.resolve(), *auditql.threads]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.shell = subprocess.Popen(command, text=True, cwd=work, **pipes)
        self.shell.stdin.write(".mode csv\n.timer on\n" + f".read {self.fifo.name}\n" * 100_000)
        self.shell.stdin.close()

    def open(self):
        while True:
            try:
                return os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                if self.shell.poll() is not None:
                    sys.exit(f"the shell has ended: {self.shell.stderr.read()}")
                time.sleep(0.0002)

    def ask(self, line):
        """Seconds from the statement's arrival to the word of the timer, which has fewer digits."""
        pipe = self.open()
        started = time.perf_counter()
        os.write(pipe, line.encode())
        os.close(pipe)
        said = []
        for told in self.shell.stderr:
            if re.fullmatch(r"\d+\.\d+ s(, .*)?", told.strip()):
                return time.perf_counter() - started
            said.append(told)
        sys.exit(f"the shell has ended: {''.join(said)}")

    def close(self):
        pipe = self.open()
        os.write(pipe, b".quit\n")
        os.close(pipe)
        self.shell.wait()
        self.fifo.unlink()


def size(path):
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def daily(auditql, log, one, folder):
    """What a lake would be without its log: one Parquet file a day."""
    for row in auditql.rows(["sql", "SELECT DISTINCT date, (date + INTERVAL '1 day')::date AS next FROM events"], one):
        day = folder / f"date={row['date']}"
        day.mkdir(parents=True)
        auditql.run("convert", "-q", "-i", log, "--to", day / "part.parquet", "--since", row["date"], "--until", row["next"])


def convert(auditql, options, one, lake):
    """Writes both and says what that took; the seconds of the lake."""
    times, peaks = {one: math.inf, lake: math.inf}, {one: 0, lake: 0}
    for _ in range(1 if options.plain else options.converts):
        for target in [one] if options.plain else [one, lake]:
            remove(target)
            seconds, peak, _ = auditql.convert(options.log, target)
            times[target], peaks[target] = min(times[target], seconds), max(peaks[target], peak)
    if options.plain:
        remove(lake)
        daily(auditql, options.log, one, lake)
        return None
    print(f"{'convert':26} {'seconds':>8} {'MB/s':>6} {'peak MiB':>9}")
    for name, target in (("to one Parquet file", one), ("to a lake", lake)):
        print(f"{name:26} {times[target]:8.2f} {size(options.log) / times[target] / 1e6:6.0f} {peaks[target]:9.0f}")
    print(f"{'lake / file':26} {times[lake] / times[one]:7.2f}x")
    before = len(list(lake.glob("events/date=*/*.parquet")))
    seconds, peak, _ = auditql.run("lake", "optimize", lake, "-q", *auditql.threads)
    print(f"{'optimize':26} {seconds:8.2f} {'':6} {peak:9.0f}   ({before} files before)")
    return times[lake]


def incremental(auditql, options, full):
    """The same log, converted when it had 99% of its bytes, then when it had grown, then once more."""
    grown, lake = options.work / "grown.log", options.work / "grown"
    remove(lake)
    shutil.copyfile(options.log, grown)
    with open(grown, "r+b") as file:
        file.seek(options.log.stat().st_size * 99 // 100)
        file.readline()
        cut = file.tell()
        file.truncate()
    seconds = {"99% of the log": auditql.convert(grown, lake)[0]}
    with open(options.log, "rb") as source, open(grown, "ab") as target:
        source.seek(cut)
        shutil.copyfileobj(source, target)
    seconds["the last 1%"] = auditql.convert(grown, lake)[0]
    seconds["nothing new"] = auditql.convert(grown, lake)[0]
    count = ["sql", "SELECT count(*) AS n FROM events"]
    counts = [auditql.rows(count, input)[0]["n"] for input in (lake, options.log)]
    print(f"\n{'incremental':26} {'seconds':>8} {'of the full convert':>20}")
    for name, taken in seconds.items():
        print(f"{name:26} {taken:8.2f} {taken / full:20.3f}")
    print(f"{counts[0]} events" if counts[0] == counts[1] else f"DIFFERENT: {counts[0]} events of {counts[1]}")
    for path in (grown, lake):
        remove(path)
    return counts[0] == counts[1]


def canonical(value):
    """Times with six digits and `Z`, floats to twelve digits, the rest as it is."""
    if isinstance(value, dict):
        return {key: canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [canonical(inner) for inner in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.12g}")
    if isinstance(value, str) and (time_ := re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|\+00(?::00)?)", value)):
        return f"{time_[1]}T{time_[2]}.{time_[3] or '':0<6}Z"
    return value


def compared(mine, theirs):
    """Nothing when the answers are equal, else in what they differ."""
    mine, theirs = ([canonical(row) for row in rows] for rows in (mine, theirs))
    if mine == theirs:
        return ""
    if len(mine) != len(theirs):
        return f"DIFFERENT: {len(mine)} and {len(theirs)} rows"
    if all(one == other for one, other in zip(*(sorted(rows, key=str_of) for rows in (mine, theirs)))):
        return "same rows, other order"
    one, other = next(pair for pair in zip(mine, theirs) if pair[0] != pair[1])
    apart = {key: (one.get(key), other.get(key)) for key in one | other if one.get(key, "absent") != other.get(key, "absent")}
    return f"DIFFERENT: {str(apart)[:300]}"


def str_of(row):
    return json.dumps(row, sort_keys=True)


def questions(connection):
    """Name → the shell's line, the arguments of a process, DuckDB's SQL."""
    one = lambda sql: connection.execute(sql).fetchone()
    audit_id, hour, end, day = one(
        "SELECT audit_id, strftime(date_trunc('hour', stage_timestamp), '%xT%H:00:00Z'), "
        "strftime(date_trunc('hour', stage_timestamp) + INTERVAL 1 HOUR, '%xT%H:00:00Z'), strftime(stage_timestamp, '%x') "
        "FROM events WHERE stage_timestamp >= (SELECT min(stage_timestamp) + (max(stage_timestamp) - min(stage_timestamp)) / 2 "
        "FROM events) ORDER BY stage_timestamp, audit_id LIMIT 1"
    )
    (user,) = one("SELECT username FROM events WHERE actor_kind = 'human' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
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


def queries(auditql, options, files, lake):
    """Prints the table; whether all answers were equal."""
    import duckdb

    connection, left_out = duckdb.connect(), {}
    for statement in duck.setup(files, options.threads):
        try:
            connection.execute(statement)
        except duckdb.Error as error:
            left_out[" ".join(statement.split()[1:3])] = error
    session = Session(auditql, lake, options.work)
    print(f"\nDuckDB {duckdb.__version__}, {len(files)} files, {options.threads} threads, best of {options.runs}, milliseconds")
    print(f"{'':32} {'rows':>7}  {'session:':>8} {'DuckDB':>8} {'ratio':>7}  {'process:':>8} {'DuckDB':>8} {'ratio':>7}")
    ratios, fine, results = [], True, {}
    everything = {"(SELECT 1)": ("SELECT 1 AS one;\n", ["sql", "SELECT 1 AS one"], "SELECT 1 AS one")} | questions(connection)
    for name, (line, arguments, sql) in everything.items():
        try:
            rows = connection.execute(f"SELECT to_json(answer) FROM ({sql}) AS answer").fetchall()
        except duckdb.Error as error:
            left_out[name] = error
            continue
        note = compared(auditql.rows(arguments, lake), [json.loads(row) for (row,) in rows])
        fine &= not note.startswith("DIFFERENT")
        alone = [*duck.setup(files, options.threads, sql), duck.to_nowhere(sql)]
        works = [
            lambda: session.ask(line),
            lambda: timed(lambda: connection.execute(duck.to_nowhere(sql))),
            lambda: auditql.ask(arguments, lake)[0],
            lambda: own_process(alone),
        ]
        # In turn, since the machine may be shared.
        best = [min(times) * 1e3 for times in zip(*([work() for work in works] for _ in range(options.runs)))]
        macros = duck.needed(sql)[1]
        shown = [f"{ours:8.1f} {theirs:8.1f} {theirs / ours:6.2f}x" for ours, theirs in (best[:2], best[2:])]
        print(f"{name + (' *' if macros else ''):32} {len(rows):7}  {'  '.join(shown)}  {note}", flush=True)
        results[name] = dict(zip(("session", "duckdb_session", "process", "duckdb_process"), best)) | {"macros": macros, "rows": len(rows)}
        if name != "(SELECT 1)":
            ratios.append((best[1] / best[0], best[3] / best[2], bool(macros)))
    session.close()
    for name, which in (("geometric mean", ratios), ("geometric mean without *", [ratio for ratio in ratios if not ratio[2]])):
        means = [math.exp(sum(math.log(ratio[mode]) for ratio in which) / len(which)) for mode in (0, 1)]
        print(f"{name:32} {len(which):7}  {'':17} {means[0]:6.2f}x  {'':17} {means[1]:6.2f}x")
        results[name] = means
    for name, error in left_out.items():
        print(f"left out, DuckDB refuses it: {name}: {str(error).splitlines()[0]}")
    (options.work / "queries.json").write_text(json.dumps(results, indent=1) + "\n")
    return fine


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


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


def sizes(options, files, lake, one):
    import duckdb

    import compare

    connection = duckdb.connect()
    for statement in duck.setup(files, options.threads, "FROM events"):
        connection.execute(statement)
    target = options.work / "duckdb.parquet"

    def copied(what):
        connection.execute(f"COPY (SELECT * FROM {what}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        length = size(target)
        target.unlink()
        return length

    groups = connection.execute("SELECT count(*) FROM parquet_metadata(?) WHERE column_id = 0", [[str(file) for file in files]])
    rows = {"the log": size(options.log)} | compressed(options.log, options.work / "compressed.json")
    rows |= {f"lake: {len(files)} files, {groups.fetchone()[0]} row groups": sum(map(size, files))}
    # The log too, and files that are no longer live.
    rows |= {"lake: its folder, before a vacuum": size(lake)} | ({"one Parquet file": size(one)} if one.exists() else {})
    rows |= {"DuckDB: the lake's columns": copied("events"), "DuckDB: 19 columns of the log": copied(compare.source(options.log, compare.COLUMNS))}
    print(f"\n{'sizes':36} {'MB':>9} {'log / it':>9}")
    for name, length in rows.items():
        print(f"{name:36} {length / 1e6:9.1f} {rows['the log'] / length:9.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql", type=os.path.abspath)
    parser.add_argument("log", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", help="auditql's --memory; DuckDB takes 80% of the machine's")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--converts", type=int, default=3)
    for flag in ("--incremental", "--sizes", "--reuse", "--plain"):
        parser.add_argument(flag, action="store_true")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    auditql = Auditql(options)
    if not options.plain and subprocess.run([auditql.binary, "lake", "--help"], capture_output=True).returncode:
        sys.exit("this auditql knows no lakes: --plain asks a folder of Parquet files instead")
    one, lake = options.work / "one.parquet", options.work / ("plain" if options.plain else "lake")
    print(f"{size(options.log) / 1e9:.2f} GB, {options.threads} threads")
    fine, full = True, None
    # Before DuckDB is loaded: a child's peak begins with what its parent holds.
    if not (options.reuse and lake.exists()):
        full = convert(auditql, options, one, lake)
    if options.incremental and not options.plain:
        other = options.work / "full"
        remove(other)
        fine = incremental(auditql, options, full or auditql.convert(options.log, other)[0])
        remove(other)
    files = duck.live_files(lake if options.plain else lake / "events")
    fine &= queries(auditql, options, files, lake)
    if options.sizes:
        sizes(options, files, lake, one)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
