-- title = "Workload scaled to zero"
-- question = "Who stopped workloads by scaling them to zero?"
-- description = """
-- Requests that set the replicas of Deployments, StatefulSets or ReplicationControllers to 0, through scale or the
-- workload itself, in bursts by one principal. medium: at least min_workloads workloads in a burst, or a workload
-- of a system namespace; low: fewer, a service account, or workloads that were all scaled up again within the log
-- (a restart). A workload that was at 0 before, as far as the log shows, is left out. Refused bursts have a row of
-- their own, one step less severe."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 A1.1", "NIST SI-4"]
-- attack = ["T1489"]
-- differs = "No other rule set has it."
-- false_positives = "People who stop an environment."
-- limits = "At level Metadata the log does not show the replicas. An update that keeps replicas at 0 looks like one that sets it, if the log has no earlier version."
-- tuning = "Raise min_workloads; add autoscalers and night schedules to expected with activity workloads."
-- triage = [
--     "principal-timeline principal={principal}", "field-changes resource=deployments",
--     "sessions principal={principal}",
-- ]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- message = "{principal} scaled {workloads} workloads to zero in {namespace_count} namespaces ({outcome})"
-- columns.key = ["principal", "outcome", "first_seen"]
-- columns.detail = ["workloads", "names", "namespaces", "last_seen", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = [
--     "deployments.apps", "deployments.apps/scale", "statefulsets.apps", "statefulsets.apps/scale",
--     "replicationcontrollers", "replicationcontrollers/scale",
-- ]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.min_workloads]
-- type = "integer"
-- default = 3
-- doc = "As many workloads in a burst are medium."
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
            WHEN bool_and(coalesce(replicas_after <> '0', false)) THEN 'low'
            WHEN bool_or(listed('system_namespaces', namespace)) THEN 'medium'
            WHEN principal LIKE 'system:serviceaccount:%' THEN 'low'
            WHEN count(DISTINCT concat_ws('/', resource, namespace, name)) >= $min_workloads THEN 'medium'
            ELSE 'low'
        END,
        outcome
    ) AS severity,
    outcome,
    principal,
    array_to_string(array_agg(DISTINCT actor ORDER BY actor), ', ') AS actor,
    count(DISTINCT concat_ws('/', resource, namespace, name)) AS workloads,
    array_agg(DISTINCT concat_ws('/', resource, namespace, name) ORDER BY concat_ws('/', resource, namespace, name)) AS names,
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
            SELECT sized.*
            FROM (
                SELECT
                    asked.*,
                    lag(CASE WHEN outcome = 'succeeded' THEN replicas END) IGNORE NULLS OVER (
                        PARTITION BY cluster, resource, namespace, name ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS replicas_before,
                    lead(CASE WHEN outcome = 'succeeded' THEN replicas END) IGNORE NULLS OVER (
                        PARTITION BY cluster, resource, namespace, name ORDER BY stage_timestamp, audit_id, source_file, source_offset
                    ) AS replicas_after
                FROM (
                    SELECT
                        write_requests.*,
                        CASE
                            -- What the request names; a Scale leaves out replicas that are 0.
                            WHEN body_text(request_object, 'spec.replicas') IS NOT NULL THEN body_text(request_object, 'spec.replicas')
                            WHEN subresource = 'scale' AND body_kind(request_object) = 'Scale' THEN '0'
                            WHEN regexp_like(
                                request_object, '"path":"/spec/replicas"[^{}]*"value":0[,}]|"value":0,[^{}]*"path":"/spec/replicas"'
                            ) THEN '0'
                            WHEN request_object LIKE '[%"/spec/replicas"%' THEN body_text(response_object, 'spec.replicas')
                        END AS replicas
                    FROM write_requests
                    WHERE (
                          resource IN ('deployments', 'statefulsets') AND api_group = 'apps'
                          OR resource = 'replicationcontrollers' AND api_group = ''
                      )
                      AND subresource IN ('', 'scale')
                      AND operation IN ('update', 'patch')
                ) AS asked
            ) AS sized
            WHERE replicas = '0'
              AND (replicas_before IS DISTINCT FROM '0')
              AND outcome IN ('succeeded', 'refused', 'unknown')
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'workloads', namespace)
              AND ($actor IS NULL OR actor = $actor OR principal = $actor)
        ) AS chosen
    ) AS paused
) AS numbered
GROUP BY cluster, principal, outcome, burst
HAVING count(*) >= 1
ORDER BY first_seen, principal, outcome
