"""Cases of the formats that put text in front of a line, or a line into a record: cri, docker, node-logs, syslog."""

import sys

sys.dont_write_bytecode = True
from envelope_case import *


def cri_of(event, **how):
    return b"".join(cri(event.text, event.micros, **how))


def cri_cases():
    write("cri", "lines", [cri_of(READYZ), cri_of(DENIED), cri_of(EXEC)], [READYZ, DENIED, EXEC], columns={})
    write("cri", "gzip", zipped(cri_of(READYZ) + cri_of(EXEC)), [READYZ, EXEC], "gz", columns={})
    write(
        "cri",
        "zone-offset",
        [cri_of(LIST, zone="+01:00", minutes=60), cri_of(EXEC, zone="-03:30", minutes=-210)],
        [LIST, EXEC],
    )
    # The runtime cuts after 16 KiB, here in the middle of a letter.
    parts = cri(LONG.text, LONG.micros)
    if parts[1].split(b" ", 3)[3][0] & 0xC0 != 0x80:
        raise ValueError("the cut falls between two letters: change the length of LONG")
    write("cri", "parts", [cri_of(READYZ), *parts, cri_of(EXEC)], [READYZ, LONG, EXEC], columns={})
    # Lines of stderr, in parts themselves, come between the parts of stdout; each stream is joined on its own.
    first, second, third = cri(CREATE.text, CREATE.micros, most=2000)
    klog = cri(KLOG[1], CREATE.micros, "stderr", most=80)
    mixed = [first, cri(KLOG[0], CREATE.micros, "stderr")[0], klog[0], second, klog[1], third, cri_of(EXEC)]
    write("cri", "parts-of-two-streams", mixed, [CREATE, EXEC], skipped={NOT_AN_EVENT: 2}, columns={})
    klog = [cri(line, EXEC.micros, "stderr")[0] for line in KLOG]
    write(
        "cri",
        "klog-beside",
        [*klog, cri_of(READYZ), klog[1], cri_of(EXEC)],
        [READYZ, EXEC],
        skipped={NOT_AN_EVENT: 4},
        columns={},
    )
    bad = cri(broken(LIST), LIST.micros)
    write(
        "cri",
        "broken-line",
        [cri_of(READYZ), *bad, cri_of(EXEC)],
        [READYZ, EXEC],
        rejects={INVALID: 1},
        columns={},
    )
    # The last event of a file that is still being written, and of one that was rotated and compressed.
    parts = cri(CREATE.text, CREATE.micros, most=2000)
    write("cri", "open-part-at-the-end", [cri_of(EXEC), *parts[:2]], [EXEC], skipped={"incomplete tail": 1})
    write(
        "cri",
        "open-part-at-the-end-gzip",
        zipped(b"".join([cri_of(EXEC), *parts[:2]])),
        [EXEC],
        "gz",
        rejects={INVALID: 1},
    )
    body = event_list([DENIED.text, EXEC.text])
    write("cri", "eventlist", b"".join(cri(body, EXEC.micros)), [DENIED, EXEC], columns={})
    write(
        "cri",
        "escapes-and-numbers",
        [cri_of(HOSTILE), cri_of(NUMBERS), cri_of(OPTIONS)],
        [HOSTILE, NUMBERS, OPTIONS],
    )


def docker_of(event, **how):
    return b"".join(docker(event.text, event.micros, **how))


def docker_cases():
    write(
        "docker",
        "lines",
        [docker_of(READYZ), docker_of(DENIED), docker_of(EXEC)],
        [READYZ, DENIED, EXEC],
        columns={},
    )
    attrs = {"io.kubernetes.pod.name": "kube-apiserver-master-0", "tag": "kube-apiserver"}
    write(
        "docker",
        "attrs",
        [docker_of(READYZ, attrs=attrs), docker_of(EXEC, attrs=attrs)],
        [READYZ, EXEC],
        columns={},
    )
    write(
        "docker",
        "parts",
        [docker_of(READYZ), docker_of(LONG), docker_of(EXEC)],
        [READYZ, LONG, EXEC],
        columns={},
    )
    first, second, third = docker(CREATE.text, CREATE.micros, most=2000)
    klog = docker(KLOG[1], CREATE.micros, "stderr", most=80)
    mixed = [
        first,
        docker(KLOG[0], CREATE.micros, "stderr")[0],
        klog[0],
        second,
        klog[1],
        third,
        docker_of(EXEC),
    ]
    write("docker", "parts-of-two-streams", mixed, [CREATE, EXEC], skipped={NOT_AN_EVENT: 2}, columns={})
    klog = [docker(line, EXEC.micros, "stderr")[0] for line in KLOG]
    write(
        "docker",
        "klog-beside",
        [*klog, docker_of(READYZ), docker_of(EXEC)],
        [READYZ, EXEC],
        skipped={NOT_AN_EVENT: 3},
        columns={},
    )
    bad = docker(broken(LIST), LIST.micros)
    write(
        "docker",
        "broken-line",
        [docker_of(READYZ), *bad, docker_of(EXEC)],
        [READYZ, EXEC],
        rejects={INVALID: 1},
        columns={},
    )
    parts = docker(CREATE.text, CREATE.micros, most=2000)
    write(
        "docker",
        "open-part-at-the-end",
        [docker_of(EXEC), *parts[:2]],
        [EXEC],
        skipped={"incomplete tail": 1},
    )
    write("docker", "escapes-and-numbers", [docker_of(HOSTILE), docker_of(NUMBERS)], [HOSTILE, NUMBERS])


def node_logs_cases():
    hosts = ["ip-10-0-131-7.us-east-2.compute.internal", "master-1", "10.0.140.9"]
    events = [READYZ, DENIED, EXEC]
    lines = [node_logs(event.text, host) for event, host in zip(events, hosts)]
    write("node-logs", "several-hosts", lines, events, columns={"log_stream": hosts})
    # A rotated log may begin in the middle of an event, and a node that goes away ends in one.
    tail = READYZ.text[READYZ.text.index('"userAgent"') :]
    lines = [
        node_logs(tail),
        node_logs(LIST.text),
        node_logs(OTHER_JSON),
        node_logs(broken(DENIED)),
        node_logs(EXEC.text),
    ]
    counts = {"rejects": {INVALID: 2}, "skipped": {NOT_AN_EVENT: 1}}
    write("node-logs", "broken-neighbours", lines, [LIST, EXEC], **counts, columns={"log_stream": NODE})
    lines = [node_logs(HOSTILE.text), node_logs(NUMBERS.text), node_logs(CREATE.text)]
    write("node-logs", "escapes-and-numbers", zipped(b"".join(lines)), [HOSTILE, NUMBERS, CREATE], "gz")


def syslog_cases():
    host = {"log_stream": "master-0"}
    lines = [
        syslog_3164(READYZ.text, READYZ.micros),
        syslog_3164(DENIED.text, DENIED.micros, tag="kube-audit: "),
        syslog_3164(LIST.text, LIST.micros - 13 * 86_400_000_000, tag=""),
        syslog_3164(EXEC.text, EXEC.micros, host="fd00::1:5", tag="audit: "),
    ]
    streams = ["master-0", "master-0", "master-0", "fd00::1:5"]
    write("syslog", "rfc3164", lines, [READYZ, DENIED, LIST, EXEC], columns={"log_stream": streams})
    lines = [syslog_3164(event.text, event.micros, priority=None) for event in (READYZ, EXEC)]
    write("syslog", "rfc3164-in-a-file", lines, [READYZ, EXEC], columns=host)
    lines = [syslog_iso(event.text, event.micros) for event in (READYZ, EXEC)]
    write("syslog", "iso-in-a-file", lines, [READYZ, EXEC], columns=host)
    data = r'[origin@32473 ip="192.0.2.1"][note@32473 text="{\"a\":1\] \\"]'
    lines = [
        syslog_5424(READYZ.text, READYZ.micros),
        syslog_5424(DENIED.text, DENIED.micros, data=data),
        syslog_5424(EXEC.text, EXEC.micros, data=data, mark="\ufeff"),
        syslog_5424(LIST.text, LIST.micros, host="-"),
    ]
    streams = ["master-0", "master-0", "master-0", None]
    write("syslog", "rfc5424", lines, [READYZ, DENIED, EXEC, LIST], columns={"log_stream": streams})
    lines = [syslog_3164("@cee: " + event.text, event.micros, tag="kube-audit: ") for event in (READYZ, EXEC)]
    write("syslog", "cee-cookie", lines, [READYZ, EXEC], columns=host)
    lines = [
        syslog_3164(
            "Accepted publickey for core from 192.0.2.7 port 50522 ssh2",
            LIST.micros,
            tag="sshd[811]: ",
            priority=86,
        ),
        syslog_3164(READYZ.text, READYZ.micros),
        *(syslog_3164(line, EXEC.micros) for line in KLOG),
        syslog_3164('Created container spec={"name":"a"}', EXEC.micros, tag="kubelet[1204]: ", priority=30),
        syslog_3164(EXEC.text, EXEC.micros),
    ]
    write("syslog", "other-programs", lines, [READYZ, EXEC], skipped={NOT_AN_EVENT: 5}, columns=host)
    # A daemon with a limit of 2 KiB: nothing marks the cut.
    cut = syslog_3164(CREATE.text[:2000], CREATE.micros)
    lines = [syslog_3164(READYZ.text, READYZ.micros), cut, syslog_3164(EXEC.text, EXEC.micros)]
    write("syslog", "cut", lines, [READYZ, EXEC], rejects={INVALID: 1}, columns=host)
    lines = [syslog_5424(event.text, event.micros) for event in (HOSTILE, NUMBERS)]
    write("syslog", "escapes-and-numbers", lines, [HOSTILE, NUMBERS])


def main():
    cri_cases()
    docker_cases()
    node_logs_cases()
    syslog_cases()
