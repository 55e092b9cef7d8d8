#!/usr/bin/env python3
"""Write `tests/data/formats-negative/`: files without a single audit event.

python3 cases_negative.py
"""

import shutil
import sys

sys.dont_write_bytecode = True
from azure_records import KLOG, RESOURCE_ID, blob_line, record, record_2020
from case import DATA, NOT_AN_EVENT, by_key, ndjson, pretty
from exact_json import Number
from log_entry import CONTAINER_API, CONTAINER_STDOUT

NEGATIVE = DATA / "formats-negative"


def segment(marker, content):
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


# One code of one bit, for "no difference" and "end of block".
HUFFMAN = b"\1" + b"\0" * 15 + b"\0"
# A JPEG of one grey pixel.
JPEG = (
    b"\xff\xd8"
    + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    + segment(0xDB, b"\0" + b"\1" * 64)
    + segment(0xC0, bytes([8, 0, 1, 0, 1, 1, 1, 0x11, 0]))
    + segment(0xC4, b"\0" + HUFFMAN)
    + segment(0xC4, b"\x10" + HUFFMAN)
    + segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
    + b"\x3f\xff\xd9"
)

README = """\
# Inputs without a single audit event

What people point a tool at by mistake, and what lies beside audit logs where they are stored. None gives
an event; what each counts as depends on whether it is named as the input or found in a folder that is.

| file | named | found in a folder |
|---|---|---|
{rows}

`not an audit log` is one for the whole file: a reject where the user named it, skipped where it was found.
`not an audit event` is skipped, once for each JSON value. This file is for readers: it counts as
`not an audit log` itself. Written by `tests/oracle/formats/cases_negative.py`.
"""


def negatives():
    shutil.rmtree(NEGATIVE, ignore_errors=True)
    NEGATIVE.mkdir(parents=True)
    rows = []

    def add(name, content, reason, count, what):
        (NEGATIVE / name).write_bytes(content.encode() if isinstance(content, str) else content)
        if reason is None:
            named = found = "nothing at all"
        else:
            kind = "rejects" if reason == "not an audit log" else "skipped"
            named, found = f"{kind}: `{reason}` {count}", f"skipped: `{reason}` {count}"
        rows.append(f"| `{name}`: {what} | {named} | {found} |")

    klog = (
        "I1122 10:14:16.901122       1 server.go:161] Version: v1.36.2\n"
        'I1122 10:14:16.932027       1 dynamic_cafile_content.go:161] "Starting controller" name="client-ca-bundle::/etc/kubernetes/ca.crt"\n'
        "W1122 10:14:17.455669       1 genericapiserver.go:787] Skipping API apps/v1beta1 because it has no resources.\n"
        'E1122 10:14:19.013370       1 metrics.go:95] "Error in audit plugin \'log\' affecting 1 audit events" err="json: error calling MarshalJSON"\n'
    )
    add(
        "kube-apiserver-klog.log", klog, "not an audit log", 1, "the apiserver's own log, klog text"
    )

    def activity(number, operation):
        claims = {"name": "Alice", "ver": "1.0"}
        return {
            "time": f"2026-11-22T10:14:3{number}.1234567Z",
            "resourceId": RESOURCE_ID.upper(),
            "operationName": operation,
            "category": "Administrative",
            "resultType": "Success",
            "resultSignature": "Succeeded.",
            "durationMs": "0",
            "callerIpAddress": "203.0.113.40",
            "correlationId": "b1e7d0a9-4c56-4a0e-9b0e-0c5d7f1a2b3c",
            "identity": {
                "authorization": {"scope": RESOURCE_ID, "action": operation},
                "claims": claims,
            },
            "level": "Information",
            "properties": {
                "entity": RESOURCE_ID,
                "message": operation,
                "eventCategory": "Administrative",
            },
        }

    admin = "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/LISTCLUSTERADMINCREDENTIAL/ACTION"
    upgrade = "MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/WRITE"
    lines = [activity(1, admin), activity(2, upgrade), activity(3, upgrade)]
    add(
        "azure-activity-log.json",
        ndjson(lines),
        NOT_AN_EVENT,
        3,
        "Azure's activity log, about the AKS resource",
    )
    add(
        "aws-logs-write-test",
        "Permission Check Successful",
        "not an audit log",
        1,
        "what CloudWatch leaves beside an export to S3",
    )
    add("pixel.jpg", JPEG, "not an audit log", 1, "a picture")
    add("empty.log", b"", None, 0, "no bytes")
    create = by_key(CONTAINER_API | {"operation": {"id": "operation-2", "last": True}})
    api = pretty([CONTAINER_API, create, CONTAINER_STDOUT]) + "\n"
    add(
        "gke-container-api.json",
        api,
        NOT_AN_EVENT,
        3,
        "Cloud Audit Logs of container.googleapis.com, a container's output",
    )
    manager = [
        record(KLOG["kube-controller-manager"], "kube-controller-manager"),
        record(KLOG["guard"], "guard"),
    ]
    manager.append(record_2020(KLOG["kube-controller-manager"], "kube-controller-manager"))
    add(
        "aks-kube-controller-manager.json",
        ndjson(manager, blob_line),
        NOT_AN_EVENT,
        3,
        "AKS records of other categories",
    )
    happened = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": "web-0.17b2",
            "namespace": "web",
            "uid": "5d0c8f0e-77a5-4a55-9d3e-2f4e2f6a1b0c",
        },
        "involvedObject": {"kind": "Pod", "namespace": "web", "name": "web-0"},
        "reason": "Pulled",
        "message": "Container image already present on machine",
        "type": "Normal",
        "count": Number(3),
        "lastTimestamp": "2026-11-22T10:14:31Z",
    }
    newer = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "note": "Back-off restarting failed container",
    }
    newer |= {
        "metadata": happened["metadata"],
        "regarding": happened["involvedObject"],
        "reason": "BackOff",
    }
    add(
        "kubernetes-events.json",
        ndjson([happened, newer]),
        NOT_AN_EVENT,
        2,
        "Kubernetes Events, of the same `kind`",
    )
    (NEGATIVE / "README.md").write_text(README.format(rows="\n".join(rows)), encoding="utf-8")


if __name__ == "__main__":
    negatives()
