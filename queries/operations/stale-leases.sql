-- title = "Leases that are no longer renewed"
-- question = "Which leaders, nodes and apiservers stopped renewing their lease?"
-- description = """
-- Leases that were renewed at least min_renewals times, and not in the last silence before the end
-- of the log. kind is node, apiserver or leader. overdue_seconds is the time from the last renewal
-- to the last one of any lease; usual_seconds is the median time between renewals."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Nodes that were scaled down, controllers that were removed, and apiservers of a rolling restart, which take a new lease."
-- limits = "A lease that was deleted is left out only if the log shows it. Many audit policies leave leases out: then this is not evaluable."
-- message = "{kind} lease {namespace}/{name} was last renewed at {last_renewed_at}, {overdue_seconds} s before the end of the log"
-- columns.key = ["kind", "namespace", "name"]
-- columns.detail = ["last_renewed_at", "overdue_seconds", "usual_seconds", "renewed_by"]
-- triage = ["node-heartbeat-gaps", "leader-changes", "object-history resource=leases namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["leases.coordination.k8s.io"]
-- [parameters.silence]
-- type = "duration"
-- default = "5m"
-- doc = "A lease is stale after this time without a renewal."
-- [parameters.min_renewals]
-- type = "integer"
-- default = 3
-- doc = "Only leases renewed at least this often."
WITH renewed AS (
    SELECT
        cluster, namespace, object_name, operation, principal, stage_timestamp,
        -- Some lease is renewed every few seconds: the last renewal of all is the end of the log.
        max(stage_timestamp) OVER (PARTITION BY cluster) AS ended_at,
        CAST(CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER history AS BIGINT) AS DOUBLE) / 1000000 AS seconds_before
    FROM object_writes
    WHERE api_group = 'coordination.k8s.io'
      AND resource = 'leases'
      AND object_name <> ''
    WINDOW history AS (
        PARTITION BY cluster, namespace, object_name
        ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
    )
),
leases AS (
    SELECT
        cluster,
        namespace,
        object_name,
        count(*) FILTER (WHERE operation <> 'delete') AS renewals,
        max(CASE WHEN operation = 'delete' THEN stage_timestamp END) AS deleted_at,
        max(CASE WHEN operation <> 'delete' THEN stage_timestamp END) AS last_renewed_at,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds_before) AS usual_seconds,
        array_agg(DISTINCT principal ORDER BY principal) AS renewed_by,
        max(ended_at) AS ended_at
    FROM renewed
    GROUP BY cluster, namespace, object_name
)
SELECT
    CASE
        WHEN namespace = 'kube-node-lease' THEN 'node'
        WHEN namespace = 'kube-system' AND object_name LIKE 'apiserver-%' THEN 'apiserver'
        ELSE 'leader'
    END AS kind,
    namespace,
    object_name AS name,
    last_renewed_at,
    round(CAST(CAST(ended_at AS BIGINT) - CAST(last_renewed_at AS BIGINT) AS DOUBLE) / 1000000, 1) AS overdue_seconds,
    round(usual_seconds, 1) AS usual_seconds,
    renewals,
    renewed_by
FROM leases
WHERE renewals >= $min_renewals
  AND CAST(CAST(ended_at AS BIGINT) - CAST(last_renewed_at AS BIGINT) AS DOUBLE) / 1000 >= $silence
  AND (deleted_at >= last_renewed_at) IS NOT TRUE
ORDER BY overdue_seconds DESC, namespace, name
