-- title = "Object sizes"
-- question = "Which objects are too big?"
-- description = """
-- Objects by their largest size in the log, the biggest first, from single reads and writes whose
-- body was recorded: one row per object, with who wrote it last and how many bytes its writes were in
-- all. Sizes are those of the JSON in the log; etcd refuses objects above about 1.5 MiB. truncated
-- counts events that were too long for the audit log, so that the size is unknown and large; too_large
-- counts writes that the apiserver refused for their size (413, or 422 with a limit in bytes)."""
-- severity = "info"
-- level = "Request"
-- controls = ["SOC 2 A1.1", "NIST SC-5"]
-- attack = ["T1499"]
-- false_positives = "None: this is an inventory. Large ConfigMaps, Helm releases and custom resources with long status lists are common."
-- limits = "Needs bodies: level Request for writes, RequestResponse for what is stored. In etcd objects are smaller, since most are stored as protobuf. Objects that nobody touched while the log was written are not included."
-- message = "{resource} [{namespace}/]{name}: {largest_bytes} bytes[, last written by {last_writer}]"
-- columns.key = ["api_group", "resource", "namespace", "name"]
-- columns.detail = ["largest_bytes", "writes", "written_bytes", "truncated", "too_large", "last_writer"]
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "field-changes resource={resource} namespace={namespace} name={name}",
-- ]
-- tuning = "Raise min_bytes to what is big for you, or top to see more."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["*"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.min_bytes]
-- type = "integer"
-- default = 0
-- doc = "Only objects of at least this size, and those whose size the log cannot show."
-- [parameters.top]
-- type = "integer"
-- default = 50
-- doc = "Only so many objects, the biggest."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as configmaps."
WITH sized AS (
    SELECT
        cluster, api_group, resource, namespace, object_name, principal, verb, response_code, truncated, stage_timestamp,
        audit_id, source_file, source_line,
        CASE
            WHEN body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata') THEN octet_length(response_object)
            WHEN verb IN ('create', 'update') THEN octet_length(request_object)
        END AS bytes,
        verb IN ('create', 'update', 'patch') AND response_code BETWEEN 200 AND 299 AS is_write,
        response_code = 413
            OR response_code = 422 AND response_message LIKE '%Too long%'
            OR response_code IN (400, 413, 500) AND response_message LIKE '%too large%' AS is_too_large
    FROM requests
    WHERE verb IN ('get', 'create', 'update', 'patch')
      AND subresource IN ('', 'status')
      AND resource IS NOT NULL
      AND (request_object IS NOT NULL OR response_object IS NOT NULL OR truncated OR response_code IN (413, 422))
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    api_group,
    resource,
    namespace,
    object_name AS name,
    max(bytes) AS largest_bytes,
    last_value(bytes ORDER BY stage_timestamp, audit_id) FILTER (WHERE bytes IS NOT NULL) AS last_bytes,
    count(*) FILTER (WHERE is_write) AS writes,
    sum(bytes) FILTER (WHERE is_write) AS written_bytes,
    count(*) FILTER (WHERE truncated) AS truncated,
    count(*) FILTER (WHERE is_too_large) AS too_large,
    last_value(principal ORDER BY stage_timestamp, audit_id) FILTER (WHERE is_write) AS last_writer,
    max(stage_timestamp) FILTER (WHERE is_write) AS last_written,
    last_value(audit_id ORDER BY bytes NULLS FIRST, stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY bytes NULLS FIRST, stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY bytes NULLS FIRST, stage_timestamp, audit_id) AS source_line
FROM sized
GROUP BY cluster, api_group, resource, namespace, object_name
HAVING max(bytes) >= $min_bytes OR count(*) FILTER (WHERE truncated) > 0 OR count(*) FILTER (WHERE is_too_large) > 0
-- What is too large for the log or the apiserver comes first: its size is not known.
QUALIFY row_number() OVER (
    ORDER BY count(*) FILTER (WHERE truncated) > 0 OR count(*) FILTER (WHERE is_too_large) > 0 DESC, max(bytes) DESC NULLS LAST,
        api_group, resource, namespace, object_name
) <= $top
ORDER BY largest_bytes DESC, too_large DESC, truncated DESC, api_group, resource, namespace, name, audit_id
