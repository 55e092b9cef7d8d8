-- doc = """
-- Writes that succeeded (2xx) and were no dry runs, by their verb: what stores nothing although its verb is create
-- (access reviews, serviceaccounts/token) is included, since it is logged as a write and a minted token matters; so are
-- subresources (deployments/scale, pods/binding, pods/eviction, .../status). Add `subresource IS NULL` to see
-- objects only. exec, attach, portforward and proxy are streams, not writes: see exec_sessions. A dry run is told
-- by the URI's dryRun, for an eviction also by its body, and for a delete by its body when the log has one, because the
-- apiserver then does not look at the URI. At level Metadata the body is not there: a delete with dryRun in the URI then
-- counts as a dry run, and a delete or eviction with dryRun in its body as a write. A write that ended in a timeout (504)
-- or a panic (500) may have happened and is not here."""
-- [[column]]
-- name = "operation"
-- type = "string"
-- doc = "create, update, patch, delete or deletecollection. A patch (server-side apply) or update that was answered 201 created its object and is a create."
SELECT
    requests.*,
    CASE WHEN verb IN ('patch', 'update') AND response_code = 201 THEN 'create' ELSE verb END AS operation
FROM requests
WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
  AND response_code BETWEEN 200 AND 299
  -- DELETE and PATCH of a path that is no resource have the same verbs.
  AND resource IS NOT NULL
  AND coalesce(subresource, '') NOT IN ('exec', 'attach', 'portforward', 'proxy')
  AND (
      CASE
          WHEN verb IN ('delete', 'deletecollection') AND request_object IS NOT NULL THEN body_text(request_object, 'dryRun')
          WHEN subresource = 'eviction' THEN concat_ws(',', dry_run, body_text(request_object, 'deleteOptions.dryRun'))
          ELSE dry_run
      END LIKE '%All%'
  ) IS NOT TRUE
