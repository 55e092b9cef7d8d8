-- title = "Request from a listed address"
-- question = "Who reached the apiserver from an address on a block list?"
-- description = """
-- Requests for which one of the source addresses is in the list listed_addresses: Tor exits, proxies,
-- threat intelligence. One row per principal, address and outcome. connected says whether the address
-- is the one that connected, or one that a proxy or the client claimed."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 11.5.1", "SOC 2 CC6.6", "SOC 2 CC7.2", "NIST SC-7"]
-- attack = ["T1090", "T1078"]
-- false_positives = "Shared egress addresses and stale lists."
-- tuning = "Add rows with --table listed_addresses=FILE: an address or network per line, and the name of its list."
-- limits = "Without the list the query is not evaluable. A client can forge all addresses but the one that connected. Of more than five addresses, the first four and the last are looked at."
-- message = "[{principal}|somebody without an identity] sent {requests} request(s) from listed address {address} ({outcome})"
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "failed-authentication"]
-- covers = ["GuardDuty: Discovery:Kubernetes/MaliciousIPCaller", "GuardDuty: Discovery:Kubernetes/MaliciousIPCaller.Custom", "GuardDuty: Discovery:Kubernetes/TorIPCaller", "Google: Initial Access: GKE Resource Accessed from Tor Proxy IP", "Defender: K8S_TI_Proxy", "Panther: IOC.Activity", "Threat matrix: Connect from proxy server"]
-- differs = "The first four source addresses and the one that connected are looked at, not only the first; the list is yours."
-- tables = ["listed_addresses"]
-- columns.key = ["principal", "address", "outcome"]
-- columns.detail = ["connected", "first_seen", "last_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["source_ips"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    principal,
    address,
    bool_or(address = peer_ip) AS connected,
    count(*) AS requests,
    count(DISTINCT concat(verb, ' ', coalesce(resource, request_uri))) AS kinds_of_request,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    array_slice(array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), 1, 10) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        -- The one that connected, else the first that is listed.
        CASE
            WHEN listed('listed_addresses', peer_ip) THEN peer_ip
            WHEN listed('listed_addresses', source_ips[1]) THEN source_ips[1]
            WHEN listed('listed_addresses', source_ips[2]) THEN source_ips[2]
            WHEN listed('listed_addresses', source_ips[3]) THEN source_ips[3]
            WHEN listed('listed_addresses', source_ips[4]) THEN source_ips[4]
        END AS address,
        verb,
        resource,
        request_uri,
        client_ip,
        peer_ip,
        user_agent
    FROM requests
    WHERE source_ips IS NOT NULL
) AS sent
WHERE address IS NOT NULL
GROUP BY outcome, principal, address
ORDER BY first_seen, principal, address, outcome
