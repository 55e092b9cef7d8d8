"""Lines of a container runtime or of a host."""

import datetime

from envelope_event import *


def cut_bytes(data, most):
    return [data[at : at + most] for at in range(0, len(data), most)] or [b""]


def cut_text(text, most):
    """Pieces of at most `most` bytes of UTF-8, no character cut."""
    parts, part, size = [], [], 0
    for char in text:
        width = len(char.encode())
        if size + width > most:
            parts.append("".join(part))
            part, size = [], 0
        part.append(char)
        size += width
    return parts + ["".join(part)]


def cri(text, micros, stream="stdout", most=16384, zone="Z", minutes=0):
    """CRI log lines (containerd, CRI-O): cut after `most` bytes, wherever in a character that falls."""
    parts = cut_bytes(text.encode(), most)
    head = f"{written(micros + 900, 9, zone, minutes)} {stream} "
    tags = ["P"] * (len(parts) - 1) + ["F"]
    return [f"{head}{tag} ".encode() + part + b"\n" for tag, part in zip(tags, parts)]


def docker(text, micros, stream="stdout", most=16384, attrs=None):
    """Records of Docker's json-file driver: only the last part of a line ends in a newline.

    Docker replaces a character that its cut falls into; here the cut keeps off characters.
    """
    tail = {"stream": stream} | ({"attrs": attrs} if attrs else {}) | {"time": written(micros + 900, 9)}
    parts = cut_text(text, most)
    parts[-1] += "\n"
    return [(dump({"log": part} | tail, style="go") + "\n").encode() for part in parts]


def node_logs(text, host=NODE):
    """`oc adm node-logs --role=master --path=kube-apiserver/audit.log`."""
    return f"{host} {text}\n".encode()


def syslog_3164(text, micros, host="master-0", tag="kube-apiserver[2211]: ", priority=134):
    """RFC 3164; without a priority as a syslog daemon writes its files."""
    stamp = datetime.datetime.fromtimestamp(micros // 1_000_000, datetime.timezone.utc)
    day = f"{stamp.day:2d}"
    prefix = "" if priority is None else f"<{priority}>"
    return f"{prefix}{stamp.strftime('%b')} {day} {stamp.strftime('%H:%M:%S')} {host} {tag}{text}\n".encode()


def syslog_iso(text, micros, host="master-0", tag="kube-apiserver[2211]: "):
    """rsyslog's own file format, the default of newer distributions."""
    return f"{written(micros, 6, '+01:00', 60)} {host} {tag}{text}\n".encode()


def syslog_5424(text, micros, host="master-0", data="-", priority=134, mark=""):
    """RFC 5424; `data` is the structured data, `mark` may be the byte-order mark of UTF-8."""
    return (
        f"<{priority}>1 {written(micros, 6)} {host} kube-apiserver 2211 audit {data} {mark}{text}\n".encode()
    )
