-- title = "New combinations of principal, program and decision"
-- question = "Which principals were allowed, or refused, with a program for the first time?"
-- description = """
-- Combinations of the authorizer's decision, principal and program (the user agent up to the first slash) that did not
-- occur before. A broad net, for comparison with other findings; low. One row per combination."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1078"]
-- controls = ["NIST AC-2(12)", "SOC 2 CC7.2"]
-- tables = ["system_principals"]
-- baseline = "10d"
-- false_positives = "New staff, new workloads, and new tools."
-- tuning = "A longer baseline finds less. Leave out principals with ignored_principals."
-- limits = "Deliveries that drop annotations have no decision. The client chooses its user agent."
-- message = "{principal} with [{program}|no user agent]: {decision} for the first time ({requests}×)"
-- columns.key = ["decision", "principal", "program"]
-- columns.detail = ["resources", "peer_ips", "first_seen", "last_seen"]
-- covers = ["E: Kubernetes Unusual Decision by User Agent"]
-- differs = "Versions do not make a program new."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["user_agent", "authz_decision"]
-- [parameters.ignored_principals]
-- type = "strings"
-- doc = "Leave out these principals."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    decided.decision,
    decided.principal,
    decided.program,
    count(*) AS requests,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM (
    SELECT
        stage_timestamp, authz_decision AS decision, principal, split_part(coalesce(user_agent, ''), '/', 1) AS program, resource,
        peer_ip
    FROM requests
    WHERE authz_decision IS NOT NULL
      AND principal IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND ($ignored_principals IS NULL OR (principal = ANY($ignored_principals)) IS NOT TRUE)
) AS decided
LEFT ANTI JOIN (
    SELECT DISTINCT authz_decision AS decision, principal, split_part(coalesce(user_agent, ''), '/', 1) AS program
    FROM earlier_requests
    WHERE authz_decision IS NOT NULL AND principal IS NOT NULL
) AS known
    ON decided.decision = known.decision AND decided.principal = known.principal AND decided.program = known.program
GROUP BY decided.decision, decided.principal, decided.program
ORDER BY first_seen, principal, program, decision
