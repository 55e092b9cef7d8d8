-- title = "Dormant and active people"
-- question = "Who is active, and who is dormant?"
-- description = """
-- People in the log, one row per user, with the last activity. status is active, or dormant if the
-- last activity lies at least dormant_after before the end of the log. Somebody who acted as somebody
-- else counts under their own name. Somebody who only failed, or was refused everything, is listed
-- too: see refused."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.6", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(3)", "ISO 27001 A.5.18"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "A log that is shorter than dormant_after shows no dormant people: log_days says how long it is. People who did not send one request are not in the log: compare with the list of the identity provider, and see inactive-identities for users that bindings name. Machines with names of people count as people."
-- message = "{principal}: {status}[, last active {last_active}][, {idle_days} days before the end of the log]"
-- columns.key = ["principal", "status"]
-- columns.detail = ["requests", "writes", "active_days", "addresses", "log_days"]
-- tables = ["system_principals"]
-- triage = ["sessions principal={principal}", "principal-timeline principal={principal}", "cluster-admin-usage actor={principal}"]
-- tuning = "Set dormant_after to your rule, such as 90d, and give as much log."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "people"
-- [parameters.dormant_after]
-- type = "duration"
-- default = "30d"
-- doc = "Without activity for so long, somebody is dormant."
WITH seen AS (
    SELECT
        principal,
        min(request_received_timestamp) AS first_active,
        max(stage_timestamp) AS last_active,
        count(*) AS requests,
        count(*) FILTER (
            WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
                AND resource IS NOT NULL AND resource NOT LIKE '%reviews'
        ) AS writes,
        count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
        count(DISTINCT date) AS active_days,
        count(DISTINCT client_ip) AS addresses
    FROM requests
    WHERE (actor_kind = 'human' OR impersonated_username IS NOT NULL AND principal NOT LIKE 'system:%')
      AND NOT listed('system_principals', principal)
    GROUP BY principal
),
placed AS (
    SELECT
        seen.*,
        (SELECT min(stage_timestamp) FROM requests) AS log_start,
        (SELECT max(stage_timestamp) FROM requests) AS log_end
    FROM seen
)
SELECT
    principal,
    CASE
        WHEN CAST(log_end AS BIGINT) - CAST(last_active AS BIGINT) >= $dormant_after*1000 THEN 'dormant'
        ELSE 'active'
    END AS status,
    first_active,
    last_active,
    CAST(floor((CAST(log_end AS BIGINT) - CAST(last_active AS BIGINT)) / 86400000000.0) AS BIGINT) AS idle_days,
    requests,
    writes,
    refused,
    active_days,
    addresses,
    round((CAST(log_end AS BIGINT) - CAST(log_start AS BIGINT)) / 86400000000.0, 1) AS log_days
FROM placed
ORDER BY CASE status WHEN 'dormant' THEN 0 ELSE 1 END, last_active, principal
