-- title = "Requests from outside the known networks"
-- question = "Which requests came from addresses outside our networks?"
-- description = """
-- Requests whose client address (client_ip) or connecting address (peer_ip) is in none of the networks
-- of the list cluster_networks, one row per principal, address and program. As long as the list is
-- empty, an address counts as outside if it is not a private one. Failed authentication is the row
-- without a principal. Low; medium if a service account or node, whose credentials should not leave
-- the cluster, was allowed something from there."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.4.2", "PCI-DSS 1.4.1", "SOC 2 CC6.6", "NIST AC-17", "NIST SC-7", "ISO 27001 A.8.20"]
-- attack = ["T1078", "T1133"]
-- false_positives = "People and pipelines outside the networks that the list names; load balancers that hide the client."
-- limits = "client_ip is what the client claims whenever there is more than one address, so both addresses count. Behind a load balancer peer_ip is that of the load balancer: add it to the list. A managed control plane may connect from addresses of the provider."
-- message = "[{principal}|failed authentication] from {outside_ip}[ with {user_agent}]: {requests} requests, {writes} writes, {refused} refused"
-- columns.key = ["principal", "client_ip", "peer_ip", "user_agent"]
-- columns.detail = ["first_seen", "last_seen", "writes", "refused", "namespaces"]
-- tables = ["cluster_networks", "system_principals"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "failed-authentication"]
-- tuning = "Give your networks with --table cluster_networks=FILE; raise min_requests."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["source_ips"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only rows with at least this many requests."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also the control plane and agents of the provider."
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN (principal LIKE 'system:serviceaccount:%' OR principal LIKE 'system:node:%') AND count(*) FILTER (WHERE response_code < 400) > 0
            THEN 'medium'
        ELSE 'low'
    END AS severity,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    outside_ip,
    client_ip,
    peer_ip,
    user_agent,
    count(*) AS requests,
    count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
            AND resource IS NOT NULL
    ) AS writes,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces
FROM (
    SELECT
        requests.*,
        CASE
            WHEN has_networks AND NOT listed('cluster_networks', peer_ip) OR NOT has_networks AND regexp_like(peer_ip, private) IS NOT TRUE THEN peer_ip
            WHEN has_networks AND NOT listed('cluster_networks', client_ip) OR NOT has_networks AND regexp_like(client_ip, private) IS NOT TRUE THEN client_ip
        END AS outside_ip
    FROM requests
    CROSS JOIN (
        SELECT
            count(*) > 0 AS has_networks,
            -- Private networks, those of carriers, link-local and loopback addresses.
            '^(?:10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\.|::1$|f[cd]|fe[89ab])' AS private
        FROM cluster_networks
    ) AS networks
    WHERE client_ip IS NOT NULL
      AND client_ip NOT IN ('127.0.0.1', '::1')
      AND ($system OR NOT listed('system_principals', principal) OR principal LIKE 'system:node:%')
) AS placed
WHERE outside_ip IS NOT NULL
GROUP BY principal, actor, actor_kind, outside_ip, client_ip, peer_ip, user_agent
HAVING count(*) >= $min_requests
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent
