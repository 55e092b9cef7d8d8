-- title = "Principal from a new network"
-- question = "Who came from a network that the baseline does not have for them?"
-- description = """
-- Principals and networks (/24, or /64 of IPv6) of which the baseline has no authenticated request.
-- known says whether the baseline has the principal at all: low if it does, info if everything about
-- the principal is new. One row per principal and network."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4", "NIST AC-17"]
-- attack = ["T1078"]
-- baseline = "7d"
-- false_positives = "People who travel, and pods that moved."
-- tuning = "Give a longer baseline; give networks of offices and VPNs in cluster_networks."
-- limits = "Compares client_ip, which a client can forge behind a proxy. The log has no geography and no provider."
-- message = "{principal} came from {network}, which is new for them ({requests}×)"
-- triage = ["sessions principal={principal}", "principal-timeline principal={principal}", "first-seen"]
-- covers = ["Splunk: Kubernetes Abuse of Secret by Unusual Location"]
-- differs = "Networks instead of single addresses, and principals that the baseline knows are told from new ones."
-- tables = ["system_principals", "cluster_networks"]
-- columns.key = ["principal", "network"]
-- columns.detail = ["addresses", "writes", "first_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["source_ips"]
SELECT
    min(recent.stage_timestamp) AS first_seen,
    max(recent.stage_timestamp) AS last_seen,
    CASE WHEN bool_or(known.who IS NOT NULL) THEN 'low' ELSE 'info' END AS severity,
    CASE WHEN bool_or(recent.outcome = 'succeeded') THEN 'succeeded' ELSE 'refused' END AS outcome,
    recent.principal,
    recent.network,
    bool_or(known.who IS NOT NULL) AS known,
    count(*) AS requests,
    count(*) FILTER (WHERE recent.verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND recent.outcome = 'succeeded') AS writes,
    array_slice(array_agg(DISTINCT recent.client_ip ORDER BY recent.client_ip), 1, 10) AS addresses,
    min(recent.peer_ip) AS peer_ip,
    array_slice(array_agg(DISTINCT recent.user_agent ORDER BY recent.user_agent) FILTER (WHERE recent.user_agent IS NOT NULL), 1, 10) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        verb,
        CASE WHEN client_ip LIKE '%:%' THEN array_to_string(array_slice(string_to_array(client_ip, ':'), 1, 4), ':') ELSE regexp_replace(client_ip, '\.[0-9]+$', '') END AS network,
        client_ip,
        peer_ip,
        user_agent
    FROM requests
    WHERE principal IS NOT NULL
      AND client_ip IS NOT NULL
      AND actor_kind IS DISTINCT FROM 'anonymous'
      AND NOT listed('system_principals', principal)
      AND NOT listed('cluster_networks', client_ip)
) AS recent
LEFT JOIN (
    SELECT DISTINCT principal AS who
    FROM earlier_requests
    WHERE principal IS NOT NULL
) AS known
    ON known.who = recent.principal
WHERE NOT EXISTS (
    SELECT 1
    FROM (
        SELECT principal AS who, CASE WHEN client_ip LIKE '%:%' THEN array_to_string(array_slice(string_to_array(client_ip, ':'), 1, 4), ':') ELSE regexp_replace(client_ip, '\.[0-9]+$', '') END AS from_network
        FROM earlier_requests
        WHERE principal IS NOT NULL
    ) AS earlier
    WHERE earlier.who = recent.principal
      AND earlier.from_network = recent.network
)
GROUP BY recent.principal, recent.network
ORDER BY first_seen, recent.principal, recent.network
