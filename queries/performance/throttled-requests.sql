-- title = "Throttled requests"
-- question = "Which client was told to slow down, by what, and how long did requests queue?"
-- description = """
-- Answers with 429 by cause and client, and requests that waited in a queue of priority and
-- fairness. cause is priority-and-fairness (refused before authorization), throttling (a 429 from
-- further in: an aggregated API, storage), disruption-budget (an eviction that a budget does not
-- allow; the client is meant to retry) or queued (served, after waiting at least min_queue_ms).
-- refused counts the 429s; the waits are of queued requests."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST SC-5", "CIS 1.2.9"]
-- attack = ["T1499"]
-- false_positives = "Drains that wait for a disruption budget, and relists after a restart of the apiserver."
-- limits = "The audit log names neither the flow schema nor the priority level. The wait in the queue is recorded only where the apiserver broke the time down, most often for requests over half a second. A client that limits itself (client-go's own QPS) leaves no trace."
-- message = "[{actor}|nobody] with [{program}|an unnamed program]: {cause}, {verb} {target}, requests {requests}[, up to {max_queue_ms} ms in the queue]"
-- columns.key = ["cause", "actor", "program", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["requests", "max_queue_ms", "first_seen", "last_seen"]
-- triage = ["top-clients actor={actor}", "unbounded-lists actor={actor}", "eviction-failures"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["response_code"]
-- [parameters.cause]
-- type = "string"
-- doc = "Only this cause: priority-and-fairness, throttling, disruption-budget or queued."
-- [parameters.min_queue_ms]
-- type = "number"
-- default = 100.0
-- doc = "Served requests count if they waited at least this many milliseconds."
WITH slowed AS (
    SELECT
        cause, actor, actor_kind, user_agent, verb, api_group, resource, subresource, namespace, peer_ip,
        request_received_timestamp, stage_timestamp, CAST(NULL AS DOUBLE) AS queue_ms
    FROM denials
    WHERE response_code = 429
    UNION ALL
    SELECT
        'queued' AS cause, actor, actor_kind, user_agent, verb, api_group, resource, subresource, namespace, peer_ip,
        request_received_timestamp, stage_timestamp, go_duration(annotations['apiserver.latency.k8s.io/apf-queue-wait']) AS queue_ms
    FROM requests
    WHERE go_duration(annotations['apiserver.latency.k8s.io/apf-queue-wait']) >= $min_queue_ms
      AND (response_code = 429) IS NOT TRUE
)
SELECT
    CASE WHEN cause = 'disruption-budget' THEN 'info' ELSE 'low' END AS severity,
    cause,
    actor,
    actor_kind,
    split_part(user_agent, '/', 1) AS program,
    verb,
    api_group,
    resource,
    subresource,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'no resource') AS target,
    count(*) AS requests,
    count(*) FILTER (WHERE cause <> 'queued') AS refused,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY queue_ms), 3) AS p50_queue_ms,
    round(max(queue_ms), 3) AS max_queue_ms,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM slowed
WHERE $cause IS NULL OR cause = $cause
GROUP BY cause, actor, actor_kind, program, verb, api_group, resource, subresource
ORDER BY requests DESC, cause, actor, actor_kind, program, verb, api_group, resource, subresource
