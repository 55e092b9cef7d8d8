#!/usr/bin/env python3
"""Cut the bundled sample, `tests/data/sample/`, out of full recordings.

    python3 make_sample.py DATA [OUT]

DATA holds the recordings (`cluster-gke-policy/`, `cluster-metadata-rotated/`, `cluster-webhook/`);
OUT is the sample's folder, by default `../data/sample` beside this script. The same recordings give
the same sample (the bytes of the .gz may differ between zlib versions, their content does not).

Three files, as three ways of delivery leave them:
  audit.log                                JSON lines: requests chosen by the rules below
  audit-2026-11-22T10-28-28.612.log.gz     a rotated log: its first lines, requests still open at the end
  webhook-00001.json                       one EventList as the webhook backend posts it, fewer items

Events are copied byte for byte and keep their order. In `audit.log` and in the EventList a request is
there with all its stages or not at all. No request whose body could hold a secret or a token is taken.
"""

import collections
import gzip
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
import json_text
import oracle
import views

ROTATED = "audit-2026-11-22T10-28-28.612.log.gz"
ROTATED_LINES = 400
BATCH = "00011.json"
BATCH_ITEMS = 40
BATCH_PEOPLE = 28
BATCH_REQUEST = 3500
SHARE = 30

# Anything that could be a credential. `eyJ` begins every JSON web token (and some continue tokens).
CREDENTIAL = re.compile(
    r'eyJ|PRIVATE KEY|"kind":"Secret(List)?"|"stringData"|"token":|token=|password|passwd', re.I
)
CREDENTIAL_RESOURCES = {"secrets", "tokenreviews", "tokenrequests"}


def could_hold_credentials(raw, row):
    has_body = row["request_object"] is not None or row["response_object"] is not None
    return bool(CREDENTIAL.search(raw)) or (
        has_body and (row["resource"] in CREDENTIAL_RESOURCES or row["subresource"] == "token")
    )


def request_of(row):
    """What the stages of one request have in common."""
    names = ("audit_id", "request_received_timestamp", "username", "request_uri")
    return tuple(row[name] for name in names)


class Recording:
    """The events of a log, and its complete requests by their final event."""

    def __init__(self, raws):
        self.events = [(raw, oracle.columns_of(raw)) for raw in raws]
        unsafe = {request_of(row) for raw, row in self.events if could_hold_credentials(raw, row)}
        self.size = collections.Counter()
        for raw, row in self.events:
            self.size[request_of(row)] += len(raw.encode())
        self.finals = [
            row
            for _, row in self.events
            if views.is_final(row) and request_of(row) not in unsafe
        ]

    def pick(self, chosen, each, key, at_most=None):
        """Add up to `each` requests per `key` (None: not wanted), none above `at_most` bytes."""
        taken = collections.Counter()
        for row in self.finals:
            request, group = request_of(row), key(row)
            if group is None or taken[group] == each:
                continue
            if at_most is not None and self.size[request] > at_most:
                continue
            taken[group] += 1
            chosen.add(request)

    def cut(self, chosen):
        return [raw for raw, row in self.events if request_of(row) in chosen]


def scenarios(folder):
    """audit id -> (label, scenario) of the steps that the recording's script noted."""
    result = {}
    with gzip.open(folder / "ground-truth.jsonl.gz", "rt", encoding="utf-8") as lines:
        for step in map(json.loads, lines):
            if step.get("audit_id"):
                result[step["audit_id"]] = (step["label"], step["scenario"])
    return result


def audit_log(folder):
    """Requests of a GKE-like cluster: a bit of everything, failures and an attack among it."""
    log = Recording(oracle.read(folder / "audit.log.gz").rstrip("\n").split("\n"))
    steps = scenarios(folder)
    chosen = set()

    def permission(row):
        return (row["verb"], row["api_group"], row["resource"], row["subresource"])

    def binding(row):
        names = ("binding_kind", "binding_namespace", "binding_name", "role_name")
        names += ("subject_kind", "subject_name")
        return None if row["binding_name"] is None else tuple(row[name] for name in names)

    def step(row, *labels):
        label, scenario = steps.get(row["audit_id"], (None, None))
        named = re.match(r"attack-([a-z-]+)/", row["user_agent"] or "")
        if named:
            label, scenario = "attack", named[1]
        return (scenario, row["response_code"]) + permission(row) if label in labels else None

    def when(condition, *key):
        return key if condition else None

    privileged = {
        request_of(row)
        for row, own in views.containers(row for _, row in log.events)
        if own["privileged"]
    }
    sessions = {request_of(row) for row, _ in views.exec_sessions(row for _, row in log.events)}
    is_secret_read = {
        request_of(row) for row, _ in views.secret_reads(row for _, row in log.events)
    }

    # What the script called an attack, a failure, an oddity; look-alikes of attacks.
    log.pick(chosen, 1, lambda r: step(r, "attack"), 4300)
    log.pick(chosen, 1, lambda r: step(r, "failure", "oddity"), 2000)
    log.pick(chosen, 1, lambda r: step(r, "benign-lookalike"), 2000)
    requests_of = collections.defaultdict(set)
    for row in log.finals:
        requests_of[row["audit_id"]].add(request_of(row))
    log.pick(chosen, 9, lambda r: when(len(requests_of[r["audit_id"]]) > 1), 4500)
    # What the saved queries look for.
    log.pick(chosen, 30, lambda r: when(r["response_code"] == 401))
    log.pick(chosen, 9, lambda r: when(request_of(r) in privileged), 9000)
    log.pick(chosen, 20, lambda r: when(request_of(r) in sessions))
    log.pick(
        chosen,
        2,
        lambda r: when(
            request_of(r) in is_secret_read and r["actor_kind"] == "human",
            r["actor"],
            r["response_code"],
            r["namespace"],
        ),
    )
    log.pick(
        chosen,
        1,
        lambda r: when(
            r["resource"] in views.RBAC_KINDS and r["actor_kind"] == "human",
            r["actor"],
            permission(r),
            r["response_code"],
        ),
        2500,
    )
    log.pick(
        chosen,
        2,
        lambda r: when(
            "k8s.io/deprecated" in (r["annotations"] or {}), r["actor"], r["resource"]
        ),
        3000,
    )
    log.pick(
        chosen,
        2,
        lambda r: when(
            r["latency_ms"] > 500 and r["verb"] != "watch", r["actor"], r["resource"], r["verb"]
        ),
        8000,
    )
    # Ordinary use. Of what the cluster's own bindings allow a regular share, so that busy ones stay
    # busy, and of the built-in ones a few; administrators and nodes, whom no binding lets in.
    shares, builtin = collections.Counter(), collections.defaultdict(set)

    def share(row):
        group = binding(row)
        if group is None or group[2].startswith("system:"):
            return None
        shares[group + permission(row)] += 1
        every = shares[group + permission(row)] % SHARE == 1
        return when(every, row["audit_id"], row["request_received_timestamp"])

    def few(row):
        group = binding(row)
        if group is None or not group[2].startswith("system:"):
            return None
        if len(builtin[group]) < 2:
            builtin[group].add(permission(row))
        return when(permission(row) in builtin[group], group, permission(row))

    log.pick(chosen, 1, share, 1250)
    log.pick(chosen, 1, few, 1500)
    log.pick(
        chosen,
        1,
        lambda r: when("system:masters" in (r["actor_groups"] or []), r["actor"], r["verb"]),
        1400,
    )
    log.pick(
        chosen,
        1,
        lambda r: when(r["actor_kind"] == "node", r["actor"], permission(r), r["response_code"]),
        1600,
    )
    return log.cut(chosen)


def batch(path):
    """One POSTed EventList, with the items of fewer requests; people first."""
    text = oracle.read(path)
    log = Recording(json_text.elements(json_text.members(text)["items"]))
    chosen = set()
    others = ("serviceaccount", "control-plane", "node")
    for kinds, items in ((("human",), BATCH_PEOPLE), (others, BATCH_ITEMS)):
        seen = set()
        for row in log.finals:
            shape = (row["actor"], row["verb"], row["resource"], row["subresource"])
            if row["actor_kind"] not in kinds or shape in seen:
                continue
            if log.size[request_of(row)] > BATCH_REQUEST:
                continue
            if len(log.cut(chosen | {request_of(row)})) > items:
                break
            seen.add(shape)
            chosen.add(request_of(row))
    head = text[: text.index('"items":[')]
    return head + '"items":[' + ",".join(log.cut(chosen)) + "]}\n"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    data = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).resolve().parent
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else here.parent / "data" / "sample"
    out.mkdir(parents=True, exist_ok=True)

    lines = audit_log(data / "cluster-gke-policy")
    (out / "audit.log").write_bytes("".join(line + "\n" for line in lines).encode())

    lines = oracle.read(data / "cluster-metadata-rotated" / ROTATED).split("\n")[:ROTATED_LINES]
    (out / ROTATED).write_bytes(
        gzip.compress("".join(line + "\n" for line in lines).encode(), 9, mtime=0)
    )

    (out / "webhook-00001.json").write_bytes(
        batch(data / "cluster-webhook" / "batches" / BATCH).encode()
    )


if __name__ == "__main__":
    main()
