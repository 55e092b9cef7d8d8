"""The logs that the bench scripts run on, and the table that sets them side by side.

In: log files from the command line, or profiles of the load generator. Out: loads, each a name and a file.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The load generator's profiles, and the bytes of an event of each.
PROFILES = {"cluster": 2273, "large": 1415, "unique": 1458}


class Load:
    def __init__(self, name, log):
        self.name, self.log, self.bytes = name, log, log.stat().st_size


def add_arguments(parser):
    parser.add_argument("logs", nargs="*", type=pathlib.Path, metavar="LOG", help="logs of plain JSON lines")
    parser.add_argument("--profiles", nargs="?", const=",".join(PROFILES), metavar="A,B",
                        help="generate these profiles as well (all without a value)")
    parser.add_argument("--bytes", default="1GB", help="size of each generated log [1GB]")
    parser.add_argument("--events", type=float, help="size of each generated log in events, about: 1e7 (instead of --bytes)")
    parser.add_argument("--seed", default="7", help="seed of the generated logs [7]")
    parser.add_argument("--generator", metavar="BINARY", help="auditql-benches [cargo run --release]")
    parser.add_argument("--logs-in", type=pathlib.Path, metavar="DIR", default=pathlib.Path(tempfile.gettempdir(), "auditql-loads"),
                        help="where generated logs are kept for the next run [%(default)s]")


def of(options):
    """The loads that the command line names, in its order; names are unique."""
    loads = [Load(log.stem, log) for log in options.logs]
    for profile in options.profiles.split(",") if options.profiles else []:
        if profile not in PROFILES:
            sys.exit(f"unknown profile `{profile}`; known profiles: {', '.join(PROFILES)}")
        loads.append(Load(profile, generated(options, profile)))
    if not loads:
        sys.exit("no logs: name files, or generate them with --profiles")
    names = [load.name for load in loads]
    for index, load in enumerate(loads):
        if names.count(load.name) > 1:
            load.name = f"{load.name}-{index + 1}"
    return loads


def generated(options, profile):
    """The profile's log. The same profile, size and seed give the same bytes, so an old file is as good as a new one."""
    options.logs_in.mkdir(parents=True, exist_ok=True)
    size = str(int(options.events * PROFILES[profile])) if options.events else options.bytes
    log = options.logs_in / f"{profile}-{size}-{options.seed}.log"
    if not log.exists():
        binary = [options.generator] if options.generator else ["cargo", "run", "--release", "-q", "-p", "auditql-benches", "--"]
        partial = log.with_suffix(".partial")
        arguments = ["generate", "--profile", profile, "--bytes", size, "--seed", options.seed, "--out", partial]
        where = None if options.generator else ROOT
        subprocess.run([*binary, *arguments], check=True, cwd=where)
        os.replace(partial, log)
    return log.resolve()


def run(command):
    """Seconds, peak memory in MiB and standard output of a child; it ends the script if it fails.

    A child's peak begins with what its parent holds: measure peaks before a library such as DuckDB is loaded.
    """
    started = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return seconds, usage.ru_maxrss / 1024, output


def table(title, loads, rows, worst=None):
    """Prints rows of (name, a cell for each load or None, a note); with `worst`, a function from a cell to its ratios, the
    worst and the best of them over all loads."""
    width = max([len(title), *(len(name) for name, _, _ in rows)])
    cells = [[cell or "-" for cell in row[1]] for row in rows]
    widths = [max([len(load.name), *(len(row[index]) for row in cells)]) for index, load in enumerate(loads)]
    heads = [load.name.rjust(wide) for load, wide in zip(loads, widths)]
    print("\n" + "  ".join([title.ljust(width), *heads, *(["  worst", "   best"] if worst else [])]))
    for (name, raw, note), row in zip(rows, cells):
        line = [name.ljust(width), *(cell.rjust(wide) for cell, wide in zip(row, widths))]
        if worst:
            ratios = [ratio for cell in raw if cell for ratio in worst(cell)]
            line += [f"{min(ratios):6.2f}x", f"{max(ratios):6.2f}x"] if ratios else []
        print("  ".join([*line, *([note] if note else [])]), flush=True)
