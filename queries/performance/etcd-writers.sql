-- title = "etcd writers"
-- question = "What fills etcd: who writes which resources, how often, and how big?"
-- description = """
-- Successful writes of objects by resource and client, most first: their share of all writes, how
-- many objects they went to, and writes_per_object. Every write adds a revision to etcd until the
-- next compaction, also where nothing changed much (leases, events, status). body_bytes adds up
-- what clients sent, where the log has it."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "None: this is an inventory. Leases, node status and events are usually the first rows."
-- limits = "Access reviews and tokens are not stored and not counted. A write that changes nothing is counted, although the apiserver does not store it: see no-op-updates. deletecollection counts once. Sizes are of requests, not of stored objects, and unknown at level Metadata."
-- message = "[{actor}|somebody] with [{program}|an unnamed program]: {operation} {target}, writes {writes} ({share_percent}%), {per_minute} a minute"
-- columns.key = ["actor", "program", "operation", "api_group", "resource", "subresource"]
-- columns.detail = ["writes", "per_minute", "objects", "writes_per_object", "body_bytes"]
-- triage = ["hot-objects", "no-op-updates", "top-clients actor={actor}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource; shares are still of all writes."
WITH counted AS (
    SELECT
        actor,
        actor_kind,
        split_part(user_agent, '/', 1) AS program,
        operation,
        api_group,
        resource,
        subresource,
        count(*) AS writes,
        count(DISTINCT concat_ws('/', namespace, object_name)) AS objects,
        count(DISTINCT nullif(namespace, '')) AS namespaces,
        sum(octet_length(request_object)) AS body_bytes,
        max(octet_length(request_object)) AS largest_body_bytes,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM object_writes
    WHERE write_kind NOT IN ('review', 'token')
    GROUP BY actor, actor_kind, program, operation, api_group, resource, subresource
),
shared AS (
    SELECT
        counted.*,
        100.0*writes / sum(writes) OVER () AS share,
        greatest(CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 60000000, 1) AS minutes
    FROM counted
)
SELECT
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    operation,
    actor,
    actor_kind,
    program,
    writes,
    round(share, 2) AS share_percent,
    round(writes / minutes, 2) AS per_minute,
    objects,
    round(CAST(writes AS DOUBLE) / nullif(objects, 0), 1) AS writes_per_object,
    namespaces,
    body_bytes,
    largest_body_bytes,
    first_seen,
    last_seen
FROM shared
WHERE $resource IS NULL OR resource = $resource
ORDER BY writes DESC, api_group, resource, subresource, operation, actor, actor_kind, program
