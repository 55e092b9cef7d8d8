#!/usr/bin/env python3
"""Opens a lake with readers that are not ours, and holds what they see against each other and against `--expect`.

    readers.py LAKE --cache DIR [--expect JSON] [--only NAME …]

    delta-rs            the package `deltalake`, its own SQL
    polars              `scan_delta`
    pyarrow             the live files as a data set with Hive partitions
    duckdb              the live files with `read_parquet`
    duckdb-glob         `events/date=*/*.parquet`; skipped where files lie that are not live any more
    duckdb-delta-scan   `delta_scan`, of an earlier DuckDB: of a later one no package brings the extension `delta`

They are installed from PyPI into virtual environments in DIR, once for the versions of the requirements beside this
file; DuckDB checks the signature of the extension when it loads it. Printed is one JSON object, for each reader

    rows, columns             how many
    distinct_event_hash       how many; `events_hash` is the wrapping sum of `event_hash`
    first, last               least and greatest `stage_timestamp`
    annotations, user_extra   entries of the maps, in all rows; `user_extra_values` of the lists in `user_extra`
    user_groups               items of the list
    dates                     rows of each `date`; the key of those without is "null"
    pruned                    the first date, its rows, and how many files were read for them, of how many
    rejects, sources          rows of these tables, null where there is none

or `skipped` or `error`. JSON of `--expect` is such an object, or the name of a file with one: what it has, every reader has to
see. The exit code is 1 when a reader differs, fails, or does not prune, 2 when one cannot be installed.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent


def time(micros):
    """As `-o json` writes it."""
    if micros is None:
        return None
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)
    return moment.isoformat(timespec="microseconds") + "Z"


def facts(rows, columns, distinct, hashes, first, last, annotations, extra, values, groups, dates, pruned, others):
    """Sums over no rows are 0 here, whatever a reader makes of them."""
    dates = {str(date or "null"): count for date, count in sorted(dates, key=lambda pair: str(pair[0] or "null"))}
    return {
        "rows": rows,
        "columns": columns,
        "distinct_event_hash": distinct,
        "events_hash": (int(hashes or 0) + (1 << 63)) % (1 << 64) - (1 << 63),
        "first": time(first),
        "last": time(last),
        "annotations": int(annotations or 0),
        "user_extra": int(extra or 0),
        "user_extra_values": int(values or 0),
        "user_groups": int(groups or 0),
        "dates": dates,
        "pruned": next((pruned(date) for date in dates if date != "null"), None),
        **others,
    }


def others(lake, count):
    """The tables beside `events` that are there."""
    return {name: count(lake / name) if (lake / name / "_delta_log").is_dir() else None for name in ("rejects", "sources")}


def files(table):
    import deltalake

    # A path as in the log, where a space is %20.
    return [urllib.parse.unquote(uri) for uri in deltalake.DeltaTable(str(table)).file_uris()]


def day(date):
    return datetime.date.fromisoformat(date)


def delta_rs(lake):
    import deltalake

    def ask(table, sql):
        # Arrow's types → Python's, without a further package.
        answer = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(str(table))).execute(sql).read_all()
        return list(zip(*(answer.column(index).to_pylist() for index in range(answer.num_columns))))

    def pruned(date):
        table = deltalake.DeltaTable(str(events))
        (rows,) = ask(events, f"SELECT count(*) FROM t WHERE date = DATE '{date}'")[0]
        return {"date": date, "rows": rows, "files": len(table.file_uris([("date", "=", date)])), "of": len(table.file_uris())}

    events = lake / "events"
    row = ask(
        events,
        "SELECT count(*), count(DISTINCT event_hash), CAST(sum(CAST(event_hash AS DECIMAL(38, 0))) AS VARCHAR), "
        "arrow_cast(min(stage_timestamp), 'Int64'), arrow_cast(max(stage_timestamp), 'Int64'), sum(cardinality(annotations)), "
        "sum(cardinality(user_extra)), sum(cardinality(flatten(map_values(user_extra)))), sum(array_length(user_groups)) FROM t",
    )[0]
    dates = ask(events, "SELECT CAST(date AS VARCHAR), count(*) FROM t GROUP BY 1")
    columns = len(deltalake.DeltaTable(str(events)).schema().fields)
    return facts(row[0], columns, *row[1:], dates, pruned, others(lake, lambda table: ask(table, "SELECT count(*) FROM t")[0][0]))


def polars(lake):
    import polars as pl

    def pruned(date):
        found = events.filter(pl.col("date") == day(date))
        # Of many files the plan shows the first ones and how many there are besides.
        shown = re.search(r"Parquet SCAN \[(.*?)(?:, \.\.\. (\d+) other sources?)?\]", found.explain())
        read = shown and shown[1].count(".parquet") + int(shown[2] or 0)
        return {"date": date, "rows": found.select(pl.len()).collect().item(), "files": read, "of": len(files(lake / "events"))}

    events = pl.scan_delta(str(lake / "events"))
    row = events.select(
        pl.len(),
        pl.col("event_hash").drop_nulls().n_unique().alias("distinct"),
        pl.col("event_hash").cast(pl.Int128).sum().alias("hashes"),
        pl.col("stage_timestamp").min().dt.epoch("us").alias("first"),
        pl.col("stage_timestamp").max().dt.epoch("us").alias("last"),
        pl.col("annotations").map.len().sum(),
        pl.col("user_extra").map.len().sum(),
        pl.col("user_extra").map.values().list.eval(pl.element().list.len()).list.sum().sum().alias("values"),
        pl.col("user_groups").list.len().sum(),
    ).collect().row(0)
    dates = events.group_by("date").len().collect().rows()
    count = lambda table: pl.scan_delta(str(table)).select(pl.len()).collect().item()
    return facts(row[0], len(events.collect_schema()), *row[1:], dates, pruned, others(lake, count))


def pyarrow(lake):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    def pruned(date):
        chosen = ds.field("date") == pa.scalar(day(date))
        read = len(list(events.get_fragments(filter=chosen)))
        return {"date": date, "rows": events.count_rows(filter=chosen), "files": read, "of": len(events.files)}

    folder = lake / "events"
    partitions = ds.partitioning(pa.schema([("date", pa.date32())]), flavor="hive")
    events = ds.dataset(files(folder), format="parquet", partitioning=partitions, partition_base_dir=str(folder))
    names = ["event_hash", "stage_timestamp", "annotations", "user_extra", "user_groups", "date"]
    table = events.to_table(columns=names)
    entries = lambda name, value: table[name].cast(pa.list_(pa.struct([("key", pa.string()), ("value", value)])))
    extra = entries("user_extra", pa.list_(pa.string()))
    total = lambda lists: pc.sum(pc.list_value_length(lists)).as_py()
    times = pc.min_max(table["stage_timestamp"].cast(pa.int64())).as_py()
    dates = [(entry["values"], entry["counts"]) for entry in pc.value_counts(table["date"]).to_pylist()]
    count = lambda other: ds.dataset(found, format="parquet").count_rows() if (found := files(other)) else 0
    return facts(
        table.num_rows,
        len(events.schema),
        pc.count_distinct(table["event_hash"], mode="only_valid").as_py(),
        pc.sum(table["event_hash"].cast(pa.decimal128(19, 0)).cast(pa.decimal128(38, 0))).as_py(),
        times["min"],
        times["max"],
        total(entries("annotations", pa.string())),
        total(extra),
        total(pc.struct_field(pc.list_flatten(extra), [1])),
        total(table["user_groups"]),
        dates,
        pruned,
        others(lake, count),
    )


def sql(lake, connection, relation):
    """Through a DuckDB; `relation` makes a table function's call of a table."""

    def ask(text):
        return connection.execute(text).fetchall()

    def pruned(date):
        text = f"SELECT count(*), sum(event_hash) FROM {events} WHERE date = '{date}'"
        plan = ask(f"EXPLAIN (ANALYZE, FORMAT json) {text}")[0][1]
        read = re.search(r'"Scanning Files": "(\d+)/(\d+)"', plan)
        return {"date": date, "rows": ask(text)[0][0], "files": read and int(read[1]), "of": read and int(read[2])}

    events = relation(lake / "events")
    row = ask(
        "SELECT count(*), count(DISTINCT event_hash), sum(event_hash::HUGEINT), epoch_us(min(stage_timestamp)), "
        "epoch_us(max(stage_timestamp)), sum(cardinality(annotations)), sum(cardinality(user_extra)), "
        f"sum(list_sum(list_transform(map_values(user_extra), lambda list: len(list)))), sum(len(user_groups)) FROM {events}"
    )[0]
    columns = len(ask(f"DESCRIBE FROM {events}"))
    dates = ask(f"SELECT date::VARCHAR, count(*) FROM {events} GROUP BY 1")

    def count(table):
        return ask(f"SELECT count(*) FROM {found}")[0][0] if (found := relation(table)) else 0

    return facts(row[0], columns, *row[1:], dates, pruned, others(lake, count))


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def parquet(names, hive):
    if not names:
        return None
    listed = ", ".join(map(quoted, names))
    return f"read_parquet([{listed}]{', hive_partitioning = true, hive_types = {date: DATE}' if hive else ''})"


def duckdb(lake):
    import duckdb as module

    return sql(lake, module.connect(), lambda table: parquet(files(table), table.name == "events"))


def duckdb_glob(lake):
    import duckdb as module

    # `*/*.parquet` would find the checkpoints in `_delta_log` too.
    pattern = {"events": "date=*/*.parquet", "rejects": "date=*/*.parquet", "sources": "*.parquet"}
    for name in filter(lambda name: (lake / name).is_dir(), pattern):
        dead = len(list((lake / name).glob(pattern[name]))) - len(files(lake / name))
        if dead:
            return {"skipped": f"{dead} files of `{name}` are not live any more: a glob would read them too"}
    exists = lambda table: next(table.glob(pattern[table.name]), None)
    glob = lambda table: parquet([f"{table}/{pattern[table.name]}"], table.name == "events") if exists(table) else None
    return sql(lake, module.connect(), glob)


def duckdb_delta_scan(lake):
    import duckdb as module
    import duckdb_extension_delta

    found = pathlib.Path(duckdb_extension_delta.__file__).parent.glob("extensions/*/delta.duckdb_extension")
    connection = module.connect()
    connection.execute(f"LOAD {quoted(next(found))}")
    return sql(lake, connection, lambda table: f"delta_scan({quoted(table)})")


# name → reader, the file of its requirements
READERS = {
    "delta-rs": (delta_rs, "requirements.txt"),
    "polars": (polars, "requirements.txt"),
    "pyarrow": (pyarrow, "requirements.txt"),
    "duckdb": (duckdb, "requirements.txt"),
    "duckdb-glob": (duckdb_glob, "requirements.txt"),
    "duckdb-delta-scan": (duckdb_delta_scan, "requirements-delta-scan.txt"),
}


def environment(cache, requirements):
    """The virtual environment in which these are installed, made when it is not there."""
    sys.path.insert(0, str(HERE.parent / "emulators"))
    import emulators

    def install(folder):
        emulators.run(sys.executable, "-m", "venv", folder)
        pip = [f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        emulators.run(*pip, "-r", str(HERE / requirements))

    os.makedirs(cache, exist_ok=True)
    versions = (HERE / requirements).read_text().splitlines()
    try:
        return emulators.installed(os.path.abspath(cache), pathlib.Path(requirements).stem, install, versions)
    except emulators.Unavailable as error:
        print(f"{requirements}: {error}", file=sys.stderr)
        sys.exit(2)


def seen(name, lake, cache):
    """What a reader sees, in a process of its own: one that crashes is an error, not the end."""
    folder = environment(cache, READERS[name][1])
    command = [f"{folder}/bin/python", __file__, lake, "--read", name]
    child = subprocess.run(command, capture_output=True, text=True)
    if child.returncode == 0:
        return json.loads(child.stdout)
    # The exception; lines that show where in the SQL come after it.
    said = [line for line in child.stderr.splitlines() if re.match(r"[\w.]+: ", line)]
    return {"error": said[-1] if said else f"ended with {child.returncode}: {child.stderr.strip()[-300:]}"}


def differences(report, expected):
    """Sentences about what is not as it has to be. Without an expectation the readers have to agree."""
    saw = {name: found for name, found in report.items() if "skipped" not in found}
    for name, found in saw.items():
        if "error" in found:
            yield f"{name}: {found['error']}"
    saw = {name: found for name, found in saw.items() if "error" not in found}
    if not saw:
        yield "no reader has read it"
        return
    first = next(iter(saw.values()))
    wanted = {key: value for key, value in first.items() if key != "pruned"} | expected
    for name, found in saw.items():
        for key, value in wanted.items():
            if found.get(key) != value:
                yield f"{name}: {key} is {found.get(key)}, expected {value}"
        pruned = found["pruned"]
        if pruned and pruned["rows"] != found["dates"][pruned["date"]]:
            yield f"{name}: {pruned['rows']} rows of {pruned['date']}, of {found['dates'][pruned['date']]}"
        if pruned and len(found["dates"]) > 1 and not (pruned["files"] or pruned["of"]) < pruned["of"]:
            yield f"{name}: files of other dates are read for {pruned['date']}: {pruned['files']} of {pruned['of']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--cache", help="a folder to install into")
    parser.add_argument("--expect", default="{}", metavar="JSON")
    parser.add_argument("--only", action="append", choices=READERS, metavar="NAME")
    parser.add_argument("--read", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(READERS[options.read][0](options.lake)))
        return
    if not options.cache:
        parser.error("--cache is needed")
    expected = options.expect if options.expect.lstrip().startswith("{") else pathlib.Path(options.expect).read_text()
    report = {name: seen(name, options.lake, options.cache) for name in options.only or READERS}
    print(json.dumps(report, indent=1))
    found = list(differences(report, json.loads(expected)))
    for sentence in found:
        print(sentence, file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
