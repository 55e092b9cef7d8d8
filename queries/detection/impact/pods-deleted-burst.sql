-- title = "Many pods deleted"
-- question = "Who deleted or evicted many pods in a short time?"
-- description = """
-- Bursts of deletes and evictions of pods by one principal: at least min_pods of them, or min_collections
-- collections. Service accounts are info. Refused bursts have a row of their own, one step less severe."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST SI-4"]
-- attack = ["T1489"]
-- covers = ["Sigma: Azure Kubernetes Pods Deleted"]
-- differs = "Sigma reports each deleted pod, and no evictions; this counts."
-- false_positives = "Drains of nodes, restarts of a workload, clean-up of failed pods."
-- limits = "How many pods a collection had is not counted. A pod that a controller deletes because its workload was scaled or deleted is not counted: see workload-scaled-to-zero and workload-deleted."
-- tuning = "Raise min_pods; add what drains nodes to expected with activity deletes."
-- triage = ["principal-timeline principal={principal}", "node-drains", "who-deleted resource=pods"]
-- tables = ["system_principals", "expected"]
-- message = "{principal} deleted {pods} pods ({evictions} by eviction) and {collections} collections of pods in {namespace_count} namespaces ({outcome})"
-- columns.key = ["principal", "outcome", "first_seen"]
-- columns.detail = ["pods", "evictions", "collections", "namespaces", "last_seen", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create", "delete", "deletecollection"]
-- resources = ["pods", "pods/eviction"]
-- columns = ["response_code"]
-- [parameters.min_pods]
-- type = "integer"
-- default = 10
-- doc = "At least this many pods, deleted or evicted one by one."
-- [parameters.min_collections]
-- type = "integer"
-- default = 3
-- doc = "Or at least this many requests for a collection."
-- [parameters.pause]
-- type = "duration"
-- default = "5m"
-- doc = "A pause as long as this ends a burst."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN principal LIKE 'system:serviceaccount:%' THEN 'info' ELSE 'low' END, outcome) AS severity,
    outcome,
    principal,
    array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS actor,
    count(DISTINCT CASE WHEN operation <> 'deletecollection' THEN concat(namespace, '/', name) END) AS pods,
    count(DISTINCT CASE WHEN write_kind = 'eviction' THEN concat(namespace, '/', name) END) AS evictions,
    count(CASE WHEN operation = 'deletecollection' THEN 1 END) AS collections,
    count(DISTINCT namespace) AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    count(*) AS requests,
    array_agg(DISTINCT client_ip ORDER BY client_ip) AS client_ips,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents
FROM (
    SELECT
        paused.*,
        count(CASE WHEN is_first THEN 1 END) OVER (
            PARTITION BY cluster, principal, outcome ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            chosen.*,
            -- The first after a pause, in seconds.
            coalesce(
                date_part('epoch', stage_timestamp - lag(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, outcome ORDER BY stage_timestamp, audit_id, source_file, source_offset
                )) > $pause / 1000, true
            ) AS is_first
        FROM (
            SELECT write_requests.*
            FROM write_requests
            WHERE api_group = '' AND resource = 'pods'
              AND (subresource = '' AND operation IN ('delete', 'deletecollection') OR write_kind = 'eviction' AND operation = 'create')
              AND outcome IN ('succeeded', 'refused', 'unknown')
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'deletes', namespace)
              AND ($actor IS NULL OR actor = $actor OR principal = $actor)
        ) AS chosen
    ) AS paused
) AS numbered
GROUP BY cluster, principal, outcome, burst
HAVING count(DISTINCT CASE WHEN operation <> 'deletecollection' THEN concat(namespace, '/', name) END) >= $min_pods
    OR count(CASE WHEN operation = 'deletecollection' THEN 1 END) >= $min_collections
ORDER BY first_seen, principal, outcome
