-- title = "Deletions that do not finish"
-- question = "Which objects were deleted again and again and stay, and what holds them?"
-- description = """
-- Objects with at least min_deletes successful deletes and no create in between: the first set a
-- time of deletion, and finalizers keep the object. finalizers are those that the last answer shows
-- (level RequestResponse). A pod is deleted twice by design (by its owner, and by the kubelet when
-- it has stopped)."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2"]
-- attack = []
-- false_positives = "Clients that delete without looking."
-- limits = "The object may have gone and come back between two deletes if the log does not show its create. At level Metadata the finalizers are not known."
-- message = "{target} [{namespace}/]{name} was deleted {deletes}× from {first_deleted_at} on[, held by {finalizers}]"
-- columns.key = ["api_group", "resource", "namespace", "name", "first_deleted_at"]
-- columns.detail = ["deletes", "deleted_by", "last_deleted_at", "finalizers"]
-- triage = ["who-deleted resource={resource} namespace={namespace} name={name}", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["delete", "create"]
-- resources = ["*"]
-- [parameters.min_deletes]
-- type = "integer"
-- default = 3
-- doc = "Only objects deleted at least this often."
WITH lives AS (
    SELECT
        cluster, api_group, resource, subresource, CASE WHEN resource = 'namespaces' THEN '' ELSE namespace END AS namespace, object_name, operation, actor, stage_timestamp,
        CASE WHEN operation = 'delete' THEN coalesce(body_text(response_object, 'metadata.finalizers'), body_text(response_object, 'spec.finalizers')) END AS finalizers,
        count(CASE WHEN operation = 'create' THEN 1 END) OVER (
            PARTITION BY cluster, api_group, resource, CASE WHEN resource = 'namespaces' THEN '' ELSE namespace END, object_name
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS life
    FROM object_writes
    WHERE write_kind = 'object'
      AND operation IN ('create', 'delete')
      AND object_name <> ''
)
SELECT
    api_group,
    resource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    namespace,
    object_name AS name,
    count(*) AS deletes,
    array_agg(DISTINCT actor ORDER BY actor) AS deleted_by,
    min(stage_timestamp) AS first_deleted_at,
    max(stage_timestamp) AS last_deleted_at,
    max(finalizers) AS finalizers
FROM lives
WHERE operation = 'delete'
GROUP BY cluster, api_group, resource, subresource, namespace, object_name, life
HAVING count(*) >= $min_deletes
ORDER BY deletes DESC, first_deleted_at, api_group, resource, namespace, name
