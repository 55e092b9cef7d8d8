-- title = "Failed authentication"
-- question = "Where do requests with invalid credentials come from?"
-- description = """
-- Requests answered with 401 and no user, grouped by origin. The apiserver logs them only at stage
-- ResponseStarted, without annotations. A 401 with a user comes from a server behind the apiserver
-- and is not included."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.3.4", "PCI-DSS 10.2.1.4", "NIST AC-7", "ISO 27001 A.8.5", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1110", "T1078"]
-- false_positives = "Expired tokens in a restored or long-suspended workload, certificate rotation, kubeconfigs of rebuilt clusters."
-- limits = "The log does not say whose credentials were tried. A client that sends X-Forwarded-For can forge client_ip; peer_ip is the address that connected. Failures at an identity provider, a cloud IAM or a proxy in front of the apiserver are not in this log."
-- message = "failed authentication from [{peer_ip}|an unknown address][ by {user_agent}] ({attempts}×)"
-- columns.key = ["peer_ip", "client_ip", "user_agent"]
-- columns.detail = ["request_uris", "resources", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "nobody"
-- columns = ["response_code"]
-- [parameters.min_attempts]
-- type = "integer"
-- default = 1
-- doc = "Only origins with at least this many attempts."
SELECT
    peer_ip,
    client_ip,
    user_agent,
    count(*) AS attempts,
    count(DISTINCT request_uri) AS request_uris,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    array_sort(array_agg(DISTINCT resource), 'ASC', 'NULLS LAST') AS resources,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE response_code = 401
  AND username IS NULL
GROUP BY peer_ip, client_ip, user_agent
HAVING count(*) >= $min_attempts
ORDER BY attempts DESC, peer_ip, client_ip, user_agent
