-- title = "Failed authentication"
-- question = "From where were requests sent whose credentials the apiserver did not accept?"
-- description = """
-- Requests answered 401 without a user, by origin. The apiserver logs them at stage ResponseStarted only, without
-- annotations. A 401 that has a user came from a server behind the apiserver and is not one of them."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.3.4", "PCI-DSS 10.2.1.4", "NIST AC-7", "ISO 27001 A.8.5", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1110", "T1078"]
-- false_positives = "Tokens that expired in a restored or long suspended workload, certificates in rotation, kubeconfigs of clusters that were rebuilt."
-- limits = "The log does not say whose credentials were tried. client_ip can be forged by the client when it sends X-Forwarded-For; peer_ip is who connected. Failures at an identity provider, a cloud's IAM or a proxy before the apiserver are not in this log."
-- [parameters.min_attempts]
-- type = "integer"
-- default = 1
-- doc = "Only origins with at least as many attempts."
SELECT
    peer_ip,
    client_ip,
    user_agent,
    count(*) AS attempts,
    count(DISTINCT request_uri) AS request_uris,
    count(DISTINCT namespace) AS namespaces,
    array_sort(array_agg(DISTINCT resource), 'ASC', 'NULLS LAST') AS resources,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
WHERE response_code = 401
  AND username IS NULL
GROUP BY peer_ip, client_ip, user_agent
HAVING count(*) >= $min_attempts
ORDER BY attempts DESC, peer_ip, client_ip, user_agent
