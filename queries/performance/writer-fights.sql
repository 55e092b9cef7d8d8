-- title = "Writers that fight over an object"
-- question = "Which objects do two writers change back and forth?"
-- description = """
-- Objects whose writers take turns. returns counts the writes of a writer who came back after
-- somebody else's (A, B, A); only objects with at least min_returns. Writes of the object and of
-- its status are looked at apart, since they do not touch the same fields."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST CM-3"]
-- attack = []
-- false_positives = "Controllers that share an object by design and own different fields, such as node annotations, endpoints, or a scale changed by an autoscaler."
-- limits = "At level Metadata the log does not say which fields were written: see field-changes. Two programs under one service account are told apart by the user agent only."
-- message = "{writers} take turns at {target} [{namespace}/]{name}: {returns} times in {writes} writes"
-- columns.key = ["api_group", "resource", "subresource", "namespace", "name"]
-- columns.detail = ["returns", "writes", "writers", "first_seen", "last_seen"]
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "field-managers resource={resource}", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["*"]
-- [parameters.min_returns]
-- type = "integer"
-- default = 6
-- doc = "Only objects to which a writer came back at least this often."
WITH written AS (
    SELECT
        cluster, api_group, resource, CASE WHEN write_kind = 'scale' THEN '' ELSE subresource END AS subresource, namespace, object_name,
        concat_ws(' with ', actor, nullif(split_part(user_agent, '/', 1), '')) AS writer,
        stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
    FROM object_writes
    WHERE operation IN ('update', 'patch')
      AND object_name <> ''
      AND (api_group = 'coordination.k8s.io' AND resource = 'leases') IS NOT TRUE
),
turns AS (
    SELECT
        written.*,
        CASE WHEN lag(writer) OVER history <> writer AND lag(writer, 2) OVER history = writer THEN 1 END AS returned
    FROM written
    WINDOW history AS (
        PARTITION BY cluster, api_group, resource, subresource, namespace, object_name
        ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
    )
)
SELECT
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    namespace,
    object_name AS name,
    count(returned) AS returns,
    count(*) AS writes,
    array_agg(DISTINCT writer ORDER BY writer) AS writers,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM turns
GROUP BY api_group, resource, subresource, namespace, object_name
HAVING count(returned) >= $min_returns
ORDER BY returns DESC, api_group, resource, subresource, namespace, name
