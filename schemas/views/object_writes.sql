-- doc = """
-- Successful writes (2xx) by verb, without dry runs. write_kind says what each one wrote: most are objects, but the log
-- records answers as creates, too (access reviews, tokens), which store nothing. Filter by `write_kind = 'object'` to see
-- objects only. exec, attach, portforward and proxy are streams, not writes: see exec_sessions. Dry runs are recognised by
-- dry_run; at level Metadata a delete or eviction that asks for a dry run in its body counts as a write. Writes that ended
-- in a timeout (504) or a panic (500) may have happened and are not included."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection. A patch (server-side apply) or update answered with 201 created its object and is a create."
-- [[column]]
-- name = "write_kind"
-- type = "string"
-- doc = "What was written: object; status, scale or approval (those subresources); subresource (any other one, such as ephemeralcontainers, resize or finalize); binding (a pod was put on a node); eviction (a pod was asked to go); token (a credential was issued: see credentials); review (a question that the apiserver answered and did not store: access reviews, token reviews, processed templates)."
SELECT
    requests.*,
    CASE WHEN verb IN ('patch', 'update') AND response_code = 201 THEN 'create' ELSE verb END AS operation,
    write_kind(verb, api_group, resource, subresource) AS write_kind
FROM requests
WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND response_code BETWEEN 200 AND 299
  -- DELETE and PATCH of a path that is no resource have the same verbs.
  AND resource IS NOT NULL
  AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')
  AND (dry_run LIKE '%All%') IS NOT TRUE
