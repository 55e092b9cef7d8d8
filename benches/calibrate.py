#!/usr/bin/env python3
"""Is a generated log of the profile `cluster` like a real one?

    calibrate.py GENERATED INVENTORY...

Prints each figure of the generated log beside the model's, with the relative difference, and exits with 1
if one is out of bounds. The first INVENTORY (an inventory.json) is the model; others are only printed.
Figures that an inventory lacks (body sizes, distinct URIs, compression) come from the audit logs beside it,
if there are any.

Distributions and cardinalities are compared among the first events of the generated log, as many as the
model has. If the generated log is longer, its distributions are then compared as a whole, by share.

Bounds: 10%; 20% for compression. Counts below 30 in the model may differ by 2.
"""

import collections
import datetime
import glob
import gzip
import json
import os
import re
import sys
import zlib

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
SHARES = ("stage", "level", "verb", "code")
RARE = 30


class Figures:
    """What is counted of a log."""

    def __init__(self):
        self.events = 0
        self.lines, self.requests, self.responses = [], [], []
        self.counts = {name: collections.Counter() for name in SHARES}
        self.users, self.uris = set(), set()
        self.deflated = 0
        self.bytes = 0
        self.compressor = zlib.compressobj(6, zlib.DEFLATED, 31)

    def add(self, line):
        event = json.loads(line)
        self.events += 1
        self.bytes += len(line)
        self.deflated += len(self.compressor.compress(line))
        self.lines.append(len(line))
        self.users.add(event["user"].get("username"))
        self.uris.add(event["requestURI"])
        status = event.get("responseStatus", {})
        for name, value in (("stage", event["stage"]), ("level", event["level"]), ("verb", event["verb"]),
                            ("code", str(status.get("code", "(none)")))):
            self.counts[name][value] += 1
        for member, sizes in (("requestObject", self.requests), ("responseObject", self.responses)):
            if member in event:
                text = json.dumps(event[member], separators=(",", ":"), ensure_ascii=False)
                sizes.append(len(text.encode()))
        return event

    def ratio(self):
        return self.bytes / (self.deflated + len(self.compressor.copy().flush()))

    def report(self):
        figures = {"events": self.events, "bytes per event": self.bytes / max(self.events, 1)}
        figures |= sizes("line bytes", self.lines)
        for name, counts in self.counts.items():
            figures |= {f"{name} {value or '(empty)'}": count for value, count in counts.items()}
        figures |= {"requestObject": len(self.requests), "responseObject": len(self.responses)}
        figures |= sizes("requestObject bytes", self.requests)
        figures |= sizes("responseObject bytes", self.responses)
        figures |= {"distinct users": len(self.users), "distinct URIs": len(self.uris)}
        figures["gzip -6 ratio"] = self.ratio()
        return figures


def sizes(name, values):
    values = sorted(values)
    return {f"{name} {label}": values[int(len(values) * share)]
            for label, share in (("median", 0.5), ("p95", 0.95), ("p99", 0.99)) if values}


class Rules:
    """What must hold of every event."""

    def __init__(self):
        self.broken = collections.Counter()
        self.last = ""
        self.open = {}
        self.seen = set()

    def check(self, event):
        audit_id, stage = event["auditID"], event["stage"]
        received, at = event["requestReceivedTimestamp"], event["stageTimestamp"]
        self.expect("audit id is a UUID v4", UUID4.fullmatch(audit_id))
        self.expect("stageTimestamp increases", at > self.last)
        self.expect("requestReceivedTimestamp is before stageTimestamp", received < at)
        self.last = at
        request = (event["requestURI"], event["verb"], json.dumps(event["user"]), received)
        first = self.open.pop(audit_id, None)
        self.expect("audit ids are unique", first is not None or audit_id not in self.seen)
        self.seen.add(audit_id)
        if first is not None:
            self.expect("both stages are of one request", first == request and stage == "ResponseComplete")
        elif stage == "ResponseStarted":
            self.open[audit_id] = request
        self.expect("401 has no user and no annotations", event["responseStatus"]["code"] != 401
                    or (event["user"] == {} and "annotations" not in event and stage == "ResponseStarted"))

    def expect(self, rule, holds):
        if not holds:
            self.broken[rule] += 1


def logs_beside(inventory):
    folder = os.path.dirname(os.path.abspath(inventory))
    return sorted(glob.glob(os.path.join(folder, "audit*.log.gz"))) + glob.glob(os.path.join(folder, "audit.log"))


def model_figures(path):
    """The inventory's figures, completed from the log beside it."""
    with open(path, encoding="utf-8") as file:
        inventory = json.load(file)
    figures = {"events": inventory["events"], "bytes per event": inventory["bytes_uncompressed"] / inventory["events"]}
    counted = Figures()
    for log in logs_beside(path):
        with (gzip.open if log.endswith(".gz") else open)(log, "rb") as file:
            for line in file:
                counted.add(line)
    if counted.events:
        figures |= counted.report()
    figures |= {f"line bytes {name}": inventory["line_bytes"][name] for name in ("median", "p95", "p99")}
    for name in SHARES:
        figures |= {f"{name} {value or '(empty)'}": count for value, count in inventory[name].items()}
    return inventory["run"], figures


def compare(title, generated, model, others, scale, skip=()):
    """Prints the table; the names of the figures out of bounds."""
    print(f"\n{title}\n{'':34}{'generated':>12}{'model':>12}{'differs':>10}   bound"
          + "".join(f"{name[:12]:>14}" for name, _ in others))
    out = []
    for name in list(model) + [name for name in generated if name not in model]:
        if name in skip or name == "events":
            continue
        ours, theirs = generated.get(name, 0), model.get(name)
        is_count = name.split()[0] in SHARES or name in ("requestObject", "responseObject")
        shown = ours / scale if is_count else ours
        rest = "".join(f"{figure(figures.get(name)):>14}" for _, figures in others)
        if theirs is None:
            print(f"{name:34}{figure(shown):>12}{'-':>12}{'':10}   {'':8}{rest}")
            if name.split()[0] in SHARES and shown > 2:
                out.append(name)
            continue
        bound = 0.2 if name.startswith("gzip") else 0.1
        difference = (shown - theirs) / theirs if theirs else 0.0
        fine = abs(difference) <= bound or (is_count and theirs < RARE and abs(shown - theirs) <= 2)
        if not fine:
            out.append(name)
        mark = "" if fine else "OUT"
        print(f"{name:34}{figure(shown):>12}{figure(theirs):>12}{difference:>+10.1%}   {bound:<4.0%} {mark:3}{rest}")
    return out


def figure(value):
    if value is None:
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    models = [model_figures(path) for path in sys.argv[2:]]
    (run, model), others = models[0], models[1:]
    begin, whole, rules, first, last = Figures(), Figures(), Rules(), None, None
    at_model_size = None
    with (gzip.open if sys.argv[1].endswith(".gz") else open)(sys.argv[1], "rb") as file:
        for line in file:
            event = whole.add(line)
            rules.check(event)
            if begin.events < model["events"]:
                begin.add(line)
                if begin.events == model["events"]:
                    at_model_size = begin.report()
            first, last = first or event["stageTimestamp"], event["stageTimestamp"]
    if first is None:
        sys.exit(f"{sys.argv[1]}: no events")
    at_model_size = at_model_size or begin.report()
    out = compare(f"The first {begin.events} events, beside the {model['events']} of {run}", at_model_size, model,
                  others, 1.0)
    if whole.events > begin.events:
        out += compare(f"All {whole.events} events, counts at the model's size", whole.report(), model, others,
                       whole.events / model["events"], skip=("distinct users", "distinct URIs"))
    span = datetime.datetime.fromisoformat(last) - datetime.datetime.fromisoformat(first)
    print(f"\n{whole.events} events, {whole.bytes} bytes, {first} to {last} ({span}): "
          f"{whole.events / max(span.total_seconds(), 1):.2f} events a second, {len(whole.users)} users, "
          f"{len(whole.uris)} URIs")
    for rule, times in rules.broken.items():
        print(f"BROKEN {times} times: {rule}")
    if begin.events < model["events"]:
        out.append("events")
        print(f"too short: the model has {model['events']} events")
    if out:
        print("out of bounds:", ", ".join(out))
    sys.exit(1 if out or rules.broken else 0)


if __name__ == "__main__":
    main()
