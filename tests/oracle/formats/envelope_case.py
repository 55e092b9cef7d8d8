"""The events of the cases under `tests/data/formats/` whose envelopes carry v1 events as they are, and how a case
is written.

The events are those of `tests/data/sample/audit.log`, a few of them changed to hold what a delivery
could break; `envelopes.py` puts them into their envelopes. What a case expects are the very events that
went in: they are never read back out of the envelope.
"""

import json
import pathlib
import shutil
import sys

sys.dont_write_bytecode = True
from envelopes import *

HERE = pathlib.Path(__file__).resolve().parent
SAMPLE = HERE.parent.parent / "data" / "sample" / "audit.log"
FORMATS = HERE.parent.parent / "data" / "formats"
NOT_AN_EVENT = "not an audit event"
INVALID = "invalid JSON"
NULLS = {"cluster": None, "account": None, "log_stream": None}


# ---------------------------------------------------------------- events


def sample():
    """The events of the sample by the first eight characters of their id and their stage."""
    texts = [line for line in SAMPLE.read_text(encoding="utf-8").split("\n") if line]
    events = [Event(text) for text in texts]
    return {(event.string("auditID")[:8], event.string("stage")): event for event in events}


def changed(event, old, new):
    """The event with a part of its text replaced; the part must be there once."""
    if event.text.count(old) != 1:
        raise ValueError(f"{old!r} is not there exactly once")
    return Event(event.text.replace(old, new))


EVENTS = sample()
READYZ = EVENTS["68137898", "ResponseComplete"]
LIST = EVENTS["0a1f1729", "ResponseComplete"]
EXEC_STARTED = EVENTS["c723be5b", "ResponseStarted"]  # `\u0026` in its URI, code 101
EXEC = EVENTS["c723be5b", "ResponseComplete"]
DENIED = EVENTS["a029cb54", "ResponseComplete"]  # decision forbid, letters beyond ASCII, quotes in names
UNAUTHENTICATED = EVENTS["5150f717", "ResponseStarted"]  # `user` is {}, no annotations
IMPERSONATED = EVENTS["3e425960", "ResponseComplete"]  # impersonatedUser and authenticationMetadata
PATCH = EVENTS["a28b9b01", "ResponseComplete"]  # requestObject is an array, no user.extra
CREATE = EVENTS["0d681bed", "ResponseComplete"]  # both bodies, annotations that hold JSON and `µs`
CAFE = EVENTS["beac0a7f", "ResponseComplete"]
OPTIONS = EVENTS["f56d0ae0", "ResponseComplete"]  # verb is ""

# Every escape that JSON has, characters beyond the BMP written and escaped, and what HTML, shells and
# line splitting could trip over.
HOSTILE = changed(
    CAFE,
    '"userAgent":"odd-uri"',
    r'"userAgent":"caf\u00e9 \ud83d\ude00 😀 ключ \"q\" \\ \/ \b\f\n\r\t \u2028'
    + "\u2028\u0085"
    + r' <a href=\"x\">&amp; \u003c\u0026 \u0007 %s ${x} {} [Truncated...]"',
)
# Numbers that a double cannot hold, and such as a writer might spell in another way.
NUMBERS = changed(
    PATCH,
    '"rules":[{',
    '"numbers":[12345678901234567890,123456789012345678901234567890,0.1000000000000000055511151231257827,'
    '1e-7,1E+2,-0,1.0,-1.50],"rules":[{',
)
# Longer than the 16 KiB of a container runtime's buffer, with letters of two and three bytes in it.
LONG = changed(
    CREATE,
    '"labels":{"app":"s-0"}},"spec":{"containers":[{"name":"main","image":"registry.example.com/web:1.4.2",'
    '"env":[{"name":"MODE","value":"prod"}],"resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"10m",'
    '"memory":"16Mi"}},"terminationMessagePath"',
    '"labels":{"app":"s-0"},"annotations":{"example.com/note":"'
    + 'größer € \\u0026 \\"more\\" ' * 1000
    + '"}},'
    '"spec":{"containers":[{"name":"main","image":"registry.example.com/web:1.4.2",'
    '"env":[{"name":"MODE","value":"prod"}],"resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"10m",'
    '"memory":"16Mi"}},"terminationMessagePath"',
)
OTHER_JSON = '{"level":"info","msg":"starting","ts":1795342457.3}'


def broken(event):
    """The beginning of an event, without a mark that says so."""
    return event.text[: event.text.index('"userAgent"') + 20]


# ---------------------------------------------------------------- writing


def write(format, name, content, events, suffix="log", rejects=None, skipped=None, columns=None):
    """One case; `columns` are values for all events, or a list with one an event."""
    folder = pathlib.Path(*sys.argv[1:2] or [FORMATS]) / format / name
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    if not isinstance(content, bytes):
        content = b"".join(part.encode() if isinstance(part, str) else part for part in content)
    (folder / f"input.{suffix}").write_bytes(content)
    texts = [event if isinstance(event, str) else event.text for event in events]
    (folder / "expected.jsonl").write_text(
        "".join(text + "\n" for text in texts), encoding="utf-8", newline="\n"
    )
    if rejects or skipped:
        account = {"rejects": rejects or {}, "skipped": skipped or {}}
        (folder / "account.json").write_text(json.dumps(account, indent=1) + "\n")
    if events and columns is not None:
        full = {"format": format} | NULLS | columns
        lists = {
            key: value if isinstance(value, list) else [value] * len(events) for key, value in full.items()
        }
        if any(len(values) != len(events) for values in lists.values()):
            raise ValueError(f"{format}/{name}: a column does not have a value for each event")
        text = json.dumps(lists, indent=1, ensure_ascii=False) + "\n"
        (folder / "columns.json").write_text(text, encoding="utf-8")
