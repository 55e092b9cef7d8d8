-- doc = """
-- The history of objects: one row per successful write of an object, with its state before and after where the log shows
-- it. json_diff(before, after) lists the fields that changed. Includes status, scale, approvals, other subresources,
-- bindings and evictions; not reviews and tokens, which write no object. At level RequestResponse the state after is the
-- object that the apiserver answered. At level Request it is the object as it was sent, without defaults and what
-- admission adds, and a patch shows only what it names. At level Metadata neither is known: after_unknown says why. The
-- state before is the last one that the log shows, so what the audit policy leaves out can lie in between: see
-- before_source and unseen_writes."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection; see object_writes."
-- [[column]]
-- name = "write_kind"
-- type = "string"
-- doc = "object, status, scale, approval, subresource, binding or eviction; see object_writes."
-- [[column]]
-- name = "replicas"
-- type = "int64"
-- doc = "spec.replicas after the write, from the object, its scale, or a patch that names it; NULL where the log does not say."
-- [[column]]
-- name = "version"
-- type = "string"
-- doc = "Resource version after the write, from the response; NULL below level RequestResponse."
-- [[column]]
-- name = "after_source"
-- type = "string"
-- doc = "response: as stored; request: as sent; NULL without after."
-- [[column]]
-- name = "after"
-- type = "json"
-- doc = "Object after the write. Of a scale only {\"spec\":{\"replicas\":…}}. NULL after a delete (but an object with finalizers, and a pod with a grace period, live on for a while), and where the log does not show it."
-- [[column]]
-- name = "after_unknown"
-- type = "string"
-- doc = "Why after is NULL although the object exists: level (bodies were not recorded), truncated (they were too long), patch (level Request: request_object has only what it names), answer (the response is something else: a Status, a Table), collection (deletecollection: the objects are not named). NULL otherwise."
-- [[column]]
-- name = "write_number"
-- type = "int64"
-- doc = "Place of this write among those of the object that the log shows, from 1."
-- [[column]]
-- name = "before"
-- type = "json"
-- doc = "Object before the write. Of a scale only {\"spec\":{\"replicas\":…}}. NULL for a create, and where the log does not show it."
-- [[column]]
-- name = "before_source"
-- type = "string"
-- doc = "nothing: the write created the object; exact: the version that the update was based on; last seen: the last version in the log, which others may have changed since; answer: the deleted object, from the response. NULL where the log does not show it."
-- [[column]]
-- name = "unseen_writes"
-- type = "int64"
-- doc = "Writes between before and this one whose whole result the log does not show (scales, bindings, patches at level Request, level Metadata): what they changed looks as if this write had. NULL without a state before from an earlier write."
SELECT
    numbered.*,
    CASE
        WHEN write_kind = 'object' AND operation = 'create' OR object_name IS NULL THEN NULL
        WHEN write_kind = 'scale' THEN
            '{"spec":{"replicas":'
            || nullif(lag(CASE WHEN operation = 'delete' THEN -1 ELSE replicas END) IGNORE NULLS OVER history, -1)
            || '}}'
        WHEN operation = 'delete' AND body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata') THEN response_object
        ELSE nullif(lag(CASE WHEN operation = 'delete' THEN '' WHEN write_kind <> 'scale' THEN after END) IGNORE NULLS OVER history, '')
    END AS before,
    CASE
        WHEN write_kind = 'object' AND operation = 'create' THEN 'nothing'
        WHEN object_name IS NULL THEN NULL
        WHEN write_kind = 'scale' THEN
            CASE
                WHEN lag(CASE WHEN operation = 'delete' THEN -1 ELSE replicas END) IGNORE NULLS OVER history >= 0 THEN 'last seen'
            END
        WHEN operation = 'delete' AND body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata') THEN 'answer'
        WHEN lag(CASE WHEN operation = 'delete' THEN '' WHEN write_kind <> 'scale' THEN after END) IGNORE NULLS OVER history <> '' THEN
            CASE
                WHEN verb = 'update' AND resource_version <> '' AND resource_version =
                    lag(CASE WHEN write_kind <> 'scale' AND after IS NOT NULL THEN coalesce(version, '') END) IGNORE NULLS OVER history
                    THEN 'exact'
                ELSE 'last seen'
            END
    END AS before_source,
    CASE
        WHEN (write_kind = 'object' AND operation = 'create') IS NOT TRUE AND write_kind <> 'scale' AND object_name IS NOT NULL
            AND (operation = 'delete' AND body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata')) IS NOT TRUE
            AND lag(CASE WHEN operation = 'delete' THEN '' WHEN write_kind <> 'scale' THEN after END) IGNORE NULLS OVER history <> ''
            THEN write_number - 1 - lag(CASE WHEN write_kind <> 'scale' AND after IS NOT NULL THEN write_number END) IGNORE NULLS OVER history
    END AS unseen_writes
FROM (
    SELECT
        shown.*,
        CASE
            WHEN operation = 'delete' OR after IS NOT NULL THEN NULL
            WHEN operation = 'deletecollection' THEN 'collection'
            WHEN truncated THEN 'truncated'
            WHEN request_object IS NULL AND response_object IS NULL THEN 'level'
            WHEN response_object IS NULL AND verb = 'patch' THEN 'patch'
            ELSE 'answer'
        END AS after_unknown,
        CASE WHEN object_name IS NOT NULL THEN CAST(row_number() OVER history AS BIGINT) END AS write_number
    FROM (
        SELECT
            known.*,
            CASE after_source
                WHEN 'response' THEN
                    CASE WHEN write_kind = 'scale' THEN '{"spec":{"replicas":' || replicas || '}}' ELSE response_object END
                WHEN 'request' THEN
                    CASE WHEN write_kind = 'scale' THEN '{"spec":{"replicas":' || replicas || '}}' ELSE request_object END
            END AS after
        FROM (
            SELECT
                object_writes.*,
                -- A scale leaves out nought replicas (`omitempty`).
                TRY_CAST(CASE
                    WHEN operation IN ('delete', 'deletecollection') THEN NULL
                    WHEN body_kind(response_object) = 'Scale' THEN coalesce(body_text(response_object, 'spec.replicas'), '0')
                    WHEN body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata') THEN body_text(response_object, 'spec.replicas')
                    WHEN body_kind(request_object) = 'Scale' THEN coalesce(body_text(request_object, 'spec.replicas'), '0')
                    WHEN write_kind IN ('object', 'scale') THEN body_text(request_object, 'spec.replicas')
                END AS BIGINT) AS replicas,
                CASE
                    WHEN operation NOT IN ('delete', 'deletecollection')
                        AND body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata')
                        THEN body_text(response_object, 'metadata.resourceVersion')
                END AS version,
                CASE
                    WHEN operation IN ('delete', 'deletecollection') OR write_kind IN ('binding', 'eviction') THEN NULL
                    WHEN write_kind = 'scale' AND body_kind(response_object) = 'Scale' THEN 'response'
                    WHEN write_kind = 'scale' THEN
                        CASE
                            WHEN body_kind(request_object) = 'Scale' OR TRY_CAST(body_text(request_object, 'spec.replicas') AS BIGINT) IS NOT NULL
                                THEN 'request'
                        END
                    -- Other subresources answer with another object.
                    WHEN write_kind = 'subresource' AND subresource NOT IN ('ephemeralcontainers', 'resize', 'finalize') THEN NULL
                    WHEN body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata', 'PartialObjectMetadataList') THEN 'response'
                    -- Of what is sent to a subresource only a part is taken.
                    WHEN verb IN ('create', 'update') AND subresource = '' AND body_kind(request_object) IS NOT NULL THEN 'request'
                END AS after_source
            FROM object_writes
            WHERE write_kind NOT IN ('review', 'token')
        ) AS known
    ) AS shown
    WINDOW history AS (
        -- Older apiservers log evictions in the group policy. The create of a namespace is not in it; every later request is.
        PARTITION BY
            cluster,
            CASE WHEN write_kind = 'eviction' THEN '' ELSE api_group END,
            resource,
            CASE WHEN resource = 'namespaces' AND api_group = '' THEN '' ELSE namespace END,
            object_name
        ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
    )
) AS numbered
WINDOW history AS (
    PARTITION BY
        cluster,
        CASE WHEN write_kind = 'eviction' THEN '' ELSE api_group END,
        resource,
        CASE WHEN resource = 'namespaces' AND api_group = '' THEN '' ELSE namespace END,
        object_name
    ORDER BY stage_timestamp, request_received_timestamp, audit_id, source_file, source_offset
)
