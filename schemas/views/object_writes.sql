-- doc = """
-- Successful writes (2xx) by verb, without dry runs. Creates that store nothing (access reviews, serviceaccounts/token)
-- are included, since they are logged as writes and a minted token matters; so are subresources (deployments/scale,
-- pods/binding, pods/eviction, .../status). Add `subresource = ''` to see objects only. exec, attach, portforward and
-- proxy are streams, not writes: see exec_sessions. Dry runs are recognised by dryRun in the URI, for evictions also in
-- the body, and for deletes in the body if the log has one, because the apiserver then ignores the URI. At level Metadata
-- the body is missing: a delete with dryRun in the URI then counts as a dry run, and a delete or eviction with dryRun in
-- its body as a write. Writes that ended in a timeout (504) or a panic (500) may have happened and are not included."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection. A patch (server-side apply) or update answered with 201 created its object and is a create."
SELECT
    requests.*,
    CASE WHEN verb IN ('patch', 'update') AND response_code = 201 THEN 'create' ELSE verb END AS operation
FROM requests
WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND response_code BETWEEN 200 AND 299
  -- DELETE and PATCH of a path that is no resource have the same verbs.
  AND resource IS NOT NULL
  AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')
  AND (
      CASE
          WHEN verb IN ('delete', 'deletecollection') AND request_object IS NOT NULL THEN body_text(request_object, 'dryRun')
          WHEN subresource = 'eviction' THEN concat_ws(',', dry_run, body_text(request_object, 'deleteOptions.dryRun'))
          ELSE dry_run
      END LIKE '%All%'
  ) IS NOT TRUE
