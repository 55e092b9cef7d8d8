-- title = "Kubelet reached through the apiserver"
-- question = "Who called kubelets through nodes/proxy?"
-- description = """
-- Requests to nodes/proxy except those for metrics, statistics, health and configuration, grouped by
-- actor and node. The kubelet obeys them as the apiserver's: pods, logs, and commands in containers,
-- past admission and past the audit of exec. High if a path can run commands (run, exec, attach,
-- portForward, cri); medium for others such as pods, logs and checkpoint; low for a get whose path the
-- log does not have, as on GKE. Refused and failed attempts are told apart (outcome)."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.10", "NIST AC-6"]
-- attack = ["T1611", "T1613"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Elastic: Kubernetes Direct API Request via Kubelet Proxy", "Stratus: k8s.privilege-escalation.nodes-proxy",
--     "rbac-police: nodes_proxy",
-- ]
-- false_positives = "Monitoring that lists pods through the proxy."
-- limits = "What the kubelet answered is not in the log. Requests to port 10250 of the node itself never reach the apiserver."
-- tuning = "Add monitoring to the list expected, with activity proxy."
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={actor}"]
-- message = "{actor} called the kubelet of {node}: {paths} ({requests}×, {outcome})"
-- columns.key = ["actor", "principal", "node", "outcome", "commands"]
-- columns.detail = ["paths", "requests", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["nodes/proxy"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN commands THEN 'high' WHEN path_known THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    node,
    commands,
    array_to_string(array_sort(array_agg(DISTINCT verb || ' ' || path)), ', ') AS paths,
    count(*) AS requests,
    min(response_code) AS response_code,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, verb, name AS node, response_code, client_ip, peer_ip, user_agent, audit_id,
        source_file, source_line,
        outcome(response_code, dry_run) AS outcome,
        request_uri IS NOT NULL OR verb <> 'get' AS path_known,
        coalesce(regexp_match(request_uri, '/proxy/+([^?]*)')[1], '') AS path,
        regexp_like(coalesce(request_uri, ''), '/proxy/+(?:run|exec|attach|portForward|cri)(?:/|$)') AS commands
    FROM requests
    WHERE api_group = ''
      AND resource = 'nodes'
      AND subresource = 'proxy'
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'proxy', namespace)
) AS proxied
-- Encoded or dotted, a path may lead elsewhere.
WHERE NOT (regexp_like(path, '^(?:metrics|stats|healthz|configz|spec)(?:/|$)') AND NOT regexp_like(path, '%|\.\.'))
GROUP BY actor, principal, node, outcome, commands, path_known
ORDER BY first_seen, actor, principal, node, outcome, commands
