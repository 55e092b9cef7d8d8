#!/usr/bin/env python3
"""Write `tests/data/formats/{aks,aks-diagnostics,aks-audit}/`.

    python3 cases_aks.py

AKS delivers events verbatim: what is expected is the sample's own line. Only the tables AKSAudit and
AKSAuditAdmin take an event apart, and Azure cuts long strings.
"""

import sys

sys.dont_write_bytecode = True
from azure_records import *
from case import INVALID, NOT_AN_EVENT, event, line, ndjson, pretty, spaced, write_case
from exact_json import dumps, loads


def aks_columns(count, row_format="aks", pods=None, **more):
    columns = {"cluster": [AKS_CLUSTER] * count, "account": [SUBSCRIPTION_ID] * count}
    columns |= {"log_stream": pods or [POD] * count, "format": [row_format] * count}
    return columns | more


def padded(length, member):
    """An event with long bodies, and its first `length` characters, which end inside `member`.

    In a body the cut is right behind the backslash of an escape, so that not even the strings are whole;
    elsewhere it is in the middle of the value.
    """
    value = event("7b8b3fc6")
    shares = {"requestObject": (50, 200), "responseObject": (150, 50)}.get(member, (200, 200))
    for name, share in zip(("requestObject", "responseObject"), shares):
        value[name]["spec"]["containers"][0]["env"] = [
            {"name": f"LINE_{n:03}", "value": f'C:\\{n} is a "quoted" path'}
            for n in range(length // share)
        ]
    padding = {"name": "PADDING", "value": ""}
    value["requestObject"]["spec"]["containers"][0]["env"].insert(0, padding)
    while True:
        text = dumps(value)
        at = text.index(f'"{member}":')
        if member in ("requestObject", "responseObject"):
            missing = 0 if text[length - 2 : length] == " \\" else 1
        else:
            missing = length - (at + len(member) + 15)
        if missing == 0:
            assert at < length < len(text)
            return value, text[:length]
        padding["value"] += "x" * missing


def until(value, member):
    """The members before this one."""
    names = list(value)
    return {name: value[name] for name in names[: names.index(member)]}


def aks_cases():
    lines = [
        line("4633f549"),
        line("76dff5b6", "ResponseStarted"),
        line("9fb4d479"),
        line("b650a764"),
    ]

    # PT1H.json: one a line, several categories.
    blob = [
        record(lines[0]),
        record(KLOG["kube-apiserver"], "kube-apiserver"),
        record(lines[1], "kube-audit-admin"),
    ]
    blob += [
        record(KLOG["cluster-autoscaler"], "cluster-autoscaler", "cluster-autoscaler-7c"),
        record(lines[3]),
    ]
    write_case(
        "aks/blob-lines",
        "input.json",
        ndjson(blob, blob_line),
        [lines[0], lines[1], lines[3]],
        aks_columns(3),
        skipped={NOT_AN_EVENT: 2},
    )

    # Event Hub: {"records": […]}, with a BOM.
    hub = {
        "records": [
            record(lines[0]),
            record(KLOG["kube-controller-manager"], "kube-controller-manager"),
            record(lines[2]),
        ]
    }
    write_case(
        "aks/eventhub-records-bom",
        "input.json",
        "\ufeff" + dumps(hub),
        [lines[0], lines[2]],
        aks_columns(2),
        skipped={NOT_AN_EVENT: 1},
    )
    several = [
        {"records": [record_2020(lines[1])]},
        {"records": []},
        {"records": [record_2020(lines[2]), record_2020(KLOG["guard"], "guard")]},
    ]
    write_case(
        "aks/eventhub-lines-2020",
        "input.json",
        ndjson(several),
        lines[1:3],
        aks_columns(2),
        skipped={NOT_AN_EVENT: 2},
    )
    # Blobs before November 2018.
    write_case(
        "aks/blob-records-pretty",
        "input.json",
        pretty({"records": [record(t) for t in lines[1:]]}, 4) + "\n",
        lines[1:],
        aks_columns(3),
    )
    write_case(
        "aks/one-record-bom-2020",
        "input.json",
        "\ufeff" + pretty(record_2020(lines[0])),
        lines[:1],
        aks_columns(1),
    )

    # Only the properties, as some functions forward them.
    bare = [{k: record(text)["properties"][k] for k in ("log", "stream", "pod")} for text in lines]
    nothing = {"cluster": [None] * 4, "account": [None] * 4}
    write_case("aks/properties-only", "input.json", ndjson(bare), lines, aks_columns(4) | nothing)

    # Decoded already by a pipeline.
    decoded = [record(text) for text in lines[:2]]
    for value in decoded:
        value["properties"]["log"] = loads(value["properties"]["log"])
    write_case("aks/log-is-an-object", "input.json", ndjson(decoded), lines[:2], aks_columns(2))

    # Other spellings of resourceId; no newline; the pod is missing.
    spellings = [record(lines[0], newline=""), record(lines[1]), record(lines[2])]
    spellings[0]["resourceId"] = RESOURCE_ID
    spellings[1]["resourceId"] = RESOURCE_ID.lower()
    del spellings[2]["properties"]["pod"], spellings[2]["resourceId"]
    columns = aks_columns(3, pods=[POD, POD, None])
    columns["cluster"][2] = columns["account"][2] = None
    write_case("aks/resource-ids", "input.json", ndjson(spellings, spaced), lines[:3], columns)

    # Bodies that Azure left out are a string.
    skipped = event("3dc72180") | {"requestObject": "skipped-too-big-size-object"}
    both = skipped | {"responseObject": "skipped-too-big-size-object"}
    texts = [dumps(value) for value in (skipped, both)]
    write_case(
        "aks/skipped-too-big",
        "input.json",
        ndjson(map(record, texts), blob_line),
        texts,
        aks_columns(2, request_object=['"skipped-too-big-size-object"'] * 2),
    )

    # Escapes and numbers survive two encodings.
    odd = line("3dc72180").replace(
        '"requestObject":{',
        '"requestObject":{"odd":{"big":12345678901234567890,"float":1.50,"exponent":1E+2,"text":"\\u003c\\u0026\\u2028 \\"\\\\\\/ \\ud83d\\ude00 \u00e9\\u00e9","nul":"\\u0000","dup":1,"list":[[],{},null]},',
    )
    assert loads(odd)
    write_case(
        "aks/escapes",
        "input.json",
        ndjson([record(odd)], blob_line) + ndjson([record(lines[3])]),
        [odd, lines[3]],
        aks_columns(2),
    )

    # Both categories switched on: kube-audit-admin repeats what kube-audit has.
    twins = [
        record(lines[0]),
        record(lines[0], "kube-audit-admin"),
        record(lines[1]),
        record(lines[2]),
        record(lines[2], "kube-audit-admin"),
    ]
    write_case(
        "aks/twin-categories",
        "input.json",
        ndjson(twins, blob_line),
        lines[:3],
        aks_columns(3),
        skipped={"duplicate": 2},
    )

    # The blob of the running hour.
    growing = ndjson(map(record, lines[:2]), blob_line) + blob_line(record(lines[2]))[:700]
    write_case(
        "aks/growing-blob",
        "input.json",
        growing,
        lines[:2],
        aks_columns(2),
        skipped={"incomplete tail": 1},
    )

    outer = blob_line(record(lines[1])).replace('"category"', "category")
    inner = record(lines[2].replace('"verb":"', '"verb":nope"'))
    content = (
        blob_line(record(lines[0]))
        + "\n"
        + outer
        + "\n\n"
        + blob_line(inner)
        + "\n"
        + blob_line(record(lines[3]))
        + "\n"
    )
    write_case(
        "aks/broken-neighbours",
        "input.json",
        content,
        [lines[0], lines[3]],
        aks_columns(2),
        rejects={INVALID: 2},
    )

    # Strings cut at 16 KiB: in a body, behind the backslash of an escape; and in a time.
    in_request, first = padded(16384, "requestObject")
    in_time, second = padded(16384, "requestReceivedTimestamp")
    assert len(first) == len(second) == 16384
    texts = [record(first, newline=""), record(second, newline=""), record(lines[2])]
    for value in texts[:2]:
        value["time"] = shipped(line("7b8b3fc6"))
    write_case(
        "aks/truncated-16k",
        "input.json",
        ndjson(texts, blob_line),
        [until(in_request, "requestObject"), until(in_time, "requestReceivedTimestamp"), lines[2]],
        aks_columns(3, truncated=[True, True, False]),
    )


def diagnostics_row(text, category="kube-audit", newline="\n", pod=POD):
    """A row of AzureDiagnostics."""
    return {
        "TenantId": "a3c7b0d2-52b1-4a53-9a54-7f6f0c2f3d10",
        "TimeGenerated": shipped(text)[:-3] + "Z",
        "ResourceId": RESOURCE_ID.upper(),
        "Category": category,
        "ResourceGroup": "SHOP-PROD",
        "SubscriptionId": SUBSCRIPTION_ID,
        "ResourceProvider": "MICROSOFT.CONTAINERSERVICE",
        "Resource": "SHOP-AKS",
        "ResourceType": "MANAGEDCLUSTERS",
        "OperationName": OPERATION,
        "SourceSystem": "Azure",
        "log_s": text + newline,
        "stream_s": "stdout",
        "pod_s": pod,
        "containerID_s": "c2120cb7d9e9402426ea2cbcc6d2a4cbe712af7bf35195b2d39f2e215b3a4e3c",
        "Type": "AzureDiagnostics",
        "_ResourceId": RESOURCE_ID.lower(),
    }


def aks_diagnostics_cases():
    lines = [
        line("4633f549"),
        line("76dff5b6", "ResponseStarted"),
        line("9fb4d479"),
        line("b650a764"),
    ]

    def columns(count, **more):
        return aks_columns(count, "aks-diagnostics", **more)

    rows = [diagnostics_row(lines[0]), diagnostics_row(KLOG["kube-apiserver"], "kube-apiserver")]
    rows += [diagnostics_row(lines[1], "kube-audit-admin"), diagnostics_row(lines[3])]
    write_case(
        "aks-diagnostics/lines",
        "input.json",
        ndjson(rows),
        [lines[0], lines[1], lines[3]],
        columns(3),
        skipped={NOT_AN_EVENT: 1},
    )
    # `az monitor log-analytics query`
    queried = [diagnostics_row(text) | {"TableName": "PrimaryResult"} for text in lines[:2]]
    queried.append(diagnostics_row(KLOG["guard"], "guard") | {"TableName": "PrimaryResult"})
    write_case(
        "aks-diagnostics/az-query-array",
        "input.json",
        pretty(queried) + "\n",
        lines[:2],
        columns(2),
        skipped={NOT_AN_EVENT: 1},
    )

    # What a query projected: either name of the resource, not all columns.
    names = ("TimeGenerated", "Category", "log_s", "pod_s", "_ResourceId")
    projected = [{name: diagnostics_row(lines[2])[name] for name in names}]
    names = ("ResourceId", "Category", "log_s")
    projected.append({name: diagnostics_row(lines[0])[name] for name in names})
    projected.append({name: diagnostics_row(lines[1])[name] for name in ("Category", "log_s")})
    expected = columns(3, pods=[POD, None, None])
    expected["cluster"][2] = expected["account"][2] = None
    write_case(
        "aks-diagnostics/projected",
        "input.json",
        ndjson(projected),
        [lines[2], lines[0], lines[1]],
        expected,
    )

    twins = [
        diagnostics_row(lines[0]),
        diagnostics_row(lines[0], "kube-audit-admin"),
        diagnostics_row(lines[1]),
    ]
    write_case(
        "aks-diagnostics/twin-categories",
        "input.json",
        ndjson(twins),
        lines[:2],
        columns(2),
        skipped={"duplicate": 1},
    )

    # The limit of a column.
    value, text = padded(32768, "responseObject")
    assert len(text) == 32768
    cut = diagnostics_row(text, newline="") | {"TimeGenerated": "2026-11-22T10:16:01.075454Z"}
    write_case(
        "aks-diagnostics/truncated-32k",
        "input.json",
        ndjson([cut, diagnostics_row(lines[2])]),
        [until(value, "responseObject"), lines[2]],
        columns(2, truncated=[True, False]),
    )


AKS_AUDIT = {
    "Level": "level",
    "AuditId": "auditID",
    "Stage": "stage",
    "RequestUri": "requestURI",
    "Verb": "verb",
    "User": "user",
    "SourceIps": "sourceIPs",
    "UserAgent": "userAgent",
    "ObjectRef": "objectRef",
    "ResponseStatus": "responseStatus",
    "RequestObject": "requestObject",
    "ResponseObject": "responseObject",
    "RequestReceivedTime": "requestReceivedTimestamp",
    "StageReceivedTime": "stageTimestamp",
    "Annotations": "annotations",
}
DYNAMIC = {
    "User",
    "SourceIps",
    "ObjectRef",
    "ResponseStatus",
    "RequestObject",
    "ResponseObject",
    "Annotations",
}


def audit_row(event, table="AKSAudit", as_text=False, absent=False):
    """A row of AKSAudit or AKSAuditAdmin. `as_text`: dynamic columns as JSON text (the portal's export);
    `absent`: columns without a value are left out (data export)."""
    result = {
        "TenantId": "a3c7b0d2-52b1-4a53-9a54-7f6f0c2f3d10",
        "TimeGenerated": event["stageTimestamp"][:-1] + "3Z",
    }
    for column, name in AKS_AUDIT.items():
        value = event.get(name)
        if value is None:
            if not absent:
                result[column] = "" if as_text else None
        elif as_text and column in DYNAMIC:
            result[column] = value if isinstance(value, str) else dumps(value)
        else:
            result[column] = value
    result |= {"PodName": POD, "SourceSystem": "Azure", "Type": table}
    return result | {"_ResourceId": RESOURCE_ID.lower()}


def aks_audit_cases():
    values = [
        event("7b8b3fc6"),
        event("76dff5b6", "ResponseStarted"),
        event("264ef773"),
        event("b650a764"),
    ]

    def expected(value):
        """No impersonatedUser: the table has no such column."""
        result = {"kind": "Event", "apiVersion": "audit.k8s.io/v1"}
        return result | {name: value[name] for name in AKS_AUDIT.values() if name in value}

    def columns(count, **more):
        return aks_columns(count, "aks-audit", **more)

    events = [expected(value) for value in values]
    other = {
        "TimeGenerated": "2026-11-22T10:14:31.4556690Z",
        "Category": "kube-apiserver",
        "Level": "INFO",
        "Message": KLOG["kube-apiserver"],
        "Stream": "stderr",
        "PodName": POD,
        "Type": "AKSControlPlane",
        "_ResourceId": RESOURCE_ID.lower(),
    }
    rows = [
        audit_row(values[0], absent=True),
        other,
        audit_row(values[2], absent=True),
        audit_row(values[3], absent=True),
    ]
    write_case(
        "aks-audit/objects",
        "input.json",
        ndjson(rows),
        [events[0], events[2], events[3]],
        columns(3),
        skipped={NOT_AN_EVENT: 1},
    )

    rows = [audit_row(value, "AKSAuditAdmin", as_text=True) for value in values]
    write_case("aks-audit/admin-json-text", "input.json", ndjson(rows), events, columns(4))
    rows = [audit_row(value) | {"TableName": "PrimaryResult"} for value in values[:3]]
    write_case(
        "aks-audit/az-query-array-nulls", "input.json", pretty(rows) + "\n", events[:3], columns(3)
    )
    # Data export to an Event Hub.
    rows = {"records": [audit_row(value, absent=True) for value in values[1:]]}
    write_case("aks-audit/eventhub-records", "input.json", dumps(rows), events[1:], columns(3))

    big = [
        values[0]
        | {
            "requestObject": "skipped-too-big-size-object",
            "responseObject": "skipped-too-big-size-object",
        }
    ]
    big.append(values[0] | {"responseObject": "skipped-too-big-size-object"})
    # As text it is not quoted: a string that is no JSON.
    big.append(values[2] | {"responseObject": "skipped-too-big-size-object"})
    rows = [audit_row(value, absent=True) for value in big[:2]] + [audit_row(big[2], as_text=True)]
    write_case(
        "aks-audit/skipped-too-big",
        "input.json",
        ndjson(rows),
        [expected(value) for value in big],
        columns(3),
    )

    # Log Analytics writes seven digits.
    precise = values[3] | {
        "requestReceivedTimestamp": "2026-11-22T10:16:10.4234351Z",
        "stageTimestamp": "2026-11-22T10:16:10.4292490Z",
    }
    latency = {"stage_timestamp": ["2026-11-22T10:16:10.429249Z"]}
    write_case(
        "aks-audit/seven-digits",
        "input.json",
        ndjson([audit_row(precise)]),
        [expected(precise)],
        columns(1, **latency),
    )

    twins = [audit_row(values[0]), audit_row(values[0], "AKSAuditAdmin"), audit_row(values[3])]
    write_case(
        "aks-audit/twin-tables",
        "input.json",
        ndjson(twins),
        [events[0], events[3]],
        columns(2),
        skipped={"duplicate": 1},
    )

    # A dynamic column that is text is cut at the column's limit.
    value, _ = padded(32768, "responseObject")
    cut = audit_row(value, as_text=True)
    cut["ResponseObject"] = dumps(value["responseObject"] | {"more": "y" * 40000})[:32768]
    whole = {name: member for name, member in value.items() if name != "responseObject"}
    write_case(
        "aks-audit/truncated-column",
        "input.json",
        ndjson([cut, audit_row(values[3], as_text=True)]),
        [expected(whole), events[3]],
        columns(2, truncated=[True, False]),
    )


if __name__ == "__main__":
    aks_cases()
    aks_diagnostics_cases()
    aks_audit_cases()
