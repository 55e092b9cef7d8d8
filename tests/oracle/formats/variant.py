"""The variants that `wrap.py` writes: their list, and what several of them need."""

from envelopes import *

NOT_AN_EVENT = "not an audit event"
EVERY = 50  # A neighbour stands before every so many events.
NOWHERE = {"cluster": None, "account": None, "log_stream": None}
AKS = {"cluster": "shop-prod", "account": SUBSCRIPTION.lower(), "log_stream": POD}
AKS_AUDIT_DROPS = ["impersonatedUser", "authenticationMetadata"]
LABELS = {"cluster": "shop-prod", "job": "kube-audit", "node": "master-0"}
KUBERNETES = {
    "namespace_name": "kube-system",
    "pod_name": "kube-apiserver-master-0",
    "container_name": "kube-apiserver",
}

VARIANTS = []


def variant(name, format, columns=NOWHERE, drops=()):
    """Registers a function from events to content (chunks, or {path: bytes}: a folder) and skipped counts."""

    def register(write):
        VARIANTS.append((name, format, columns, list(drops), write))
        return write

    return register


def data(*texts):
    return [text.encode() if isinstance(text, str) else text for text in texts]


def batches(events, size):
    return [events[at : at + size] for at in range(0, len(events), size)]


STRINGS = {
    *("kind", "apiVersion", "level", "auditID", "stage", "requestURI", "verb", "userAgent"),
    *("requestReceivedTimestamp", "stageTimestamp"),
}


def regular(events):
    """Are these events as an apiserver writes them: v1, every member once and of its type?

    Envelopes that take an event apart can take only such events back.
    """
    return all(
        event.string("kind") == "Event"
        and event.string("apiVersion") == "audit.k8s.io/v1"
        and {"level", "auditID"} <= event.members.keys()
        and len(event.members) == len(event.pairs)
        and all(raw.startswith('"') if key in STRINGS else raw[0] in "{[" for key, raw in event.pairs)
        for event in events
    )


def beside(events, neighbours, write):
    """Chunks of `write(event)`, with all `neighbours(micros)` before every EVERY-th; how many these are."""
    chunks, count = [], 0
    for index, event in enumerate(events):
        if index % EVERY == 0:
            others = neighbours(event.micros)
            chunks += data(*others)
            count += len(others)
        chunks.append(write(event))
    return data(*chunks), {NOT_AN_EVENT: count}
