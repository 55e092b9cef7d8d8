-- title = "Pods that come and go"
-- question = "Which workloads create and delete pods all the time?"
-- description = """
-- Pods created and deleted by namespace and workload. workload is the pod's name without the random
-- endings that controllers add. per_hour is the rate of creates. Only workloads with at least
-- min_creates."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "CronJobs and CI runners."
-- limits = "Pods whose name the log does not show (generateName at level Metadata) are grouped by who created them. Two workloads can have names that shorten to one."
-- message = "{namespace}/{workload}: {creates} pods created ({per_hour} an hour), {deletes} deletes"
-- columns.key = ["namespace", "workload"]
-- columns.detail = ["creates", "deletes", "per_hour", "created_by", "last_seen"]
-- triage = ["pod-status-churn", "pod-fate namespace={namespace}", "etcd-writers"]
-- [[needs]]
-- verbs = ["create", "delete"]
-- resources = ["pods"]
-- [parameters.min_creates]
-- type = "integer"
-- default = 20
-- doc = "Only workloads with at least this many creates."
WITH written AS (
    SELECT
        cluster, namespace, operation, actor, stage_timestamp,
        CASE
            WHEN object_name <> ''
                THEN regexp_replace(regexp_replace(object_name, '-[a-z0-9]{5}$', ''), '-(?:[0-9]+|[bcdfghjklmnpqrstvwxz2456789]{7,10})$', '')
            ELSE 'created by ' || actor
        END AS workload
    FROM object_writes
    WHERE api_group = ''
      AND resource = 'pods'
      AND write_kind = 'object'
      AND operation IN ('create', 'delete')
)
SELECT
    namespace,
    workload,
    count(*) FILTER (WHERE operation = 'create') AS creates,
    count(*) FILTER (WHERE operation = 'delete') AS deletes,
    round(60*count(*) FILTER (WHERE operation = 'create') / greatest(CAST(CAST(max(stage_timestamp) AS BIGINT) - CAST(min(stage_timestamp) AS BIGINT) AS DOUBLE) / 60000000, 1), 1) AS per_hour,
    array_agg(DISTINCT actor ORDER BY actor) FILTER (WHERE operation = 'create') AS created_by,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM written
GROUP BY cluster, namespace, workload
HAVING count(*) FILTER (WHERE operation = 'create') >= $min_creates
ORDER BY creates DESC, namespace, workload
