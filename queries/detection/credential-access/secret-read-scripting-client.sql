-- title = "Secrets read with a script"
-- question = "Who read secrets with curl, a scripting language or without a user agent?"
-- description = """
-- Successful reads of secrets by programs that are not Kubernetes clients, one row per client, with
-- the kind of program. tool: curl, wget, PowerShell, HTTPie, Postman, or a user agent that names Kali
-- or Parrot Linux (high). script: the HTTP libraries of Python, Go, Ruby, Perl, PHP, Node.js and Java
-- (medium; low for a service account that reads its own namespace). none: a client without a user
-- agent (medium). Attempts that were refused are low. The control plane and the accounts in the list
-- expected are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.4.1", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1552.007", "T1059"]
-- false_positives = "Scripts and home-made tools; many of them use Go's or Python's default user agent."
-- limits = "The user agent is what the client claims: an attacker can send any."
-- message = "{principal}[ as {acted_as}] read secrets with [{user_agent}|a program without a user agent][ in {namespaces}] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["program", "namespaces", "names", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read actor={actor}", "principal-timeline principal={principal}", "unattended-clients"]
-- tuning = "Add accounts of scripts to expected, activity secrets."
-- covers = ["Elastic: credential_access_kubernetes_secret_access_scripting_http_clients"]
-- differs = "Elastic treats all of these programs alike; Go's and Python's defaults are common among in-house tools, so they are medium here."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code", "user_agent"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN outcome = 'refused' THEN 'low'
        WHEN program = 'tool' THEN 'high'
        WHEN actor_kind = 'serviceaccount' AND count(*) FILTER (WHERE namespace IS DISTINCT FROM service_account_namespace) = 0 THEN 'low'
        ELSE 'medium'
    END AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    program,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        secret_reads.*,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN user_agent IS NULL THEN 'none'
            WHEN regexp_like(user_agent, '(?i)^(curl|wget|httpie|postman|insomnia|hoppscotch)|powershell|kali|parrot ?os|parrotsec') THEN 'tool'
            WHEN regexp_like(user_agent, '(?i)^(python|aiohttp|httpx|go-http-client|okhttp|ruby|faraday|lwp|libwww|perl|php|guzzle|axios|node|undici|got |java/|apache-httpclient|jakarta|reqwest|restsharp)') THEN 'script'
        END AS program
    FROM secret_reads
    WHERE (response_code BETWEEN 200 AND 299 OR response_code = 403)
      AND username IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS reads
WHERE program IS NOT NULL
GROUP BY outcome, principal, actor, actor_kind, program, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, outcome, client_ip, peer_ip, user_agent
