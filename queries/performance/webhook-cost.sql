-- title = "Cost of admission webhooks"
-- question = "Which admission webhooks are called, on what, and how much time do they take?"
-- description = """
-- Calls of each mutating webhook by resource and operation, with what came of them (mutated,
-- unchanged, failed_open), and the time that the requests spent in all of their mutating webhooks,
-- where the apiserver broke it down. The apiserver does not name validating webhooks that approve:
-- their time is in rows without a webhook, with the longest of the parallel calls. timed_calls says
-- how many requests the times are from."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "The breakdown is there most often for requests over half a second, so the times are of the slow ones. The time is the sum over all mutating webhooks of the request, not of this one alone. A policy below level Metadata for the resource hides its calls."
-- message = "[{webhook}|validating webhooks] on {verb} {target}: calls {calls}[, mutated {mutated}][, up to {max_ms} ms]"
-- columns.key = ["kind", "configuration", "webhook", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["calls", "mutated", "failed_open", "timed_calls", "p50_ms", "p99_ms"]
-- triage = ["webhook-failures", "slow-requests", "request-latency"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- columns = ["annotations"]
WITH calls AS (
    SELECT
        'mutating' AS kind, configuration, controller AS webhook, decision, verb, api_group, resource, subresource,
        go_duration(annotations['apiserver.latency.k8s.io/mutating-webhook']) AS ms, latency_ms, request_received_timestamp, stage_timestamp
    FROM admission_decisions
    WHERE mechanism = 'mutating-webhook'
    UNION ALL
    SELECT
        'validating' AS kind, CAST(NULL AS VARCHAR) AS configuration, CAST(NULL AS VARCHAR) AS webhook, CAST(NULL AS VARCHAR) AS decision, verb, api_group,
        resource, subresource, go_duration(annotations['apiserver.latency.k8s.io/validating-webhook']) AS ms, latency_ms,
        request_received_timestamp, stage_timestamp
    FROM requests
    WHERE annotations['apiserver.latency.k8s.io/validating-webhook'] IS NOT NULL
)
SELECT
    kind,
    configuration,
    webhook,
    verb,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    count(*) AS calls,
    CASE WHEN kind = 'mutating' THEN count(*) FILTER (WHERE decision = 'mutated') END AS mutated,
    CASE WHEN kind = 'mutating' THEN count(*) FILTER (WHERE decision = 'unchanged') END AS unchanged,
    CASE WHEN kind = 'mutating' THEN count(*) FILTER (WHERE decision = 'failed-open') END AS failed_open,
    count(ms) AS timed_calls,
    round(sum(ms) / 1000, 3) AS seconds,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms), 3) AS p50_ms,
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms), 3) AS p99_ms,
    round(max(ms), 3) AS max_ms,
    round(100*sum(ms) / nullif(sum(CASE WHEN ms IS NOT NULL THEN latency_ms END), 0), 1) AS percent_of_request,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM calls
GROUP BY kind, configuration, webhook, verb, api_group, resource, subresource
ORDER BY seconds DESC NULLS LAST, calls DESC, kind, configuration, webhook, verb, api_group, resource, subresource
