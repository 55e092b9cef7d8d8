"""What the scripts that write `tests/data/formats/` share: the sample's events, spellings of JSON, folders."""

import pathlib
import shutil
import sys

sys.dont_write_bytecode = True
from exact_json import Number, dumps, loads

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent / "data"
FORMATS = DATA / "formats"
NEGATIVE = DATA / "formats-negative"

LINES = [
    line for line in (DATA / "sample" / "audit.log").read_text(encoding="utf-8").split("\n") if line
]
NOT_AN_EVENT = "not an audit event"
INVALID = "invalid JSON"


def line(audit_id, stage="ResponseComplete"):
    """The sample's event with this (beginning of an) id: its text."""
    found = [
        text for text in LINES if f'"auditID":"{audit_id}' in text and f'"stage":"{stage}"' in text
    ]
    assert len(found) == 1, (audit_id, len(found))
    return found[0]


def event(audit_id, stage="ResponseComplete"):
    return loads(line(audit_id, stage))


def where(**wanted):
    """The first event of the sample whose members (`a.b` is a path) are these."""
    for text in LINES:
        value = loads(text)
        for path, want in wanted.items():
            found = value
            for name in path.split("__"):
                found = found.get(name) if isinstance(found, dict) else None
            if (found or "") != want:
                break
        else:
            return text
    raise LookupError(wanted)


def where_id(**wanted):
    return loads(where(**wanted))["auditID"]


def pretty(value, indent=2, at=0):
    """As `jq .` and Google's tools print it."""
    inner, outer = "\n" + " " * (at + indent), "\n" + " " * at
    if isinstance(value, dict) and value:
        members = (dumps(k) + ": " + pretty(v, indent, at + indent) for k, v in value.items())
        return "{" + ",".join(inner + member for member in members) + outer + "}"
    if isinstance(value, list) and value:
        return "[" + ",".join(inner + pretty(v, indent, at + indent) for v in value) + outer + "]"
    return dumps(value)


def spaced(value):
    """As Python's json.dumps prints it."""
    if isinstance(value, dict):
        return "{" + ", ".join(dumps(k) + ": " + spaced(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spaced, value)) + "]"
    return dumps(value)


def by_key(value):
    """Members in the order of their names, as some exporters write them."""
    if isinstance(value, dict):
        return {key: by_key(value[key]) for key in sorted(value)}
    return [by_key(element) for element in value] if isinstance(value, list) else value


def ndjson(values, write=dumps):
    return "".join(write(value) + "\n" for value in values)


def write_case(path, name, content, expected, columns=None, rejects=None, skipped=None):
    """One folder of a case. `expected` holds events: values, or the text of a line."""
    folder = FORMATS / path
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    content = content.encode() if isinstance(content, str) else content
    assert len(content) < 100_000, path
    (folder / name).write_bytes(content)
    lines = [text if isinstance(text, str) else dumps(text) for text in expected]
    (folder / "expected.jsonl").write_text("".join(text + "\n" for text in lines), encoding="utf-8")
    if rejects or skipped:
        account = {"rejects": rejects or {}, "skipped": skipped or {}}
        counts = lambda of: {reason: Number(count) for reason, count in sorted(of.items())}
        account = {key: counts(value) for key, value in account.items()}
        (folder / "account.json").write_text(pretty(account, 1) + "\n", encoding="utf-8")
    if columns:
        assert all(len(values) == len(lines) for values in columns.values()), path
        text = ",\n ".join(dumps(key) + ": " + dumps(values) for key, values in columns.items())
        (folder / "columns.json").write_text("{" + text + "}\n", encoding="utf-8")
