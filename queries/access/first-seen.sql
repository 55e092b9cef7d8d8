-- title = "First seen"
-- question = "Which users, addresses and programs appear that were not there before?"
-- description = """
-- Users, client addresses and user agents of the window that no earlier request had, one row per new
-- value. kind is user, address or user agent; principals are those who used it. Failed authentication
-- counts for addresses and user agents. Users, addresses and programs that only the control plane and
-- nodes use are left out."""
-- severity = "low"
-- level = "Metadata"
-- baseline = "7d"
-- controls = ["PCI-DSS 10.4.1", "SOC 2 CC7.2", "NIST AC-2(12)", "NIST SI-4", "ISO 27001 A.8.16"]
-- attack = ["T1078"]
-- false_positives = "New staff, new releases, roaming people, pods: name the networks of pods with min_requests, or look at people only."
-- limits = "Only as good as the baseline: what happens less often than it is long is always new. The user agent is what the client claims, and client_ip can be forged."
-- message = "new {kind} {value}[, used by {principals}]: {requests} requests, {refused} refused"
-- columns.key = ["kind", "value"]
-- columns.detail = ["principals", "first_seen", "last_seen", "addresses", "user_agents"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={first_principal}", "sessions principal={first_principal}", "outside-networks"]
-- tuning = "Use a longer baseline; set people to true to leave out service accounts."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.people]
-- type = "boolean"
-- default = false
-- doc = "Only what people use."
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only values with at least this many requests."
WITH later AS (
    SELECT requests.*
    FROM requests
    WHERE NOT listed('system_principals', principal)
      AND (NOT $people OR actor_kind = 'human')
),
new_values AS (
    SELECT 'user' AS kind, principal AS value, later.*
    FROM later
    LEFT ANTI JOIN (SELECT DISTINCT principal AS old FROM earlier_requests WHERE principal IS NOT NULL) AS earlier ON principal = old
    WHERE principal IS NOT NULL
    UNION ALL
    SELECT 'address' AS kind, client_ip AS value, later.*
    FROM later
    LEFT ANTI JOIN (SELECT DISTINCT client_ip AS old FROM earlier_requests WHERE client_ip IS NOT NULL) AS earlier ON client_ip = old
    WHERE client_ip IS NOT NULL
    UNION ALL
    SELECT 'user agent' AS kind, user_agent AS value, later.*
    FROM later
    LEFT ANTI JOIN (SELECT DISTINCT user_agent AS old FROM earlier_requests WHERE user_agent IS NOT NULL) AS earlier ON user_agent = old
    WHERE user_agent IS NOT NULL
)
SELECT
    kind,
    value,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    min(principal) AS first_principal,
    array_agg(DISTINCT principal ORDER BY principal) FILTER (WHERE principal IS NOT NULL) AS principals,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS addresses,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM new_values
GROUP BY kind, value
HAVING count(*) >= $min_requests
ORDER BY first_seen, kind, value
