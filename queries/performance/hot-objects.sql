-- title = "Hot objects"
-- question = "Which objects are written again and again, and by whom?"
-- description = """
-- Objects with at least min_writes successful updates or patches, at least min_per_minute of them a
-- minute between the first and the last. peak_per_minute is the busiest minute. Leases are renewed
-- by design and left out unless include_leases is set."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Objects that serve as a heartbeat or a lock: endpoints and ConfigMaps of old leader elections, node status."
-- limits = "The log does not say whether a write changed anything, except at level RequestResponse: see no-op-updates. Create and delete in a loop are in pod-churn, or show as many objects in etcd-writers."
-- message = "{target} [{namespace}/]{name} was written {writes}×, {per_minute} a minute, by {writers}"
-- columns.key = ["api_group", "resource", "subresource", "namespace", "name"]
-- columns.detail = ["writes", "per_minute", "peak_per_minute", "writers"]
-- triage = ["writer-fights", "no-op-updates", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["*"]
-- [parameters.min_writes]
-- type = "integer"
-- default = 60
-- doc = "Only objects written at least this often."
-- [parameters.min_per_minute]
-- type = "number"
-- default = 10.0
-- doc = "Only objects written at least this often a minute, on average."
-- [parameters.include_leases]
-- type = "boolean"
-- default = false
-- doc = "Include leases."
WITH per_minute AS (
    SELECT
        api_group, resource, subresource, namespace, object_name,
        CAST(stage_timestamp AS BIGINT) / 60000000 AS minute,
        actor,
        count(*) AS writes,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM object_writes
    WHERE operation IN ('update', 'patch')
      AND object_name <> ''
      AND ($include_leases OR (api_group = 'coordination.k8s.io' AND resource = 'leases') IS NOT TRUE)
    GROUP BY api_group, resource, subresource, namespace, object_name, minute, actor
),
by_minute AS (
    SELECT
        per_minute.*,
        sum(writes) OVER (PARTITION BY api_group, resource, subresource, namespace, object_name, minute) AS in_minute
    FROM per_minute
)
SELECT
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    namespace,
    object_name AS name,
    sum(writes) AS writes,
    round(sum(writes) / greatest(CAST(CAST(max(last_seen) AS BIGINT) - CAST(min(first_seen) AS BIGINT) AS DOUBLE) / 60000000, 1), 2) AS per_minute,
    max(in_minute) AS peak_per_minute,
    array_agg(DISTINCT actor ORDER BY actor) AS writers,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM by_minute
GROUP BY api_group, resource, subresource, namespace, object_name
HAVING sum(writes) >= $min_writes
   AND sum(writes) / greatest(CAST(CAST(max(last_seen) AS BIGINT) - CAST(min(first_seen) AS BIGINT) AS DOUBLE) / 60000000, 1) >= $min_per_minute
ORDER BY writes DESC, api_group, resource, subresource, namespace, name
