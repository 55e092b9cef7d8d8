-- title = "Anonymous request allowed"
-- question = "What may clients do without credentials?"
-- description = """
-- Requests of system:anonymous or the group system:unauthenticated that the authorizer allowed, by what
-- they asked for and where they came from. What is public on purpose is left out: health, version, OpenID
-- and discovery paths (/api, /apis, /openapi) and the cluster-info that kubeadm join reads; include_public
-- shows all but the health paths, as low. Where the log has no decisions, success counts."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 1.2.1", "PCI-DSS 7.3.3", "SOC 2 CC6.6", "NIST AC-3", "NSA/CISA hardening guide"]
-- attack = ["T1078.001", "T1190"]
-- false_positives = "Load balancers with unusual health paths; kubeadm join."
-- tuning = "Give paths that are public on purpose in ignored_paths, as a regular expression."
-- limits = "Allowed means authorised: the response may still be an error. Requests that the audit policy leaves out, often health checks, are missing. Writes are anonymous-write, with a higher severity."
-- message = "anonymous client from [{peer_ip}|an unknown address] was allowed to {verb} {target} ({requests}×)"
-- triage = ["anonymous-requests", "rbac-changes", "requests-by-actor"]
-- covers = ["Falco: Anonymous Request Allowed", "Elastic: Kubernetes Anonymous Request Authorized by Unusual User Agent", "Panther: Kubernetes.API.AnonymousAccess", "Splunk: Amazon EKS Kubernetes Cluster Scan Detection", "GuardDuty: Discovery:Kubernetes/SuccessfulAnonymousAccess", "Threat matrix: Exposed sensitive interfaces"]
-- differs = "The decision counts, not the code. Elastic's rules compare the level with a stage, and match nothing."
-- columns.key = ["verb", "target", "peer_ip", "client_ip"]
-- columns.detail = ["response_codes", "first_seen", "last_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "anonymous"
-- columns = ["authz_decision"]
-- [parameters.include_public]
-- type = "boolean"
-- default = false
-- doc = "Include discovery and cluster-info."
-- [parameters.ignored_paths]
-- type = "string"
-- doc = "Regular expression: leave out requests whose path matches."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN is_public THEN 'low' ELSE 'medium' END AS severity,
    'succeeded' AS outcome,
    verb,
    target,
    api_group,
    resource,
    namespace,
    name,
    count(*) AS requests,
    array_agg(DISTINCT response_code ORDER BY response_code) AS response_codes,
    client_ip,
    peer_ip,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        verb,
        CASE
            WHEN resource IS NULL THEN split_part(request_uri, '?', 1)
            ELSE concat_ws(' ', concat_ws('/', resource, nullif(subresource, '')), nullif(name, ''), CASE WHEN namespace <> '' THEN 'in ' || namespace END)
        END AS target,
        CASE
            WHEN resource IS NULL THEN coalesce(regexp_like(request_uri, '^/(?:api|apis|openapi)(?:[/?]|$)'), false)
            ELSE resource = 'configmaps' AND verb IN ('get', 'list', 'watch') AND namespace = 'kube-public' AND name = 'cluster-info'
        END AS is_public,
        api_group,
        resource,
        namespace,
        name,
        response_code,
        client_ip,
        peer_ip,
        user_agent
    FROM requests
    WHERE (username = 'system:anonymous' OR array_has(user_groups, 'system:unauthenticated'))
      AND (authz_decision = 'allow' OR authz_decision IS NULL AND outcome(response_code, dry_run) = 'succeeded')
      AND (
          resource IS NULL
          AND regexp_like(split_part(request_uri, '?', 1), '^/(?:healthz|livez|readyz|version|\.well-known)(?:/|$)|^/openid/v1/jwks/?$')
      ) IS NOT TRUE
      -- Access reviews of oneself are allowed to everybody, and writes are another id.
      AND (resource IS NULL OR verb NOT IN ('create', 'update', 'patch', 'delete', 'deletecollection'))
      AND ($ignored_paths IS NULL OR NOT regexp_like(split_part(request_uri, '?', 1), $ignored_paths))
) AS allowed
WHERE $include_public OR NOT is_public
GROUP BY is_public, verb, target, api_group, resource, namespace, name, client_ip, peer_ip
ORDER BY severity DESC, first_seen, verb, target, peer_ip, client_ip
