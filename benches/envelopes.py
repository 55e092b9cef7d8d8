#!/usr/bin/env python3
"""One log in every envelope: how fast does it convert, compared with the plain log?

    envelopes.py AUDITQL LOG [--threads 2] [--runs 3] [--format NAME …]

`tests/oracle/formats/wrap.py` wraps LOG (100 to 200 MB from `auditql-benches generate`) in each envelope, and auditql
converts each to Parquet. The table shows delivered bytes a second as a share of the plain log's, and the same for
events. One thread reads variants that are compressed or one JSON value as a whole.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def size(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def best_time(options, path, output):
    command = [options.auditql, "convert", "-q", "-i", path, "--to", output, "--threads", str(options.threads)]
    times = []
    for _ in range(options.runs):
        start = time.monotonic()
        # 3: a part of the input is rightly rejected in some variants.
        if subprocess.run(command, check=False).returncode not in (0, 3):
            sys.exit(f"converting {path} failed")
        times.append(time.monotonic() - start)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auditql")
    parser.add_argument("log")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--format", action="append", default=[])
    options = parser.parse_args()
    wrap = pathlib.Path(__file__).parent.parent / "tests/oracle/formats/wrap.py"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, wrap, options.log, folder, *options.format], check=True)
        folder = pathlib.Path(folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        output = folder / "events.parquet"
        plain = best_time(options, options.log, output)
        plain_rate = os.path.getsize(options.log) / plain
        print(f"{'':42} {'bytes/s':>8} {'events/s':>9}")
        rows = []
        for name in manifest:
            seconds = best_time(options, folder / name, output)
            rows.append((size(folder / name) / seconds / plain_rate, plain / seconds, name))
        for rate, events, name in sorted(rows):
            print(f"{name:42} {rate:8.2f} {events:9.2f}")


if __name__ == "__main__":
    main()
