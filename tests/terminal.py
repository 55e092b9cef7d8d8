#!/usr/bin/env python3
"""Runs a program with a terminal as its stdout, and prints what the terminal is sent.

    python3 terminal.py COLUMNS PROGRAM [ARGUMENT...]

Only stdout is a terminal; stdin is empty and stderr stays what it is. The exit status is the program's.
"""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios


def main():
    columns, command = int(sys.argv[1]), sys.argv[2:]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    # Lines end as the program ends them.
    settings = termios.tcgetattr(theirs)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, settings)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs)
    os.close(theirs)
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            # What Linux says when the other end is closed.
            break
        if not part:
            break
        sys.stdout.buffer.write(part)
    sys.stdout.flush()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main())
