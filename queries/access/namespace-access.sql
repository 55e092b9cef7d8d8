-- title = "Access to a namespace"
-- question = "Who accessed this namespace, from where, and what did they do there?"
-- description = """
-- One row per principal, actor and namespace: requests by what they were, with the first and the
-- last. Rows without a namespace are reads across all namespaces, such as kubectl get secrets -A,
-- which read this one as well (scope: all namespaces). Refused requests count, and are told apart.
-- Open sessions count. The control plane's own components, controllers and nodes are left out
-- unless system is true."""
-- severity = "info"
-- level = "Metadata"
-- controls = [
--     "HIPAA 164.312(b)", "HIPAA 164.308(a)(1)(ii)(D)", "PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AU-6", "ISO 27001 A.8.15",
-- ]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "Workloads of the namespace that never call the apiserver do not appear, nor do watches that are still open, and traffic to them is not in this log. What the audit policy leaves out is not counted. client_ip can be forged; peer_ip may be a load balancer."
-- message = "{principal}[ as {acted_as}] in [{namespace}|all namespaces]: requests {requests}, writes {writes}, refused {refused}"
-- columns.key = ["principal", "actor", "namespace", "scope"]
-- columns.detail = ["secret_reads", "sessions", "addresses", "first_seen", "last_seen"]
-- tables = ["system_principals"]
-- triage = [
--     "principal-timeline principal={principal}", "secrets-read namespace={namespace}", "pod-exec-sessions namespace={namespace}",
-- ]
-- tuning = "Set system to true to see controllers and nodes; add your own control plane's accounts to the list system_principals. Use --since 90d for a period."
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace, and reads across all namespaces."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also the control plane's own components, controllers and nodes."
WITH touched AS (
    SELECT
        cluster, actor, actor_kind, principal, verb, api_group, resource, subresource, namespace, response_code, dry_run,
        client_ip, peer_ip, user_agent, request_received_timestamp, stage_timestamp
    FROM requests
    WHERE resource IS NOT NULL
    UNION ALL
    -- Sessions that are still open.
    SELECT
        cluster, actor, actor_kind, principal, verb, api_group, resource, subresource, namespace, response_code, dry_run,
        client_ip, peer_ip, user_agent, request_received_timestamp, stage_timestamp
    FROM exec_sessions
    WHERE ended_at IS NULL
),
judged AS (
    SELECT touched.*, outcome(response_code, dry_run) AS outcome
    FROM touched
    WHERE (
          $namespace IS NULL AND namespace <> ''
          OR namespace = $namespace
          OR namespace = ''
              AND verb IN ('list', 'watch', 'deletecollection')
              -- Resources that some namespace has; nodes and the like are in none.
              AND concat(resource, '.', api_group) IN (
                  SELECT concat(resource, '.', api_group)
                  FROM requests
                  WHERE namespace <> '' AND NOT (resource = 'namespaces' AND api_group = '')
              )
      )
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($system OR NOT listed('system_principals', principal))
)
SELECT
    'info' AS severity,
    namespace,
    CASE WHEN namespace = '' THEN 'all namespaces' ELSE 'namespace' END AS scope,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    count(*) AS requests,
    count(*) FILTER (WHERE verb IN ('get', 'list', 'watch') AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')) AS reads,
    count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
          AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy') AND outcome = 'succeeded'
    ) AS writes,
    count(*) FILTER (
        WHERE api_group = '' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND outcome = 'succeeded'
    ) AS secret_reads,
    count(*) FILTER (WHERE subresource IN ('exec', 'attach', 'portforward', 'proxy') AND outcome IN ('succeeded', 'unknown')) AS sessions,
    count(*) FILTER (WHERE outcome = 'refused') AS refused,
    count(*) FILTER (WHERE outcome = 'failed') AS failed,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS addresses,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) FILTER (WHERE peer_ip IS NOT NULL) AS peers,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM judged
GROUP BY namespace, principal, actor, actor_kind
ORDER BY namespace, requests DESC, principal, actor, actor_kind
