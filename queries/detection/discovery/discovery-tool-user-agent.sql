-- title = "Attack and audit tools by user agent"
-- question = "Who used a tool that is known for breaking into clusters, or for auditing them?"
-- description = """
-- Requests whose user agent is in the list discovery_tools, allowed or not. medium for attack tools (kube-hunter,
-- peirates, rakkess' access_matrix, stratus-red-team, scanners), low for tools that also check one's own cluster
-- (kubescape, popeye, rbac-tool). One row per client."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1613", "T1595"]
-- controls = ["NIST SI-4"]
-- tables = ["discovery_tools", "expected"]
-- false_positives = "Scheduled scans and penetration tests of one's own."
-- tuning = "Add the principals of scheduled scans to the list expected, with the activity recon, and tools of your own to discovery_tools."
-- limits = "The client chooses its user agent, and most attackers choose kubectl's. Tools that are libraries show their language's client only."
-- message = "{principal} used {user_agent} from {peer_ip} ({requests}×, refused: {refused})"
-- columns.key = ["principal", "user_agent", "peer_ip"]
-- columns.detail = ["purpose", "verbs", "resources", "first_seen", "last_seen"]
-- covers = ["S: Kubernetes Potential Enumeration Activity", "D: PenTestToolsKubeHunter"]
-- differs = "Sigma's rule requires responseStatus.code = 'ALLOW', which no event has."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "denied-requests actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["user_agent"]
SELECT
    max(stage_timestamp) AS stage_timestamp,
    CASE purpose WHEN 'attack' THEN 'medium' ELSE 'low' END AS severity,
    purpose,
    coalesce(principal, 'nobody') AS principal,
    user_agent,
    count(*) AS requests,
    count(CASE WHEN response_code IN (401, 403) THEN 1 END) AS refused,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT resource ORDER BY resource) FILTER (WHERE resource IS NOT NULL) AS resources,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip
FROM (
    SELECT
        stage_timestamp, principal, user_agent, response_code, verb, resource, client_ip, peer_ip,
        CASE
            WHEN listed('discovery_tools', lower(user_agent), 'attack') THEN 'attack'
            WHEN listed('discovery_tools', lower(user_agent), 'audit') THEN 'audit'
        END AS purpose
    FROM requests
    -- There are few user agents and many requests.
    WHERE user_agent IN (
        SELECT user_agent
        FROM (SELECT DISTINCT user_agent FROM requests) AS user_agents
        WHERE listed('discovery_tools', lower(user_agent), 'attack') OR listed('discovery_tools', lower(user_agent), 'audit')
    )
      AND (principal IS NULL OR NOT listed('expected', principal, 'recon', coalesce(namespace, '')))
) AS judged
WHERE purpose IS NOT NULL
GROUP BY purpose, principal, user_agent, client_ip, peer_ip
ORDER BY first_seen, principal, user_agent, peer_ip, client_ip
