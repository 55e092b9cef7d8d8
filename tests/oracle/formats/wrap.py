#!/usr/bin/env python3
"""Wrap a kube-apiserver log into every envelope that carries its events, for a test by comparison.

    python3 wrap.py LOG OUTDIR [FORMAT…]

LOG holds `audit.k8s.io/v1` events, one a line, plain or gzip. OUTDIR gets one file, or one folder, for
each way of delivery; with FORMATs only for those. `events` read from what is written must hold the
same rows in the same order as `events` read from LOG, but for the columns that say where a row lay
(`format cluster account log_stream source_file source_line source_offset event_bytes`), for what the
envelope adds to `unknown_fields` under `envelope`, and for the members of an event that the envelope
cannot carry.

OUTDIR/manifest.json says what to expect, by file (a folder's name ends in a slash):

    {"cri.klog-beside.log": {"format": "cri",        the column `format` of every row
                             "events": 445,          rows
                             "drops": [],            members of the event that this envelope cannot carry
                             "skipped": {"not an audit event": 9},
                             "columns": {"cluster": null, …}}}   columns with one value in all rows

`skipped` counts the neighbours that reality puts beside the events: other streams and categories,
control messages, the apiserver's own log. There are never rejects. A variant whose envelope cannot
take this log back exactly (events that are not regular where the envelope takes them apart; an
annotation's key that does not survive Elastic's dedotting; two equal events where twin streams are told
apart by being equal) is left out and named on stderr.

Not here: formats that do not carry v1 events but something that is mapped to them (gke, rancher,
legacy-text); these have cases only.
"""

import gzip
import json
import pathlib
import shutil
import sys

sys.dont_write_bytecode = True
# Each adds its variants to the list, in this order.
import variants_host
import variants_eks
import variants_aks
import variants_openshift
import variants_stores
from envelopes import Event
from variant import VARIANTS


def read(path):
    raw = pathlib.Path(path).read_bytes()
    raw = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    return [Event(line.strip(" \t\r")) for line in raw.decode("utf-8-sig").split("\n") if line.strip(" \t\r")]


def write(out, name, content):
    """A file of chunks of bytes, or a folder of files; what was there before goes."""
    target = out / name
    if target.is_dir():
        shutil.rmtree(target)
    if isinstance(content, dict):
        for path, body in content.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(body)
    else:
        with target.open("wb") as file:
            file.writelines(content)


def main(log, out, *formats):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    events = read(log)
    if not events:
        sys.exit(f"{log}: no events")
    manifest = {}
    for name, format, columns, drops, make in VARIANTS:
        if formats and format not in formats:
            continue
        made = make(events)
        if made is None:
            print(f"left out: {name}, this log cannot be taken back from it exactly", file=sys.stderr)
            continue
        content, skipped = made
        write(out, name, content)
        manifest[name] = {
            "format": format,
            "drops": drops,
            "events": len(events),
            "skipped": skipped,
            "columns": columns,
        }
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
