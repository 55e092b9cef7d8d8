-- title = "Anonymous probing"
-- question = "Which addresses probed the apiserver without credentials?"
-- description = """
-- Bursts of refused anonymous requests from one address: at least min_requests, to at least min_paths
-- different paths, without a pause of more than gap. One row per burst."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 11.5.1", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1595", "T1613"]
-- false_positives = "Vulnerability scanners of one's own, and load balancers with a wrong health check (few paths)."
-- tuning = "Raise min_requests or min_paths; give scanners' addresses in ignored_ips."
-- limits = "Requests refused in front of the apiserver are not in this log. The address is the one that the client claims; peer_ip is who connected."
-- message = "{client_ip} probed {paths} paths without credentials ({requests} requests refused)"
-- triage = ["anonymous-requests", "failed-authentication", "denied-requests actor=system:anonymous"]
-- covers = ["Splunk: Kubernetes Scanning by Unauthenticated IP Address", "Splunk: GCP Kubernetes cluster pod scan detection", "Elastic: Kubernetes Potential Endpoint Permission Enumeration Attempt by Anonymous User Detected"]
-- differs = "One row per burst instead of one per request."
-- columns.key = ["client_ip", "peer_ip", "first_seen"]
-- columns.detail = ["sample_paths", "user_agents", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "anonymous"
-- columns = ["response_code"]
-- [parameters.min_requests]
-- type = "integer"
-- default = 5
-- doc = "Only bursts of at least this many refused requests."
-- [parameters.min_paths]
-- type = "integer"
-- default = 6
-- doc = "Only bursts to at least this many different paths."
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this ends a burst."
-- [parameters.ignored_ips]
-- type = "strings"
-- doc = "Leave out these addresses."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    'medium' AS severity,
    'refused' AS outcome,
    client_ip,
    peer_ip,
    count(*) AS requests,
    count(DISTINCT path) AS paths,
    array_slice(array_agg(DISTINCT path ORDER BY path), 1, 20) AS sample_paths,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        client_ip,
        peer_ip,
        path,
        user_agent,
        sum(CASE WHEN pause / 1000 <= $gap THEN 0 ELSE 1 END) OVER (
            PARTITION BY cluster, client_ip, peer_ip
            ORDER BY stage_timestamp, source_file, source_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst,
        cluster
    FROM (
        SELECT
            stage_timestamp,
            cluster,
            client_ip,
            peer_ip,
            split_part(request_uri, '?', 1) AS path,
            user_agent,
            source_file,
            source_offset,
            CAST(stage_timestamp AS BIGINT) - lag(CAST(stage_timestamp AS BIGINT)) OVER (
                PARTITION BY cluster, client_ip, peer_ip ORDER BY stage_timestamp, source_file, source_offset
            ) AS pause
        FROM requests
        WHERE (username = 'system:anonymous' OR array_has(user_groups, 'system:unauthenticated'))
          AND outcome(response_code, dry_run) = 'refused'
          AND ($ignored_ips IS NULL OR (client_ip = ANY($ignored_ips) OR peer_ip = ANY($ignored_ips)) IS NOT TRUE)
    ) AS spaced
) AS grouped
GROUP BY cluster, client_ip, peer_ip, burst
HAVING count(*) >= $min_requests AND count(DISTINCT path) >= $min_paths
ORDER BY first_seen, client_ip, peer_ip
