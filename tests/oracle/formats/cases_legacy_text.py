#!/usr/bin/env python3
"""Write `tests/data/formats/legacy-text/`.

    python3 cases_legacy_text.py [RECORDINGS]

The lines are real ones of RECORDINGS/cluster-legacy-format; without that folder the inputs that are there
are kept and only what is expected of them is written again. `legacy_text.py` says what that is.
"""

import gzip
import pathlib
import sys

sys.dont_write_bytecode = True
import legacy_text
from case import FORMATS, INVALID, write_case

# Audit ids of the lines of each case: what they show is in their names.
LEGACY = {
    "lines": ("31ac5259", "d8f22548"),
    "unauthenticated": ("8be0ee6d", "7c9beb50"),
    "impersonation": ("520eeb29", "1d9af401", "de39055d"),
    "panic-and-empty-verb": ("f8b6c480", "e6317f0e"),
    "quoting": ("58b562ba", "a568a337"),
}


def legacy_text_cases(recordings):
    root = FORMATS / "legacy-text"
    if recordings:
        with gzip.open(
            recordings / "cluster-legacy-format" / "audit.log.gz", "rt", encoding="utf-8"
        ) as log:
            lines = log.read().splitlines()
        chosen = {
            case: [text for text in lines if any(f' id="{name}' in text for name in ids)]
            for case, ids in LEGACY.items()
        }
    else:
        chosen = {
            case: (root / case / "input.log").read_text(encoding="utf-8").splitlines()
            for case in LEGACY
        }

    def case(name, lines, content=None, **more):
        expected = [legacy_text.event(text) for text in lines if legacy_text.event(text)]
        content = "".join(text + "\n" for text in lines) if content is None else content
        more.setdefault("columns", {})["format"] = ["legacy-text"] * len(expected)
        more["columns"]["latency_ms"] = [None] * len(expected)
        write_case(f"legacy-text/{name}", "input.log", content, expected, **more)

    for name, lines in chosen.items():
        case(name, lines)

    # Kubernetes 1.8 had no user-agent, and wrote local time.
    old = [
        text.split(" user-agent=")[0] + " namespace=" + text.split(" namespace=")[1]
        for text in chosen["lines"][:2]
    ]
    old = [text.replace("118Z AUDIT", "118-04:00 AUDIT") for text in old]
    stamps = ["2026-11-22T14:35:19.007007Z"] * 2
    case("without-user-agent", old, columns={"stage_timestamp": stamps})

    # What a client chose cannot add a field: its quotes are quoted.
    agent = 'user-agent="x\\" namespace=\\"kube-system\\" response=\\"200\\\\"'
    spoofed = [
        text.replace('user-agent="lab-readiness/1"', agent).replace(
            'id="31ac5259-', 'id="31\\"ac5259 stage=\\"Panic\\" '
        )
        for text in chosen["lines"][:2]
    ]
    case("spoofed-fields", spoofed)

    # --audit-log-path=-: the apiserver's own log is between the lines, and one was cut by a restart.
    mixed = [
        chosen["lines"][0],
        "I1122 10:35:19.013370       1 controller.go:161] Starting kubernetes-api controller",
        chosen["lines"][1],
        chosen["impersonation"][0][:170],
        chosen["lines"][-1],
    ]
    case("klog-between", mixed, rejects={INVALID: 1}, skipped={"not an audit event": 1})
    case(
        "gzip",
        chosen["lines"][:2],
        gzip.compress("".join(t + "\n" for t in chosen["lines"][:2]).encode(), 9, mtime=0),
    )


if __name__ == "__main__":
    legacy_text_cases(pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else None)
