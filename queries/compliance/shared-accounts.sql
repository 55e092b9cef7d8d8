-- title = "Shared accounts"
-- question = "Which accounts do several people or machines seem to use?"
-- description = """
-- kind says why: generic name (the list generic_accounts: admin credentials and logins that nobody
-- owns) or used at once (one person's account active from at least min_addresses addresses within
-- ten minutes, or at the same address with at least min_programs programs). One row per account and
-- kind. windows counts the ten-minute spans. at_once is the most addresses in one of them. A
-- generic name, or many programs at few addresses, is low."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.1", "PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST IA-2", "NIST IA-4", "NIST AU-10", "ISO 27001 A.5.16", "HIPAA 164.312(a)(2)(i)"]
-- attack = ["T1078.003"]
-- false_positives = "A person behind a VPN or several NAT addresses, or who works on two machines. Machines that do not look like one: name them in pipelines."
-- limits = "One address and program can be many people: a jump host, a dashboard without impersonation. Addresses are those that connected (peer_ip): behind a proxy that is one, unless claimed_addresses is set."
-- message = "{login}: {kind}, at most {at_once} addresses in ten minutes, requests {requests}, {origins}"
-- columns.key = ["login", "kind"]
-- columns.detail = ["at_once", "windows", "origins", "requests"]
-- tables = ["generic_accounts", "system_principals", "pipelines"]
-- tuning = "min_addresses and min_programs; rows of generic_accounts and pipelines."
-- triage = ["principal-timeline principal={login}", "sessions principal={login}", "auth-method-inventory"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "people"
-- [parameters.min_addresses]
-- type = "integer"
-- default = 3
-- doc = "Addresses within ten minutes from which on an account counts as used at once."
-- [parameters.min_programs]
-- type = "integer"
-- default = 10
-- doc = "Programs within ten minutes from which on an account counts as used at once."
-- [parameters.claimed_addresses]
-- type = "boolean"
-- default = false
-- doc = "Take client_ip, which a client can forge, for the address: needed behind a proxy that sends X-Forwarded-For."
WITH windows AS (
    SELECT
        principal AS login,
        CAST(request_received_timestamp AS BIGINT) / 600000000 AS span,
        array_agg(DISTINCT address ORDER BY address) FILTER (WHERE address IS NOT NULL) AS addresses,
        array_agg(DISTINCT split_part(user_agent, '/', 1) ORDER BY split_part(user_agent, '/', 1)) FILTER (WHERE user_agent IS NOT NULL) AS programs,
        count(DISTINCT address) AS n_addresses,
        count(DISTINCT split_part(user_agent, '/', 1)) AS n_programs,
        count(*) AS requests,
        count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL AND outcome(response_code, dry_run) = 'succeeded') AS writes,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM (
        SELECT
            principal, user_agent, verb, resource, response_code, dry_run, request_received_timestamp, stage_timestamp,
            -- GKE writes words such as gce-internal-ip where it hides an address.
            CASE WHEN ip_is_public(CASE WHEN $claimed_addresses THEN client_ip ELSE peer_ip END) IS NOT NULL THEN CASE WHEN $claimed_addresses THEN client_ip ELSE peer_ip END END AS address
        FROM requests
    ) AS addressed
    WHERE (principal NOT LIKE 'system:%' OR principal = 'system:admin')
      AND request_received_timestamp IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('pipelines', principal)
    GROUP BY login, span
),
kinds AS (
    SELECT windows.*, 'generic name' AS kind
    FROM windows
    WHERE listed('generic_accounts', login)
    UNION ALL
    SELECT windows.*, 'used at once' AS kind
    FROM windows
    WHERE n_addresses >= $min_addresses
       OR n_programs >= $min_programs
)
SELECT
    CASE WHEN kind = 'used at once' AND max(n_addresses) >= $min_addresses THEN 'medium' ELSE 'low' END AS severity,
    login,
    kind,
    max(n_addresses) AS at_once,
    max(n_programs) AS programs_at_once,
    count(*) AS windows,
    array_to_string(array_sort(array_distinct(flatten(array_agg(addresses)))), ', ') AS origins,
    array_to_string(array_sort(array_distinct(flatten(array_agg(programs)))), ', ') AS programs,
    sum(requests) AS requests,
    sum(writes) AS writes,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM kinds
GROUP BY login, kind
ORDER BY CASE kind WHEN 'generic name' THEN 1 ELSE 0 END, at_once DESC, requests DESC, login
