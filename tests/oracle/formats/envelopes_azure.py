"""Records of Azure Monitor, and rows of its tables."""

from envelope_event import *


def azure_record(log, micros, category="kube-audit", pod=POD, stream="stdout"):
    """A diagnostic record; `log` is the content of `properties.log`, text or `Raw`."""
    return {
        "category": category,
        "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
        "properties": {"pod": pod, "containerID": CONTAINER, "log": log, "stream": stream},
        "resourceId": RESOURCE,
        "serviceBuild": "na",
        "time": written(micros + 900, 9),
    }


def azure_line(record):
    """As the platform writes it into a blob: `{ "category": …, "properties": {"pod":…`, and `\\/`."""
    members = [
        quoted(key) + ": " + dump(value, style="slash" if key == "properties" else "")
        for key, value in record.items()
    ]
    return "{ " + ", ".join(members) + "}\r\n"


def azure_klog(micros):
    """Another category of the same diagnostic setting."""
    text = KLOG[0] + "\n"
    return azure_record(
        text, micros, "kube-controller-manager", "kube-controller-manager-84595d6f94-wcj7p", "stderr"
    )


def azure_diagnostics(text, micros, category="kube-audit"):
    """A row of AzureDiagnostics in Log Analytics."""
    return dump(
        {
            "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff",
            "TimeGenerated": written(micros + 900, 6),
            "ResourceId": RESOURCE,
            "Category": category,
            "ResourceGroup": "SHOP-RG",
            "SubscriptionId": SUBSCRIPTION.lower(),
            "ResourceProvider": "MICROSOFT.CONTAINERSERVICE",
            "Resource": "SHOP-PROD",
            "ResourceType": "MANAGEDCLUSTERS",
            "OperationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
            "SourceSystem": "Azure",
            "pod_s": POD,
            "log_s": text + "\n",
            "stream_s": "stdout",
            "containerID_s": CONTAINER,
            "Type": "AzureDiagnostics",
            "_ResourceId": RESOURCE.lower(),
        }
    )


AKS_AUDIT = {
    "level": "Level",
    "auditID": "AuditId",
    "stage": "Stage",
    "requestURI": "RequestUri",
    "verb": "Verb",
    "user": "User",
    "sourceIPs": "SourceIps",
    "userAgent": "UserAgent",
    "objectRef": "ObjectRef",
    "responseStatus": "ResponseStatus",
    "requestObject": "RequestObject",
    "responseObject": "ResponseObject",
    "requestReceivedTimestamp": "RequestReceivedTime",
    "stageTimestamp": "StageReceivedTime",
    "annotations": "Annotations",
}
AKS_AUDIT_DYNAMIC = {
    "user",
    "sourceIPs",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "annotations",
}


def aks_audit(event, dynamic_as_text=False, table="AKSAudit"):
    """A row of AKSAudit: fixed columns, so no impersonatedUser and nothing newer; kind and version are implied."""
    row = {
        "TenantId": "99990000-aaaa-bbbb-cccc-ddddeeeeffff",
        "TimeGenerated": written(event.micros + 900, 6),
    }
    for name, column in AKS_AUDIT.items():
        raw = event.raw(name)
        if raw is not None:
            row[column] = str(raw) if dynamic_as_text and name in AKS_AUDIT_DYNAMIC else raw
    return dump(
        row | {"PodName": POD, "SourceSystem": "Azure", "Type": table, "_ResourceId": RESOURCE.lower()}
    )
