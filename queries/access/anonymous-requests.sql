-- title = "Anonymous requests"
-- question = "What did clients request without credentials, and what was allowed?"
-- description = """
-- Requests by system:anonymous or the group system:unauthenticated, allowed ones first. Reads of
-- health, version and OpenID discovery paths, which every cluster serves to load balancers and
-- clients, are left out unless include_probes is set. A user who impersonates system:anonymous is
-- not anonymous and is left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 1.2.1", "PCI-DSS 7.3.3", "SOC 2 CC6.6", "NIST AC-3", "NSA/CISA hardening guide"]
-- attack = ["T1078.001", "T1190", "T1613"]
-- false_positives = "kubeadm join, which reads kube-public/cluster-info; load balancers and scanners that request other paths; self-subject reviews."
-- limits = "Allowed means authorised; response_code shows the outcome. A client can forge client_ip. Requests that the audit policy does not log, often including all health checks, are missing."
-- message = "anonymous {verb} {path}[ from {peer_ip}]: [{decision}|undecided][, {response_code}] ({requests}×)"
-- columns.key = ["decision", "verb", "path", "peer_ip", "client_ip"]
-- columns.detail = ["user_agent", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "anonymous"
-- stage = "any"
-- [parameters.include_probes]
-- type = "boolean"
-- default = false
-- doc = "Include reads of health, version and OpenID discovery paths."
WITH anonymous AS (
    SELECT
        authz_decision, verb, api_group, resource, subresource, namespace, name, split_part(request_uri, '?', 1) AS path,
        response_code, client_ip, peer_ip, user_agent, request_received_timestamp, stage_timestamp, username, user_groups
    FROM requests
    UNION ALL
    SELECT
        authz_decision, verb, api_group, resource, subresource, namespace, name, split_part(request_uri, '?', 1) AS path,
        response_code, client_ip, peer_ip, user_agent, request_received_timestamp, stage_timestamp, username, user_groups
    FROM unfinished_requests
)
SELECT
    authz_decision AS decision,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    name,
    path,
    response_code,
    peer_ip,
    client_ip,
    user_agent,
    count(*) AS requests,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM anonymous
WHERE (username = 'system:anonymous' OR 'system:unauthenticated' = ANY(user_groups))
  AND (
      $include_probes
      OR (
          resource IS NULL
          AND verb IN ('get', 'head')
          AND (
              path IN ('/healthz', '/livez', '/readyz', '/version', '/version/', '/openid/v1/jwks')
              OR path LIKE '/healthz/%'
              OR path LIKE '/livez/%'
              OR path LIKE '/readyz/%'
              OR path LIKE '/.well-known/%'
          )
      ) IS NOT TRUE
  )
GROUP BY
    authz_decision, verb, api_group, resource, subresource, namespace, name, path, response_code, peer_ip, client_ip,
    user_agent
ORDER BY
    CASE decision WHEN 'allow' THEN 0 ELSE 1 END, requests DESC, path, verb, response_code, peer_ip, client_ip, user_agent,
    decision, namespace, name, resource, subresource, api_group
