"""auditql as the scripts run it: a process for each answer, or a shell that stays open."""

import json
import os
import re
import subprocess
import sys
import time

import loads


class Auditql:
    """The binary, in processes of its own."""

    def __init__(self, options):
        self.binary, self.threads = options.auditql, ["--threads", str(options.threads)]
        if options.memory:
            self.threads += ["--memory", options.memory]

    def run(self, *arguments):
        """Seconds, peak memory in MiB and standard output of a child."""
        return loads.run([self.binary, *arguments])

    def convert(self, log, to):
        return self.run("convert", "-q", "-i", log, "--to", to, *self.threads)

    def ask(self, question, lake, output="csv"):
        return self.run(*question, "-o", output, "-q", "-i", lake, *self.threads)

    def rows(self, question, lake):
        return [json.loads(line) for line in self.ask(question, lake, "jsonl")[2].splitlines()]


class Session:
    """An auditql shell that stays open and is asked line by line.

    The shell reads its whole script before it runs any of it. So each line of the script reads a FIFO, and the statements
    come through there.
    """

    def __init__(self, auditql, lake, work):
        self.fifo = work / "statement"
        self.fifo.unlink(missing_ok=True)
        os.mkfifo(self.fifo)
        command = [auditql.binary, "shell", "-q", "-i", lake.resolve(), *auditql.threads]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        self.shell = subprocess.Popen(command, text=True, cwd=work, **pipes)
        self.shell.stdin.write(".mode csv\n.timer on\n" + f".read {self.fifo.name}\n" * 100_000)
        self.shell.stdin.close()

    def open(self):
        while True:
            try:
                return os.open(self.fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads yet
                if self.shell.poll() is not None:
                    sys.exit(f"the shell has ended: {self.shell.stderr.read()}")
                time.sleep(0.0002)

    def ask(self, line):
        """Seconds from writing the statement to the timer's line (which itself has fewer digits)."""
        pipe = self.open()
        started = time.perf_counter()
        os.write(pipe, line.encode())
        os.close(pipe)
        said = []
        for told in self.shell.stderr:
            if re.fullmatch(r"\d+\.\d+ s(, .*)?", told.strip()):
                return time.perf_counter() - started
            said.append(told)
        sys.exit(f"the shell has ended: {''.join(said)}")

    def close(self):
        pipe = self.open()
        os.write(pipe, b".quit\n")
        os.close(pipe)
        self.shell.wait()
        self.fifo.unlink()
