-- title = "Pods and services reached through the apiserver's proxy"
-- question = "Who uses the apiserver as a proxy to pods and services?"
-- description = """
-- Requests to pods/…/proxy and services/…/proxy: the apiserver passes them on into the cluster, past network
-- policies and with its own address. One row per client, target and outcome. low where only metrics, health and Prometheus
-- queries are asked for, as desktop tools do."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1090", "T1210"]
-- controls = ["NIST SC-7", "SOC 2 CC6.6"]
-- tables = ["system_principals", "expected"]
-- false_positives = "`kubectl proxy` to a dashboard, and tools that reach their service this way."
-- tuning = "Add people and tools to the list expected, with the activity proxy; narrow it to their namespaces."
-- limits = "What the target answered is not in the log. The proxy of nodes is in node-proxy-access."
-- message = "{actor} reached {resource} {namespace}/{name} through the apiserver's proxy, {requests}× ({outcome})"
-- columns.key = ["actor", "principal", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["paths", "verbs", "first_seen", "last_seen", "peer_ip", "user_agent"]
-- differs = "Elastic and Stratus look at nodes/proxy only."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={actor} namespace={namespace}"]
-- [[needs]]
-- resources = ["pods/proxy", "services/proxy"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded(
        CASE
            WHEN bool_and(
                verb = 'get'
                AND regexp_like(path, '^/(?:metrics|healthz|livez|readyz|api/v1/(?:query|query_range|series|labels?(?:/.*)?|status/.*|metadata|targets|rules|alerts))$')
            ) THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    resource,
    namespace,
    name,
    count(*) AS requests,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT left(path, 200) ORDER BY left(path, 200)) AS paths,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        stage_timestamp, outcome(response_code, dry_run) AS outcome, actor, principal, verb, resource, namespace, name,
        client_ip, peer_ip, user_agent,
        coalesce(regexp_match(request_uri, '/proxy(/[^?]*)')[1], '/') AS path
    FROM requests
    WHERE resource IN ('pods', 'services')
      AND api_group = ''
      AND subresource = 'proxy'
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'proxy', namespace)
) AS proxied
GROUP BY outcome, actor, principal, resource, namespace, name, client_ip, peer_ip, user_agent
ORDER BY first_seen, actor, resource, namespace, name, outcome, user_agent, peer_ip, client_ip
