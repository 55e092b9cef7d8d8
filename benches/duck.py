"""DuckDB's side of `lake.py`. In: the live files of a lake. Out: its view `events`, our views and the saved queries in DuckDB's
dialect.

`setup` gives the statements that create them, `saved_queries` the library. There is little to translate:

- `SPELLINGS`: what DuckDB spells otherwise;
- `MACROS`: our functions over URIs and bodies, built from DuckDB's own. They agree on what an apiserver writes, but not on
  what an attacker would write (duplicate keys, deep nesting), so the figures mark the queries that need one.

Views and queries that DuckDB refuses all the same are reported and left out. Run as a program, this file is DuckDB in a
process of its own: it reads a job as JSON from stdin and prints the seconds that the job took, counted from before the
library is loaded.
"""

import json
import pathlib
import re
import sys
import time
import tomllib
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent

# pattern, replacement
SPELLINGS = [
    # DuckDB unnests a list of structs at once; field by field is slower there.
    (r"unnest\((\w+\(\w+\))\)\['\w+'\] AS \w+(?:,\s+unnest\(\1\)\['\w+'\] AS \w+)*", r"unnest(\1, max_depth := 2)"),
    # An anti join keeps the left side, and needs no word for it.
    (r"LEFT ANTI JOIN", "ANTI JOIN"),
]

PARAMETER = "'(?:^|[?&])' || name || '=([^&]*)'"
MACROS = {
    "body_kind": "(body) AS json_extract_string(body, '$.kind')",
    "body_text": "(body, path) AS json_extract_string(body, '$.' || path)",
    "pod_spec": """(resource, body) AS CASE
        WHEN resource = 'pods' THEN json_extract(body, '$.spec')
        WHEN resource = 'cronjobs' THEN json_extract(body, '$.spec.jobTemplate.spec.template.spec')
        WHEN resource = 'podtemplates' THEN json_extract(body, '$.template.spec')
        ELSE json_extract(body, '$.spec.template.spec') END::VARCHAR""",
    "containers": """(spec) AS list_concat(
        list_transform(json_extract(spec, '$.containers[*]'), lambda c: container_of('container', c)),
        list_transform(json_extract(spec, '$.initContainers[*]'), lambda c: container_of('init', c)),
        list_transform(json_extract(spec, '$.ephemeralContainers[*]'), lambda c: container_of('ephemeral', c)))""",
    "container_of": """(kind, c) AS {
        'container_kind': kind, 'container_name': c ->> '$.name', 'image': c ->> '$.image',
        'command': (c -> '$.command')::VARCHAR[], 'args': (c -> '$.args')::VARCHAR[],
        'privileged': (c -> '$.securityContext.privileged')::BOOLEAN,
        'allow_privilege_escalation': (c -> '$.securityContext.allowPrivilegeEscalation')::BOOLEAN,
        'run_as_user': (c -> '$.securityContext.runAsUser')::BIGINT,
        'run_as_non_root': (c -> '$.securityContext.runAsNonRoot')::BOOLEAN,
        'capabilities_added': (c -> '$.securityContext.capabilities.add')::VARCHAR[],
        'capabilities_dropped': (c -> '$.securityContext.capabilities.drop')::VARCHAR[],
        'host_ports': json_extract(c, '$.ports[*].hostPort')::BIGINT[],
        'seccomp_profile': c ->> '$.securityContext.seccompProfile.type',
        'env_secret_refs': list_concat(json_extract_string(c, '$.env[*].valueFrom.secretKeyRef.name'),
            json_extract_string(c, '$.envFrom[*].secretRef.name'))}""",
    "role_ref": """(body) AS CASE WHEN json_type(body, '$.roleRef') = 'OBJECT' THEN {
        'api_group': json_extract_string(body, '$.roleRef.apiGroup'), 'kind': json_extract_string(body, '$.roleRef.kind'),
        'name': json_extract_string(body, '$.roleRef.name')} END""",
    "subjects": """(body) AS CASE WHEN json_type(body, '$.subjects') = 'ARRAY' THEN list_transform(
        json_extract(body, '$.subjects[*]'), lambda s: {'kind': s ->> '$.kind', 'api_group': s ->> '$.apiGroup',
            'namespace': s ->> '$.namespace', 'name': s ->> '$.name'}) END""",
    "rules": """(body) AS CASE WHEN json_type(body, '$.rules') = 'ARRAY' THEN list_transform(
        json_extract(body, '$.rules[*]'), lambda r: {'api_groups': (r -> '$.apiGroups')::VARCHAR[],
            'resources': (r -> '$.resources')::VARCHAR[], 'resource_names': (r -> '$.resourceNames')::VARCHAR[],
            'non_resource_urls': (r -> '$.nonResourceURLs')::VARCHAR[], 'verbs': (r -> '$.verbs')::VARCHAR[]}) END""",
    "query_param": f"""(uri, name) AS CASE WHEN regexp_matches(split_part(uri, '?', 2), {PARAMETER})
        THEN url_decode(replace(regexp_extract(split_part(uri, '?', 2), {PARAMETER}, 1), '+', ' ')) END""",
    "exec_command": """(uri) AS nullif(array_to_string(list_transform(
        regexp_extract_all(uri, '[?&]command=([^&]*)', 1), lambda word: url_decode(replace(word, '+', ' '))), ' '), '')""",
    "go_duration": """(text) AS list_sum(list_transform(
        regexp_extract_all(text, '[0-9.]+[^0-9.]+'),
        lambda part: regexp_extract(part, '[0-9.]+')::DOUBLE * CASE regexp_extract(part, '[^0-9.]+')
            WHEN 'ns' THEN 1e-6 WHEN 'us' THEN 1e-3 WHEN 'µs' THEN 1e-3 WHEN 'ms' THEN 1 WHEN 's' THEN 1e3
            WHEN 'm' THEN 6e4 WHEN 'h' THEN 3.6e6 END))""",
}


def tables(sql):
    """The tables and views that a text reads."""
    return set(re.findall(r"\b(?:FROM|JOIN)\s+(\w+)", re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", sql), re.IGNORECASE))


def calls(sql):
    """The functions of ours that a text calls."""
    return {name for name in MACROS if re.search(rf"\b{name}\(", sql)}


def spelled(sql):
    for pattern, replacement in SPELLINGS:
        sql = re.sub(pattern, replacement, sql, flags=re.DOTALL)
    return sql


def parts(path):
    """The header of a view or saved query, as read from its TOML, and its SQL."""
    lines = path.read_text().splitlines(keepends=True)
    length = next(index for index, line in enumerate(lines) if not line.startswith("--"))
    return tomllib.loads("".join(line[3:] or "\n" for line in lines[:length])), "".join(lines[length:])


VIEWS = {path.stem: spelled(parts(path)[1]) for path in sorted((ROOT / "schemas/views").glob("*.sql"))}


def literal(value, kind):
    types = {"string": "VARCHAR", "strings": "VARCHAR[]", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
    text = "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
    return f"CAST({text} AS {types.get(kind, 'VARCHAR')})"


def saved_queries():
    """Id → SQL with the parameters at their defaults."""
    queries = {}
    for path in sorted((ROOT / "queries").glob("*/*.sql")):
        header, sql = parts(path)
        for name, parameter in header.get("parameters", {}).items():
            sql = re.sub(rf"\${name}\b", literal(parameter.get("default"), parameter["type"]), sql)
        queries[path.stem] = spelled(sql)
    return queries


def needed(sql):
    """The views and macros that a text needs, each after those that it needs itself."""
    views, macros = [], set()

    def visit(text):
        for name in calls(text) - macros:
            macros.add(name)
            visit(MACROS[name])
        for name in sorted(tables(text) & VIEWS.keys()):
            visit(VIEWS[name])
            if name not in views:
                views.append(name)

    visit(sql)
    return views, [name for name in MACROS if name in macros]


def setup(files, threads, sql=None):
    """The statements that make a connection ready: for one query with `sql`, else for all."""
    names = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    views, macros = needed(sql) if sql else (needed(" ".join(f"FROM {name}" for name in VIEWS))[0], list(MACROS))
    macros = sorted(macros, key=lambda name: name != "container_of")
    return [
        f"SET threads = {threads}",
        "SET TimeZone = 'UTC'",
        "SET default_null_order = 'nulls_last_on_asc_first_on_desc'",
        "SET parquet_metadata_cache = true",
        f"CREATE VIEW events AS FROM read_parquet([{names}], hive_partitioning = true, hive_types = {{'date': DATE}})",
        *(f"CREATE MACRO {name}{MACROS[name]}" for name in macros),
        *(f"CREATE VIEW {name} AS {VIEWS[name]}" for name in views),
    ]


def to_nowhere(sql):
    """Everything that auditql does too for `-o csv`, the text of every value included."""
    return f"COPY ({sql}) TO '/dev/null' (FORMAT csv, HEADER)"


def live_files(table):
    """The data files of a Delta table as its log has them now; of a folder without a log, every Parquet file."""
    import duckdb

    log = table / "_delta_log"
    if not log.is_dir():
        return sorted(table.rglob("*.parquet"))
    live, after = set(), -1
    pointer = log / "_last_checkpoint"
    if pointer.exists():
        after = json.loads(pointer.read_text())["version"]
        checkpoint = f"{log}/{after:020}.checkpoint*.parquet"
        rows = duckdb.execute(f"SELECT add.path FROM read_parquet('{checkpoint}') WHERE add.path IS NOT NULL")
        live = {path for (path,) in rows.fetchall()}
    for commit in sorted(log.glob("[0-9]*.json")):
        if not commit.stem.isdigit() or int(commit.stem) <= after:
            continue
        actions = [json.loads(line) for line in commit.read_text().splitlines() if line.strip()]
        live -= {action["remove"]["path"] for action in actions if "remove" in action}
        live |= {action["add"]["path"] for action in actions if "add" in action}
    return sorted(table / urllib.parse.unquote(path) for path in live)


def main():
    job = json.load(sys.stdin)
    started = time.perf_counter()
    import duckdb

    connection = duckdb.connect()
    for statement in job:
        connection.execute(statement)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
