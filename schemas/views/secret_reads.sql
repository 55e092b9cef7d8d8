-- doc = """
-- get, list and watch of secrets, allowed or refused: see response_code. A watch has a row once it has ended; open ones
-- are in unfinished_requests. Only requests for secrets are included: not a pod that mounts a secret or takes it into
-- its environment (the kubelet reads it), nor a write whose response holds the secret. The log does not show whether a
-- client asked for metadata only."""
-- [[column]]
-- name = "read_kind"
-- type = "string"
-- doc = "Scope of the read: object (one named secret; also a list or watch by metadata.name), namespace (all secrets of a namespace) or cluster (all secrets of all namespaces)."
SELECT
    requests.*,
    CASE
        WHEN name <> '' THEN 'object'
        WHEN namespace <> '' THEN 'namespace'
        ELSE 'cluster'
    END AS read_kind
FROM requests
WHERE api_group = ''
  AND resource = 'secrets'
  AND subresource = ''
  AND verb IN ('get', 'list', 'watch')
