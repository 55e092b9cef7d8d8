-- title = "Activity of people who left"
-- question = "Did accounts of people who left act after that?"
-- description = """
-- What accounts of the list leavers did after left_at: one row per account, with outcome. Refused
-- requests alone are low (the credential still authenticates), others high."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.5", "SOC 2 CC6.2", "NIST AC-2(3)", "NIST PS-4", "ISO 27001 A.5.18", "HIPAA 164.308(a)(3)"]
-- attack = ["T1078"]
-- false_positives = "A date entered too early; an address that somebody else got."
-- limits = "The list is yours. Tokens that the person minted, or service accounts that the person could use, go on under other names: see token-lineage."
-- message = "{principal} left at {left_at} and made {requests} requests since ({succeeded} succeeded)"
-- columns.key = ["principal"]
-- columns.detail = ["left_at", "requests", "succeeded", "writes", "first_seen", "last_seen"]
-- tables = ["leavers"]
-- tuning = "Rows of leavers."
-- triage = ["principal-timeline principal={principal}", "token-lineage", "credential-changes"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    CASE WHEN count(*) FILTER (WHERE outcome(response_code, dry_run) IN ('succeeded', 'dry run', 'unknown')) > 0 THEN 'high' ELSE 'low' END AS severity,
    principal,
    left_at,
    count(*) AS requests,
    count(*) FILTER (WHERE outcome(response_code, dry_run) IN ('succeeded', 'dry run')) AS succeeded,
    count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL AND outcome(response_code, dry_run) = 'succeeded') AS writes,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS client_ips,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM requests
JOIN (
    SELECT principal AS leaver, left_at
    FROM leavers
) AS left_people
    ON requests.principal LIKE replace(replace(replace(replace(replace(coalesce(nullif(leaver, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
    AND stage_timestamp > left_at
WHERE listed('leavers', principal)
GROUP BY principal, left_at
ORDER BY succeeded DESC, requests DESC, principal, left_at
