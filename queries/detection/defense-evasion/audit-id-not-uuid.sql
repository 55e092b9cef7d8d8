-- title = "Audit IDs chosen by the client"
-- question = "Which clients choose the audit IDs of their requests, and do the IDs carry a payload?"
-- description = """
-- Requests whose audit ID is not a UUID. The apiserver makes UUIDs; anything else was sent by the client in
-- the header Audit-ID. medium if an ID has characters that break out of a log viewer, a query, a spreadsheet
-- or a page (quotes, brackets, control characters, a leading =, +, - or @); low otherwise. One row per
-- client."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1562.008", "T1059"]
-- controls = ["NIST AU-10", "PCI-DSS 10.3.2"]
-- false_positives = "Proxies and test tools that send IDs of their own."
-- tuning = "Leave out proxies that are known to set the ID with ignored_principals."
-- limits = "A client can choose a valid UUID as well: see audit-id-reuse. Providers that replace the ID (GKE's insertId) do not show it."
-- message = "{principal} sent an audit ID of its own, {example} ({requests}×)"
-- columns.key = ["principal", "user_agent", "peer_ip", "payload"]
-- columns.detail = ["example", "longest", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["audit_id"]
-- [parameters.ignored_principals]
-- type = "strings"
-- doc = "Leave out requests of these principals."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    CASE WHEN payload THEN 'medium' ELSE 'low' END AS severity,
    payload,
    coalesce(principal, 'nobody') AS principal,
    count(*) AS requests,
    count(DISTINCT audit_id) AS audit_ids,
    left(min(audit_id), 100) AS example,
    max(character_length(audit_id)) AS longest,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        stage_timestamp, principal, audit_id, client_ip, peer_ip, user_agent,
        regexp_like(audit_id, '^[=+@\-]|[[:cntrl:]"''`<>\\{}$;|&%]') AS payload
    FROM requests
    WHERE NOT regexp_like(audit_id, '^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$')
      AND ($ignored_principals IS NULL OR (principal = ANY($ignored_principals)) IS NOT TRUE)
) AS chosen
GROUP BY principal, client_ip, peer_ip, user_agent, payload
ORDER BY first_seen, principal, user_agent, peer_ip, client_ip, payload
