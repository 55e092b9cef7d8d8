-- title = "Namespaces that take long to go"
-- question = "Which namespaces were deleted, and how long did they take to go?"
-- description = """
-- Deleted namespaces with the time from the first delete to the last finalize, by which the
-- namespace controller lets them go. finished_at is NULL while the log shows none: the namespace
-- may still be terminating. Rows over slow are low, others info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Namespaces with many pods that stop slowly."
-- limits = "The log does not show the end itself, only the last finalize. If the audit policy leaves out namespaces/finalize, none seems to finish."
-- message = "namespace {namespace} was deleted by {actor}[ and took {seconds} s][, not finished: {unfinished}]"
-- columns.key = ["namespace", "deleted_at"]
-- columns.detail = ["finished_at", "seconds", "unfinished"]
-- triage = ["who-deleted resource=namespaces name={namespace}", "stuck-deletions", "namespace-access namespace={namespace}"]
-- [[needs]]
-- verbs = ["delete"]
-- resources = ["namespaces"]
-- [[needs]]
-- verbs = ["update"]
-- resources = ["namespaces/finalize"]
-- [parameters.slow]
-- type = "duration"
-- default = "5m"
-- doc = "Deletions that take longer are low."
WITH written AS (
    SELECT
        cluster, api_group, resource, subresource, write_kind, operation, object_name, actor, stage_timestamp,
        max(stage_timestamp) OVER (PARTITION BY cluster) AS ended_at
    FROM object_writes
),
deleted AS (
    SELECT cluster, object_name AS namespace, min(stage_timestamp) AS deleted_at, min(actor) AS actor, count(*) AS deletes, max(ended_at) AS ended_at
    FROM written
    WHERE api_group = '' AND resource = 'namespaces' AND write_kind = 'object' AND operation = 'delete'
    GROUP BY cluster, object_name
),
finished AS (
    SELECT cluster AS in_cluster, object_name AS finalized, max(stage_timestamp) AS finished_at
    FROM object_writes
    WHERE api_group = '' AND resource = 'namespaces' AND subresource = 'finalize'
    GROUP BY cluster, object_name
)
SELECT
    CASE WHEN CAST(CAST(coalesce(CASE WHEN finished_at >= deleted_at THEN finished_at END, ended_at) AS BIGINT) - CAST(deleted_at AS BIGINT) AS DOUBLE) / 1000 > $slow THEN 'low' ELSE 'info' END AS severity,
    namespace,
    actor,
    deletes,
    deleted_at,
    CASE WHEN finished_at >= deleted_at THEN finished_at END AS finished_at,
    round(CAST(CAST(CASE WHEN finished_at >= deleted_at THEN finished_at END AS BIGINT) - CAST(deleted_at AS BIGINT) AS DOUBLE) / 1000000, 1) AS seconds,
    CASE WHEN (finished_at >= deleted_at) IS NOT TRUE THEN round(CAST(CAST(ended_at AS BIGINT) - CAST(deleted_at AS BIGINT) AS DOUBLE) / 1000000, 1) || ' s until the end of the log' END AS unfinished
FROM deleted
LEFT JOIN finished
    ON (deleted.cluster IS NOT DISTINCT FROM finished.in_cluster) AND deleted.namespace = finished.finalized
ORDER BY deleted_at, namespace
