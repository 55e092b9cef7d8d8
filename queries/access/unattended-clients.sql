-- title = "Service accounts driven by hand"
-- question = "Which service accounts are used with kubectl, curl or without a user agent?"
-- description = """
-- Requests of service accounts sent by programs that people use (kubectl, k9s, Lens, Headlamp), by
-- tools that fetch URLs (curl, wget, HTTPie, PowerShell), or without a user agent, one row per service
-- account and client. program says which kind. Service accounts are for programs: a hand-driven one is
-- a script in a pod, or somebody with a copied token. The control plane is left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.6", "PCI-DSS 8.6.1", "SOC 2 CC6.1", "NIST IA-2", "NIST SI-4"]
-- attack = ["T1528", "T1550.001", "T1609"]
-- false_positives = "Jobs and pipelines that run kubectl; health checks with curl in pods."
-- limits = "The user agent is what the client claims: an attacker can send any. Libraries such as python-requests are not tools, and are left out unless scripts is true."
-- message = "{principal} was used with [{user_agent}|a program without a user agent][ from {client_ip}]: {requests} requests, {writes} writes, {refused} refused"
-- columns.key = ["principal", "actor", "client_ip", "user_agent"]
-- columns.detail = ["program", "first_seen", "last_seen", "pods", "resources"]
-- tables = ["system_principals", "expected"]
-- triage = ["principal-timeline principal={principal}", "tokens-used-off-pod", "secrets-read actor={actor}"]
-- tuning = "Add pipelines and jobs to expected, activity recon."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- [parameters.scripts]
-- type = "boolean"
-- default = false
-- doc = "Also the HTTP libraries of scripting languages and Go."
-- [parameters.min_requests]
-- type = "integer"
-- default = 1
-- doc = "Only clients with at least this many requests."
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    program,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    count(*) AS requests,
    count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND response_code BETWEEN 200 AND 299
            AND resource IS NOT NULL
    ) AS writes,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    array_agg(DISTINCT resource ORDER BY resource) FILTER (WHERE resource IS NOT NULL) AS resources,
    array_agg(DISTINCT pod_name ORDER BY pod_name) FILTER (WHERE pod_name IS NOT NULL) AS pods,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        requests.*,
        CASE
            WHEN user_agent IS NULL THEN 'none'
            WHEN regexp_like(user_agent, '(?i)^(kubectl|oc/|k9s|lens|openlens|headlamp|kubectx|kubie|stern|octant)') THEN 'interactive'
            WHEN regexp_like(user_agent, '(?i)^(curl|wget|httpie|postman|insomnia)|powershell') THEN 'tool'
            WHEN $scripts AND regexp_like(user_agent, '(?i)^(python|aiohttp|httpx|go-http-client|ruby|faraday|lwp|libwww|perl|php|axios|node|undici)') THEN 'script'
        END AS program
    FROM requests
    WHERE username LIKE 'system:serviceaccount:%'
      AND NOT listed('system_principals', username)
      AND NOT listed('expected', username, 'recon', namespace)
) AS judged
WHERE program IS NOT NULL
GROUP BY program, principal, actor, client_ip, peer_ip, user_agent
HAVING count(*) >= $min_requests
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent
