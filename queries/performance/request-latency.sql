-- title = "Request latency"
-- question = "How long do requests take, by verb and resource, and is the service level objective kept?"
-- description = """
-- Latency by verb, resource and scope, with the objective that the Kubernetes project sets for the
-- 99th percentile: 1 second for a write or the read of one object, 5 for the list of a namespace,
-- 30 for one of the cluster. The columns from etcd_ms are medians over the requests that the
-- apiserver broke down, most often those over half a second: see broken_down. Watches and other
-- streams are left out. A row that breaks the objective is low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "SOC 2 A1.2"]
-- attack = []
-- false_positives = "Webhooks and clients that read slowly count here; the project's own measurement leaves webhooks out."
-- limits = "Times are measured in the apiserver, without the network. A few requests give no meaningful percentile: see requests, and min_requests. Refused requests (401, 403, 429) are left out."
-- message = "{verb} {target} ({scope}): p50 {p50_ms} ms, p99 {p99_ms} ms, {over_slo} of {requests} over {slo_ms} ms"
-- columns.key = ["verb", "api_group", "resource", "subresource", "scope"]
-- columns.detail = ["p50_ms", "p90_ms", "p99_ms", "over_slo", "requests"]
-- triage = ["slow-requests", "list-latency", "webhook-cost"]
-- [[needs]]
-- resources = ["*"]
-- columns = ["latency_ms"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only rows with at least this many requests."
WITH timed AS (
    SELECT
        verb, api_group, resource, subresource, latency_ms, request_received_timestamp, stage_timestamp,
        go_duration(annotations['apiserver.latency.k8s.io/total']) AS total_ms,
        go_duration(annotations['apiserver.latency.k8s.io/etcd']) AS etcd_ms,
        go_duration(annotations['apiserver.latency.k8s.io/mutating-webhook']) AS mutating_webhook_ms,
        go_duration(annotations['apiserver.latency.k8s.io/validating-webhook']) AS validating_webhook_ms,
        go_duration(annotations['apiserver.latency.k8s.io/apf-queue-wait']) AS queue_ms,
        CASE
            WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write'
            WHEN name <> '' THEN 'object'
            WHEN namespace <> '' THEN 'namespace'
            ELSE 'cluster'
        END AS scope,
        CASE
            WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') OR name <> '' THEN 1000
            WHEN namespace <> '' THEN 5000
            ELSE 30000
        END AS slo_ms
    FROM requests
    WHERE resource IS NOT NULL
      AND latency_ms IS NOT NULL
      AND (verb IN ('watch', 'proxy')) IS NOT TRUE
      AND (subresource IN ('exec', 'attach', 'portforward', 'log', 'proxy')) IS NOT TRUE
      AND (response_code IN (401, 403, 429)) IS NOT TRUE
)
SELECT
    CASE WHEN percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) > slo_ms THEN 'low' ELSE 'info' END AS severity,
    verb,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    scope,
    slo_ms,
    count(*) AS requests,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms), 3) AS p50_ms,
    round(percentile_cont(0.9) WITHIN GROUP (ORDER BY latency_ms), 3) AS p90_ms,
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms), 3) AS p99_ms,
    round(max(latency_ms), 3) AS max_ms,
    count(*) FILTER (WHERE latency_ms > slo_ms) AS over_slo,
    round(sum(latency_ms) / 1000, 3) AS seconds,
    count(total_ms) AS broken_down,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY etcd_ms), 3) AS etcd_ms,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY mutating_webhook_ms), 3) AS mutating_webhook_ms,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY validating_webhook_ms), 3) AS validating_webhook_ms,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY queue_ms), 3) AS queue_ms,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM timed
GROUP BY verb, api_group, resource, subresource, scope, slo_ms
HAVING count(*) >= $min_requests
ORDER BY seconds DESC, verb, api_group, resource, subresource, scope
