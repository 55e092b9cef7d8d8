-- title = "Updates that change nothing"
-- question = "Who writes objects without changing them?"
-- description = """
-- Updates and patches after which the object has the resource version that it had before: the one
-- that the update was based on, or that of the write before. The apiserver did all the work
-- (admission, webhooks, a read from etcd) and stored nothing. By client and resource; share_percent
-- is of the client's writes to the resource whose versions are known."""
-- severity = "low"
-- level = "RequestResponse"
-- controls = ["SOC 2 A1.1"]
-- attack = []
-- false_positives = "Server-side apply by GitOps controllers and kubectl apply of unchanged manifests, at a low rate."
-- limits = "Only at level RequestResponse: the version after the write is in the response. A patch is compared with the last write that the log shows; a write that the audit policy leaves out in between makes no difference, because the version then differs."
-- message = "[{actor}|somebody] with [{program}|an unnamed program]: {no_ops} of {writes} writes to {target} changed nothing"
-- columns.key = ["actor", "program", "api_group", "resource", "subresource"]
-- columns.detail = ["no_ops", "writes", "share_percent", "objects"]
-- triage = ["hot-objects", "field-changes resource={resource}", "field-managers"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["*"]
-- level = "RequestResponse"
-- columns = ["response_object"]
-- [parameters.min_no_ops]
-- type = "integer"
-- default = 5
-- doc = "Only clients with at least this many such writes to a resource."
WITH versioned AS (
    SELECT
        actor, actor_kind, split_part(user_agent, '/', 1) AS program, operation, api_group, resource, subresource, namespace,
        object_name, cluster, verb, resource_version, request_received_timestamp, stage_timestamp, audit_id, source_file, source_offset,
        body_text(response_object, 'metadata.resourceVersion') AS version,
        -- The write that takes the last finalizer deletes the object, and has no version of its own.
        body_text(response_object, 'metadata.deletionTimestamp') IS NOT NULL AS terminating
    FROM object_writes
    WHERE verb IN ('create', 'update', 'patch')
      AND write_kind IN ('object', 'status', 'subresource')
      AND response_object IS NOT NULL
      AND body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata')
),
compared AS (
    SELECT
        versioned.*,
        operation <> 'create' AND NOT terminating AND version IS NOT NULL AND (
            verb = 'update' AND resource_version = version
            OR version = lag(version) OVER (
                PARTITION BY cluster, api_group, resource, namespace, object_name
                ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
            )
        ) IS TRUE AS no_op
    FROM versioned
)
SELECT
    actor,
    actor_kind,
    program,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    count(*) FILTER (WHERE no_op) AS no_ops,
    count(*) AS writes,
    round(100.0*count(*) FILTER (WHERE no_op) / count(*), 2) AS share_percent,
    count(DISTINCT CASE WHEN no_op THEN concat_ws('/', namespace, object_name) END) AS objects,
    min(CASE WHEN no_op THEN request_received_timestamp END) AS first_seen,
    max(CASE WHEN no_op THEN stage_timestamp END) AS last_seen
FROM compared
WHERE operation <> 'create'
GROUP BY actor, actor_kind, program, api_group, resource, subresource
HAVING count(*) FILTER (WHERE no_op) >= $min_no_ops
ORDER BY no_ops DESC, actor, actor_kind, program, api_group, resource, subresource
