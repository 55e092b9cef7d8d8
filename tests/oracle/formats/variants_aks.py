"""Variants of AKS: Azure Monitor's records and tables."""

import collections

from envelopes import *
from variant import *


@variant("aks.blob/", "aks", AKS)
def _(events):
    # A blob an hour, the records ordered as they came; the path has two `m=`.
    hours = collections.defaultdict(list)
    latest = 0
    for event in events:
        latest = max(latest, event.micros // 3_600_000_000)
        hours[latest].append(azure_line(azure_record(event.text + "\n", event.micros)))
    folder = (
        lambda hour: written(hour * 3_600_000_000, 0, "", separator=" ")
        .replace("-", " ")
        .replace(":", " ")
        .split()
    )
    return {
        f"resourceId={RESOURCE}/"
        + "y={}/m={}/d={}/h={}/m=00/PT1H.json".format(*folder(hour)): "".join(lines).encode()
        for hour, lines in hours.items()
    }, {}


@variant("aks.blob-other-categories.json", "aks", AKS)
def _(events):
    others = lambda micros: [azure_line(azure_klog(micros))]
    return beside(events, others, lambda event: azure_line(azure_record(event.text + "\n", event.micros)))


@variant("aks.event-hub.json", "aks", AKS)
def _(events):
    bodies = []
    for some in batches(events, 100):
        records = [azure_klog(some[0].micros)] + [
            azure_record(event.text + "\n", event.micros) for event in some
        ]
        bodies.append(dump({"records": records}) + "\n")
    return data("\ufeff", *bodies), {NOT_AN_EVENT: len(bodies)}


@variant("aks.log-decoded.json", "aks", AKS)
def _(events):
    return data(*(dump(azure_record(Raw(event.text), event.micros)) + "\n" for event in events)), {}


@variant("aks.properties.json", "aks", AKS | {"cluster": None, "account": None})
def _(events):
    rows = (azure_record(event.text + "\n", event.micros)["properties"] for event in events)
    return data(*(dump(row) + "\n" for row in rows)), {}


@variant("aks.twin-streams.json", "aks", AKS)
def _(events):
    if not regular(events):
        return None
    # kube-audit and kube-audit-admin in one hub: the second is a part of the first.
    if len({dump(dict(sorted(event.members.items()))) for event in events}) < len(events):
        return None
    records, twins = [], 0
    for event in events:
        records.append(azure_record(event.text + "\n", event.micros))
        if event.string("verb") not in ("get", "list"):
            records.append(azure_record(event.text + "\n", event.micros, "kube-audit-admin"))
            twins += 1
    return data(*(dump({"records": some}) + "\n" for some in batches(records, 100))), {"duplicate": twins}


@variant("aks-diagnostics.rows.json", "aks-diagnostics", AKS)
def _(events):
    others = lambda micros: [azure_diagnostics(KLOG[0], micros, "kube-apiserver") + "\n"]
    return beside(events, others, lambda event: azure_diagnostics(event.text, event.micros) + "\n")


@variant("aks-audit.rows.json", "aks-audit", AKS, AKS_AUDIT_DROPS)
def _(events):
    if not regular(events):
        return None
    return data(*(aks_audit(event) + "\n" for event in events)), {}


@variant("aks-audit.dynamic-as-text.json", "aks-audit", AKS, AKS_AUDIT_DROPS)
def _(events):
    if not regular(events):
        return None
    return (
        data(
            dump([Raw(aks_audit(event, dynamic_as_text=True, table="AKSAuditAdmin")) for event in events], 2)
        ),
        {},
    )
