-- title = "Refusals from the internet"
-- question = "Which public addresses were refused many API requests?"
-- description = """
-- Bursts of at least `min_refusals` API requests from one public address that were answered with 403, whoever
-- sent them. peer_ip is the address that connected; claimed are the addresses in its headers."""
-- severity = "info"
-- level = "Metadata"
-- attack = ["T1613", "T1595"]
-- controls = ["NIST SC-7"]
-- false_positives = "Scanners of the internet, and clients of one's own that lost a right."
-- tuning = "Raise min_refusals where the apiserver is open to the internet; better, close it."
-- limits = "Behind a load balancer that changes the address the peer is private, and nothing is found."
-- message = "{peer_ip} was refused {refusals} times, as {principal_names}"
-- columns.key = ["peer_ip"]
-- columns.detail = ["principal_names", "resources", "claimed", "user_agents", "first_seen", "last_seen"]
-- covers = ["P: multiple 403 responses to a public address"]
-- differs = "Panther takes the first address, which the client can claim; here the peer counts."
-- triage = ["denied-requests", "top-clients"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["/api*"]
-- columns = ["source_ips"]
-- [parameters.gap]
-- type = "duration"
-- default = "30m"
-- doc = "A pause longer than this begins a new burst."
-- [parameters.min_refusals]
-- type = "integer"
-- default = 10
-- doc = "Refusals in a burst."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    peer_ip,
    count(*) AS refusals,
    count(DISTINCT principal) AS principals,
    array_agg(DISTINCT principal ORDER BY principal) AS principal_names,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS DISTINCT FROM peer_ip) AS claimed,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM (
    SELECT
        paced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
            PARTITION BY cluster, peer_ip
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            cluster, stage_timestamp, principal, resource, client_ip, peer_ip, user_agent, audit_id, source_file, source_offset,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                    PARTITION BY cluster, peer_ip
                    ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM requests
        WHERE response_code = 403
          AND ip_is_public(peer_ip)
          AND (resource IS NOT NULL OR request_uri LIKE '/api%')
    ) AS paced
) AS bursts
GROUP BY cluster, peer_ip, burst
HAVING count(*) >= $min_refusals
ORDER BY first_seen, peer_ip
