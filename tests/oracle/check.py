#!/usr/bin/env python3
"""Compares auditql with the oracle over everything in `tests/data` that the oracle can read.

    python3 check.py BINARY

That is the sample, the hostile log, the logs of `tests/slt`, and the cases of every format (`delivered.py`). Every cell
of `events` and of every view has to be the same, except where `intended.py` says otherwise and why. The exit status is
1 when there is another difference, or when an intended one no longer occurs; 2 when the engine could not be run.
Needs nothing but Python.
"""

import argparse
import concurrent.futures
import os
import pathlib
import sys

sys.dont_write_bytecode = True
import compare
import delivered
import intended

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
# What AKS delivers twice is counted once, in all cases that are read together.
READ_ALONE = {"aks", "aks-audit", "aks-diagnostics"}


def logs(binary):
    """What is compared as logs: functions that give the number of events and the differences by name."""

    def of(name, files):
        differences = compare.Differences()
        counts = compare.compare(binary, [str(file) for file in files], differences)
        return counts["events"], {name: differences}

    for folder in ("sample", "hostile", "slt"):
        for log in sorted((DATA / folder).glob("*")):
            yield lambda log=log: of(str(log.relative_to(DATA)), [log])
    yield lambda: of("sample/*", sorted((DATA / "sample").glob("*")))


def formats(binary):
    """The same of what is compared as deliveries."""

    def of(group, cases):
        count, differences = delivered.compare_cases(binary, cases)
        return count, {str((case or group).relative_to(DATA)): found for case, found in differences.items()}

    for group in sorted((DATA / "formats").iterdir()):
        cases = sorted(group.iterdir())
        for together in [[case] for case in cases] if group.name in READ_ALONE else [cases]:
            yield lambda group=group, together=together: of(group, together)


def without_intended(name, differences, occurred):
    """Leaves out the differences that are intended, and notes which."""
    for where, rows in differences.found.items():
        entries = [intended.of(name, where, row) for row, _, _ in rows]
        occurred.update(entry for entry in entries if entry is not None)
        differences.found[where] = [row for row, entry in zip(rows, entries) if entry is None]


def main():
    parser = argparse.ArgumentParser(description="Compares auditql with the oracle over the test data.")
    parser.add_argument("binary", metavar="BINARY")
    binary = parser.parse_args().binary

    events, failed, occurred = 0, 0, set()
    work = [*logs(binary), *formats(binary)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(item) for item in work]:
            try:
                count, found = done.result()
            except (OSError, compare.EngineFailed) as error:
                print(error, file=sys.stderr)
                return 2
            events += count
            for name, differences in found.items():
                without_intended(name, differences, occurred)
                if not differences.is_empty():
                    failed += 1
                    print(f"{name}:")
                    differences.show()
    for entry in intended.INTENDED:
        if entry not in occurred:
            failed += 1
            print(f"intended.py: this difference no longer occurs: {entry.log} {entry.where} {entry.row}")
    print(f"{events} events in {len(work)} logs: {len(occurred)} intended differences, {failed} failures")
    return 1 if failed or not events else 0


if __name__ == "__main__":
    sys.exit(main())
