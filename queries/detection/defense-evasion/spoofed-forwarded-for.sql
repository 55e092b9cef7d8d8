-- title = "Claimed client addresses"
-- question = "Who claimed another address with X-Forwarded-For?"
-- description = """
-- Requests with more than one source address. All but the last (peer_ip) come from headers that the client
-- can write; the first (client_ip) is the one that most tools show. Peers that forward most of their
-- requests, as load balancers do, are left out: there the header is written by the balancer. One row per
-- principal, claimed address and peer. suspicion says if the claim cannot be true."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1090", "T1036"]
-- controls = ["NIST AU-10", "PCI-DSS 10.3.2"]
-- false_positives = "A proxy that forwards a few of its requests only, and apiservers that pass requests on to aggregated APIs."
-- tuning = "Raise max_forwarded_share if a proxy also sends many requests of its own. List proxies in ignored_peers."
-- limits = "Behind a load balancer that passes on what the client sent, a forged address looks like a true one. Garbage in the header is dropped by the apiserver. Deliveries with a single address do not show the header."
-- message = "{principal} claimed to come from {client_ip}, and came from {peer_ip} ({requests}×[, {suspicion}])"
-- columns.key = ["principal", "client_ip", "peer_ip"]
-- columns.detail = ["suspicion", "verbs", "resources", "first_seen", "last_seen", "user_agent"]
-- differs = "Every rival takes the first address, which the client chooses, for the client's."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["source_ips"]
-- [parameters.max_forwarded_share]
-- type = "number"
-- default = 0.5
-- doc = "A peer with a greater share of forwarded requests is a proxy."
-- [parameters.ignored_peers]
-- type = "strings"
-- doc = "Addresses of proxies."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'low' AS severity,
    coalesce(principal, 'nobody') AS principal,
    client_ip,
    peer_ip,
    CASE
        WHEN NOT ip_is_public(client_ip) AND ip_is_public(peer_ip) THEN 'a private address through a public peer'
        WHEN cidr_contains('127.0.0.0/8', client_ip) AND NOT cidr_contains('127.0.0.0/8', peer_ip) THEN 'the apiserver itself'
    END AS suspicion,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    user_agent
FROM requests
WHERE array_length(source_ips) > 1
  AND peer_ip IN (
      SELECT peer_ip
      FROM requests
      GROUP BY peer_ip
      HAVING count(CASE WHEN array_length(source_ips) > 1 THEN 1 END) <= count(*) * $max_forwarded_share
  )
  AND ($ignored_peers IS NULL OR (peer_ip = ANY($ignored_peers)) IS NOT TRUE)
GROUP BY principal, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, client_ip, peer_ip, user_agent
