-- doc = """
-- Every request that would write a resource, whatever came of it: refused, failed and dry runs too, told apart by outcome.
-- object_writes are those that succeeded. exec, attach, portforward and proxy are streams, not writes: see exec_sessions.
-- object is what was written, as stored if the answer is the object itself, else as it was sent: a patch shows only what it
-- names, and a refused request what was asked for. NULL at level Metadata."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection. A patch (server-side apply) or update answered with 201 created its object and is a create."
-- [[column]]
-- name = "write_kind"
-- type = "string"
-- doc = "What is written: object, status, scale, approval, subresource, binding, eviction, token or review; see object_writes."
-- [[column]]
-- name = "outcome"
-- type = "string"
-- doc = "succeeded, dry run, refused (401, 403), failed (any other 4xx, and 5xx, which may have happened all the same) or unknown (no response code)."
-- [[column]]
-- name = "object"
-- type = "json"
-- doc = "The object, from response_object or request_object."
-- [[column]]
-- name = "object_source"
-- type = "string"
-- doc = "response: as stored; request: as sent; NULL without object."
SELECT
    requests.*,
    CASE WHEN verb IN ('patch', 'update') AND response_code = 201 THEN 'create' ELSE verb END AS operation,
    write_kind(verb, api_group, resource, subresource) AS write_kind,
    outcome(response_code, dry_run) AS outcome,
    CASE
        WHEN body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata', 'PartialObjectMetadataList')
            THEN response_object
        ELSE request_object
    END AS object,
    CASE
        WHEN body_kind(response_object) NOT IN ('Status', 'Table', 'PartialObjectMetadata', 'PartialObjectMetadataList')
            THEN 'response'
        WHEN request_object IS NOT NULL THEN 'request'
    END AS object_source
FROM requests
WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  -- DELETE and PATCH of a path that is no resource have the same verbs.
  AND resource IS NOT NULL
  AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')
