-- title = "Failed authentication"
-- question = "Where do requests with bad tokens or certificates come from?"
-- description = """
-- Requests that were answered with 401 and have no user, in bursts by address and user agent without a
-- pause of more than gap. The apiserver records them only at stage ResponseStarted. severity is medium
-- for bursts of at least many attempts from a public address."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.3.4", "PCI-DSS 10.2.1.4", "NIST AC-7", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1110", "T1078"]
-- false_positives = "Expired tokens of workloads that were restored or suspended, and rotated certificates."
-- tuning = "min_attempts is the least number in a burst."
-- limits = "The log does not say whose credentials were tried. Failures at an identity provider, cloud IAM or proxy in front are not in it."
-- message = "{attempts} failed authentication(s) from [{client_ip}|an unknown address][ by {user_agent}]"
-- triage = ["failed-authentication", "anonymous-requests", "top-clients"]
-- covers = ["Sigma: Kubernetes Unauthorized or Unauthenticated Access", "Splunk: Kubernetes Azure scan fingerprint"]
-- differs = "Rules that filter on stage ResponseComplete see none of them; rules that read the message depend on the version."
-- columns.key = ["client_ip", "peer_ip", "user_agent", "first_seen"]
-- columns.detail = ["paths", "last_seen", "peer_ip"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "nobody"
-- columns = ["response_code"]
-- [parameters.min_attempts]
-- type = "integer"
-- default = 1
-- doc = "Only bursts of at least this many attempts."
-- [parameters.many]
-- type = "integer"
-- default = 50
-- doc = "From this many attempts on, a burst from a public address is medium."
-- [parameters.gap]
-- type = "duration"
-- default = "30m"
-- doc = "A pause longer than this ends a burst."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN count(*) >= $many AND ip_is_public(client_ip) THEN 'medium' ELSE 'low' END AS severity,
    'refused' AS outcome,
    client_ip,
    peer_ip,
    user_agent,
    count(*) AS attempts,
    count(DISTINCT path) AS paths
FROM (
    SELECT
        stage_timestamp,
        cluster,
        client_ip,
        peer_ip,
        user_agent,
        path,
        sum(CASE WHEN pause / 1000 <= $gap THEN 0 ELSE 1 END) OVER (
            PARTITION BY cluster, client_ip, peer_ip, user_agent
            ORDER BY stage_timestamp, source_file, source_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            stage_timestamp,
            cluster,
            client_ip,
            peer_ip,
            user_agent,
            split_part(request_uri, '?', 1) AS path,
            source_file,
            source_offset,
            CAST(stage_timestamp AS BIGINT) - lag(CAST(stage_timestamp AS BIGINT)) OVER (
                PARTITION BY cluster, client_ip, peer_ip, user_agent ORDER BY stage_timestamp, source_file, source_offset
            ) AS pause
        FROM requests
        WHERE response_code = 401
          AND username IS NULL
    ) AS spaced
) AS grouped
GROUP BY cluster, client_ip, peer_ip, user_agent, burst
HAVING count(*) >= $min_attempts
ORDER BY first_seen, client_ip, peer_ip, user_agent
