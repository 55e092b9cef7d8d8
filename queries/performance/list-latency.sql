-- title = "List latency"
-- question = "How long do lists take, by client and resource, and which break the service level objective?"
-- description = """
-- Lists by actor, program, resource and scope: half, nine tenths and 99 of 100 took at most p50_ms,
-- p90_ms and p99_ms. scope is object (one object by name), namespace or cluster; the Kubernetes
-- objective for its 99th percentile is 1, 5 and 30 seconds. over_slo counts the lists that took
-- longer. A row whose p99_ms is over the objective is low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "A client that reads its answers slowly makes its lists slow."
-- limits = "Times are measured in the apiserver, without the network. The log does not say how many objects a list returned. The objective is meant for a cluster day; a few requests give no meaningful percentile: see requests."
-- message = "[{actor}|somebody] lists {target} at {scope} scope: p50 {p50_ms} ms, p99 {p99_ms} ms, {over_slo} of {requests} over {slo_ms} ms"
-- columns.key = ["actor", "program", "api_group", "resource", "subresource", "scope"]
-- columns.detail = ["p50_ms", "p90_ms", "p99_ms", "over_slo", "requests"]
-- triage = ["unbounded-lists actor={actor}", "slow-requests", "top-clients actor={actor}"]
-- [[needs]]
-- verbs = ["list"]
-- resources = ["*"]
-- columns = ["latency_ms"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only lists by this actor."
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only rows with at least this many lists."
WITH lists AS (
    SELECT
        actor, actor_kind, split_part(user_agent, '/', 1) AS program, api_group, resource, subresource, latency_ms,
        request_received_timestamp, stage_timestamp,
        CASE WHEN name <> '' THEN 'object' WHEN namespace <> '' THEN 'namespace' ELSE 'cluster' END AS scope,
        CASE WHEN name <> '' THEN 1000 WHEN namespace <> '' THEN 5000 ELSE 30000 END AS slo_ms
    FROM requests
    WHERE verb = 'list'
      AND resource IS NOT NULL
      AND latency_ms IS NOT NULL
      -- A throttled or refused list did no work.
      AND response_code BETWEEN 200 AND 299
)
SELECT
    CASE WHEN percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms) > slo_ms THEN 'low' ELSE 'info' END AS severity,
    actor,
    actor_kind,
    program,
    api_group,
    resource,
    subresource,
    concat_ws('.', resource, nullif(api_group, '')) AS target,
    scope,
    slo_ms,
    count(*) AS requests,
    round(percentile_cont(0.5) WITHIN GROUP (ORDER BY latency_ms), 3) AS p50_ms,
    round(percentile_cont(0.9) WITHIN GROUP (ORDER BY latency_ms), 3) AS p90_ms,
    round(percentile_cont(0.99) WITHIN GROUP (ORDER BY latency_ms), 3) AS p99_ms,
    round(max(latency_ms), 3) AS max_ms,
    count(*) FILTER (WHERE latency_ms > slo_ms) AS over_slo,
    round(sum(latency_ms) / 1000, 3) AS seconds,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM lists
WHERE $actor IS NULL OR actor = $actor
GROUP BY actor, actor_kind, program, api_group, resource, subresource, scope, slo_ms
HAVING count(*) >= $min_requests
ORDER BY seconds DESC, actor, actor_kind, program, api_group, resource, subresource, scope
