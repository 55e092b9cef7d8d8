"""Variants of the apiserver's own backends, of container runtimes and of hosts."""

from envelopes import *
from variant import *

# ---------------------------------------------------------------- the apiserver's webhook


@variant("eventlist.batches.json", "eventlist")
def _(events):
    if not regular(events):
        return None
    return data(*(event_list([event.text for event in some]) + "\n" for some in batches(events, 200))), {}


@variant("eventlist.pretty.json", "eventlist")
def _(events):
    if not regular(events):
        return None
    return data(event_list([event.text for event in events], indent=2) + "\n"), {}


@variant("eventlist.bodies/", "eventlist")
def _(events):
    if not regular(events):
        return None
    bodies = enumerate(batches(events, 100))
    return {
        f"{number:05d}.json": event_list([event.text for event in some]).encode() for number, some in bodies
    }, {}


# ---------------------------------------------------------------- container runtimes, hosts


@variant("cri.lines.log", "cri")
def _(events):
    return [b"".join(cri(event.text, event.micros, most=1 << 30)) for event in events], {}


@variant("cri.parts-klog-beside.log", "cri")
def _(events):
    # A long event comes in parts, and a line of the other stream falls between its first two.
    chunks, count = [], 0
    for index, event in enumerate(events):
        klog = [b"".join(cri(line, event.micros, "stderr")) for line in KLOG] if index % EVERY == 0 else []
        first, *rest = cri(event.text, event.micros, zone="+01:00", minutes=60)
        chunks += [first, *klog, *rest]
        count += len(klog)
    return chunks, {NOT_AN_EVENT: count}


@variant("cri.parts.log.gz", "cri")
def _(events):
    # Parts much smaller than a runtime's, so that every event has some.
    return [zipped(b"".join(b"".join(cri(event.text, event.micros, most=511)) for event in events))], {}


@variant("docker.lines.log", "docker")
def _(events):
    return [b"".join(docker(event.text, event.micros, most=1 << 30)) for event in events], {}


@variant("docker.parts-klog-beside.log", "docker")
def _(events):
    chunks, count = [], 0
    for index, event in enumerate(events):
        klog = [b"".join(docker(line, event.micros, "stderr")) for line in KLOG] if index % EVERY == 0 else []
        first, *rest = docker(event.text, event.micros, most=4000)
        chunks += [first, *klog, *rest]
        count += len(klog)
    return chunks, {NOT_AN_EVENT: count}


@variant("node-logs.lines.log", "node-logs", NOWHERE | {"log_stream": NODE})
def _(events):
    return [node_logs(event.text) for event in events], {}


SYSLOG = NOWHERE | {"log_stream": "master-0"}


@variant("syslog.rfc3164.log", "syslog", SYSLOG)
def _(events):
    others = lambda micros: [
        syslog_3164(
            "Accepted publickey for core from 192.0.2.7 port 50522 ssh2",
            micros,
            tag="sshd[811]: ",
            priority=86,
        ),
        syslog_3164(KLOG[1], micros),
    ]
    return beside(events, others, lambda event: syslog_3164(event.text, event.micros))


@variant("syslog.file.log", "syslog", SYSLOG)
def _(events):
    return [syslog_3164(event.text, event.micros, priority=None) for event in events], {}


@variant("syslog.iso.log", "syslog", SYSLOG)
def _(events):
    return [syslog_iso(event.text, event.micros) for event in events], {}


@variant("syslog.rfc5424.log", "syslog", SYSLOG)
def _(events):
    meta = '[origin@32473 note="braces {\\"a\\":1\\]}" ip="192.0.2.1"]'
    return [syslog_5424(event.text, event.micros, data=meta, mark="\ufeff") for event in events], {}
