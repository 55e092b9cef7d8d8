-- doc = """
-- get, list and watch of secrets, allowed and refused: see response_code. A watch is a row when it has ended; one that
-- is still open is in unfinished_requests. Reads that are no request for a secret are not here: a pod that mounts a
-- secret or takes it into its environment (the kubelet reads it), and a write whose response holds the secret. Whether a
-- client asked for metadata only cannot be seen."""
-- [[column]]
-- name = "read_kind"
-- type = "string"
-- doc = "How much was asked for: object (one named secret; also a list or watch by metadata.name), namespace (all secrets of a namespace) or cluster (all secrets of all namespaces)."
SELECT
    requests.*,
    CASE
        WHEN name <> '' THEN 'object'
        WHEN namespace <> '' THEN 'namespace'
        ELSE 'cluster'
    END AS read_kind
FROM requests
WHERE (api_group IS NULL OR api_group = '')
  AND resource = 'secrets'
  AND (subresource IS NULL OR subresource = '')
  AND verb IN ('get', 'list', 'watch')
