-- title = "Evictions that a budget blocked"
-- question = "Which pods could not be evicted because of their disruption budget, and how long did a drain wait?"
-- description = """
-- One row per pod that a disruption budget kept from being evicted: who tried, how often, from when
-- to when. evicted_at is the first eviction that succeeded after the last refusal; blocked_seconds
-- is the time from the first refusal to it, or to the last refusal while there is none."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Budgets that work as intended: a drain retries every five seconds until the pod may go."
-- limits = "A pod that was deleted instead of evicted stays without evicted_at: see pod-fate. The message does not name the budget."
-- message = "{namespace}/{pod} could not be evicted for {blocked_seconds} s: {attempts} attempts by {actors}[, evicted at {evicted_at}]"
-- columns.key = ["namespace", "pod", "first_refused_at"]
-- columns.detail = ["attempts", "blocked_seconds", "evicted_at", "actors"]
-- triage = ["pod-fate namespace={namespace} name={pod}", "node-drains"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["pods/eviction"]
-- columns = ["response_code"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only pods in this namespace."
WITH evictions AS (
    SELECT
        namespace, name, actor, stage_timestamp, response_message, response_code BETWEEN 200 AND 299 AS evicted
    FROM requests
    WHERE resource = 'pods'
      AND subresource = 'eviction'
      AND verb = 'create'
      AND (response_code = 429 OR response_code BETWEEN 200 AND 299)
      AND (dry_run LIKE '%All%') IS NOT TRUE
      AND ($namespace IS NULL OR namespace = $namespace)
),
followed AS (
    SELECT
        evictions.*,
        max(CASE WHEN NOT evicted THEN stage_timestamp END) OVER (PARTITION BY namespace, name) AS last_refused_at
    FROM evictions
)
SELECT
    namespace,
    name AS pod,
    count(*) FILTER (WHERE NOT evicted) AS attempts,
    min(CASE WHEN NOT evicted THEN stage_timestamp END) AS first_refused_at,
    max(CASE WHEN NOT evicted THEN stage_timestamp END) AS last_refused_at,
    min(CASE WHEN evicted AND stage_timestamp > last_refused_at THEN stage_timestamp END) AS evicted_at,
    round(CAST(
        CAST(coalesce(min(CASE WHEN evicted AND stage_timestamp > last_refused_at THEN stage_timestamp END), max(CASE WHEN NOT evicted THEN stage_timestamp END)) AS BIGINT)
        - CAST(min(CASE WHEN NOT evicted THEN stage_timestamp END) AS BIGINT) AS DOUBLE
    ) / 1000000, 1) AS blocked_seconds,
    array_agg(DISTINCT actor ORDER BY actor) AS actors,
    min(CASE WHEN NOT evicted THEN response_message END) AS response_message
FROM followed
GROUP BY namespace, name
HAVING count(*) FILTER (WHERE NOT evicted) > 0
ORDER BY blocked_seconds DESC, namespace, pod
