-- title = "Accounts without activity"
-- question = "Which accounts have not been active for a long time?"
-- description = """
-- Accounts whose last request lies at least days before the end of the log and, if RBAC objects are
-- among the inputs, users and service accounts that a binding names and that made no request at
-- all. answer is \"inactive\" only if the log reaches back that long: else it is \"too little
-- data\". Accounts of the control plane are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.6", "PCI-DSS 7.2.4", "NIST AC-2(3)", "SOC 2 CC6.2", "SOC 2 CC6.3", "ISO 27001 A.5.18"]
-- attack = ["T1078"]
-- false_positives = "Emergency accounts, which should be idle; jobs that run once a quarter."
-- limits = "Members of groups are known only by their requests. A name that was never active and is in no binding does not show: compare with the identity provider's list. Requests that the audit policy leaves out count as none."
-- message = "{account}: {answer}[, last seen {last_seen}][, bound by {bindings}]"
-- columns.key = ["account"]
-- columns.detail = ["answer", "last_seen", "requests", "bindings", "days_covered"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={account}", "rbac-binding-usage", "leaver-activity"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.days]
-- type = "integer"
-- default = 90
-- doc = "Days without activity."
WITH seen AS (
    SELECT
        username, last_seen, requests,
        max(last_seen) OVER () AS ended_at,
        CAST(CAST(max(last_seen) OVER () AS BIGINT) - CAST(min(first_seen) OVER () AS BIGINT) AS DOUBLE) / 86400000000 AS days_covered
    FROM (
        SELECT username, min(stage_timestamp) AS first_seen, max(stage_timestamp) AS last_seen, count(*) AS requests
        FROM requests
        WHERE username IS NOT NULL
        GROUP BY username
    ) AS users
),
bound AS (
    SELECT username AS bound_user, array_agg(DISTINCT binding_kind || ' ' || concat_ws('/', binding_namespace, binding_name) ORDER BY binding_kind || ' ' || concat_ws('/', binding_namespace, binding_name)) AS bindings
    FROM rbac_subjects
    WHERE username IS NOT NULL
    GROUP BY username
),
known AS (
    SELECT
        coalesce(username, bound_user) AS known_account, last_seen, coalesce(requests, 0) AS requests, bindings,
        max(ended_at) OVER () AS ended_at, max(days_covered) OVER () AS days_covered
    FROM seen
    FULL JOIN bound
        ON username = bound_user
)
SELECT
    CASE WHEN days_covered >= $days THEN 'low' ELSE 'info' END AS severity,
    known_account AS account,
    CASE WHEN days_covered >= $days THEN 'inactive' ELSE 'too little data' END AS answer,
    last_seen,
    requests,
    bindings,
    round(days_covered, 1) AS days_covered
FROM known
WHERE NOT listed('system_principals', known_account)
  AND known_account <> 'system:anonymous'
  AND (
      requests = 0
      OR CAST(CAST(ended_at AS BIGINT) - CAST(last_seen AS BIGINT) AS DOUBLE) >= $days*CAST(86400000000 AS BIGINT)
  )
ORDER BY last_seen, known_account
