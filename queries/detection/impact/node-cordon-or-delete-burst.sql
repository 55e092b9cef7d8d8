-- title = "Many nodes cordoned or deleted"
-- question = "Who took several nodes out of the cluster in a short time?"
-- description = """
-- Bursts of one principal that deletes at least min_nodes Node objects, or marks them unschedulable. A delete is
-- known at level Metadata, a cordon from level Request on. Service accounts are low, and so is a burst of which
-- every node was made schedulable again within the log: maintenance. Refused bursts have a row of their own, one
-- step less severe."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST SI-4"]
-- attack = ["T1489", "T1499"]
-- differs = "No other rule set has it."
-- false_positives = "Upgrades and maintenance by people."
-- limits = "At level Metadata a cordon looks like any other change of a node, and is not counted."
-- tuning = "Raise min_nodes; add autoscalers and what upgrades nodes to expected with activity nodes."
-- triage = ["node-drains", "principal-timeline principal={principal}", "sessions principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{principal} took {nodes} nodes away: {cordoned} cordoned, {deleted} deleted ({outcome})"
-- columns.key = ["principal", "outcome", "first_seen"]
-- columns.detail = ["names", "last_seen", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["nodes"]
-- columns = ["response_code"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["nodes"]
-- columns = ["response_code"]
-- [parameters.min_nodes]
-- type = "integer"
-- default = 3
-- doc = "At least this many nodes."
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
    graded(
        CASE
            WHEN principal LIKE 'system:serviceaccount:%' THEN 'low'
            WHEN bool_and(state = 'cordoned' AND coalesce(next_state = 'schedulable', false)) THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    principal,
    array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS actor,
    count(DISTINCT name) AS nodes,
    count(DISTINCT CASE WHEN state = 'cordoned' THEN name END) AS cordoned,
    count(DISTINCT CASE WHEN operation = 'delete' THEN name END) AS deleted,
    count(CASE WHEN operation = 'deletecollection' THEN 1 END) AS collections,
    array_agg(DISTINCT name ORDER BY name) AS names,
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
            SELECT stated.*
            FROM (
                SELECT
                    named.*,
                    lead(CASE WHEN outcome = 'succeeded' THEN state END) IGNORE NULLS OVER (
                        PARTITION BY cluster, name ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS next_state
                FROM (
                    SELECT
                        write_requests.*,
                        CASE
                            WHEN operation IN ('delete', 'deletecollection') THEN 'deleted'
                            -- An update by a controller holds the whole node, which may have been cordoned before.
                            WHEN operation = 'update' AND principal LIKE 'system:serviceaccount:%' THEN NULL
                            WHEN body_text(request_object, 'spec.unschedulable') = 'true' THEN 'cordoned'
                            WHEN regexp_like(
                                request_object,
                                '"path":"/spec/unschedulable"[^{}]*"value":true|"value":true,[^{}]*"path":"/spec/unschedulable"'
                            ) THEN 'cordoned'
                            WHEN operation = 'update' AND body_kind(request_object) = 'Node' THEN 'schedulable'
                            WHEN regexp_like(request_object, '"unschedulable":(null|false)|"path":"/spec/unschedulable"') THEN 'schedulable'
                        END AS state
                    FROM write_requests
                    WHERE api_group = '' AND resource = 'nodes' AND subresource = ''
                      AND operation IN ('update', 'patch', 'delete', 'deletecollection')
                ) AS named
                WHERE state IS NOT NULL
            ) AS stated
            WHERE state <> 'schedulable'
              AND outcome IN ('succeeded', 'refused', 'unknown')
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'nodes', namespace)
              AND ($actor IS NULL OR actor = $actor OR principal = $actor)
        ) AS chosen
    ) AS paused
) AS numbered
GROUP BY cluster, principal, outcome, burst
HAVING count(DISTINCT name) >= $min_nodes OR bool_or(operation = 'deletecollection')
ORDER BY first_seen, principal, outcome
