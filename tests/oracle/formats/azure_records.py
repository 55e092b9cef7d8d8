"""Texts as records of Azure's diagnostic settings: blobs and Event Hubs."""

import re
import sys

sys.dont_write_bytecode = True
from exact_json import dumps

SUBSCRIPTION_ID = "3f6c1b52-9a0e-4c57-8a3f-0d9b7a1c2e44"
RESOURCE_ID = (
    f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/Shop-Prod/providers"
    "/Microsoft.ContainerService/managedClusters/Shop-AKS"
)
AKS_CLUSTER = "shop-aks"
POD = "kube-apiserver-6797f4455b-jdgtt"
OPERATION = "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read"
KLOG = {
    "kube-apiserver": 'I1122 10:14:31.455669       1 trace.go:236] Trace[1]: "List" accept:application/json,verb:LIST (22-Nov-2026 10:14:30.853) (total time: 601ms):',
    "kube-controller-manager": 'I1122 10:14:31.853066       1 event.go:389] "Event occurred" object="default/web" kind="Service" apiVersion="v1" type="Normal" reason="EnsuringLoadBalancer" message="Ensuring load balancer"',
    "cluster-autoscaler": "I1122 10:14:31.901122       1 static_autoscaler.go:594] No unschedulable pods",
    "guard": 'I1122 10:14:31.950101       1 azure.go:120] {"user":"alice@example.com","verb":"get"}',
}


def shipped(text):
    """When Azure shipped it: nine digits, a little after the event."""
    stamp = re.search(r'"stageTimestamp":"([^"]*)Z"', text)
    return (stamp[1] if stamp else "2026-11-22T10:14:31.500000") + "317Z"


def record(text, category="kube-audit", pod=POD, newline="\n"):
    """A record of 2023 and later."""
    return {
        "category": category,
        "operationName": OPERATION,
        "properties": {
            "pod": pod,
            "containerID": "c2120cb7d9e9402426ea2cbcc6d2a4cbe712af7bf35195b2d39f2e215b3a4e3c",
            "log": text + newline,
            "stream": "stdout" if category.startswith("kube-audit") else "stderr",
        },
        "resourceId": RESOURCE_ID.upper(),
        "serviceBuild": "na",
        "time": shipped(text),
    }


def record_2020(text, category="kube-audit"):
    """A record of 2020: other members, another order, whole seconds."""
    value = record(text, category)
    return {
        "operationName": OPERATION,
        "category": category,
        "ccpNamespace": "5eb2d1cf3ad61f0001a668a5",
        "resourceId": value["resourceId"],
        "properties": {key: value["properties"][key] for key in ("log", "stream", "pod")},
        "time": value["time"][:19] + "Z",
        "Cloud": "AzureCloud",
        "Environment": "prod",
        "UnderlayClass": "hcp-underlay",
        "UnderlayName": "hcp-underlay-westeurope-cx-72",
    }


def blob_line(value):
    """As Azure writes it into the blob: blanks within the outer braces only, slashes of `log` escaped."""

    def member(key):
        if key != "properties":
            return f"{dumps(key)}: {dumps(value[key])}"
        inner = (
            f"{dumps(k)}:{dumps(v).replace('/', chr(92) + '/')}" for k, v in value[key].items()
        )
        return f'"properties": {{{",".join(inner)}}}'

    return "{ " + ", ".join(map(member, value)) + "}"
