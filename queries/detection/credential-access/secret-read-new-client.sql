-- title = "Secrets read by a new client"
-- question = "Who read secrets and never did so before, or with a new program, or from a new network?"
-- description = """
-- Successful reads of secrets by a combination of principal, program (the user agent up to its
-- version) and network that did not read secrets before the window. new says what is new: principal,
-- program or network (/24 for IPv4, the address itself for IPv6). Medium if the principal or its
-- program is new; low if only the network is. The networks of service accounts are not compared, as
-- pods move. The control plane and the accounts in the list expected are left out, and so are Helm's
-- releases."""
-- severity = "medium"
-- level = "Metadata"
-- baseline = "7d"
-- controls = ["PCI-DSS 10.4.1", "SOC 2 CC7.2", "NIST SI-4", "NIST AC-2(12)"]
-- attack = ["T1552.007", "T1078"]
-- false_positives = "New staff, new releases with another user agent, roaming people."
-- limits = "Only as good as the baseline: what happens less often than it is long is always new. The user agent is what the client claims."
-- message = "{principal}[ as {acted_as}] read secrets[ with {user_agent}][ from {client_ip}]: new {new} ({requests}×)"
-- columns.key = ["principal", "actor", "new", "client_ip", "user_agent"]
-- columns.detail = ["namespaces", "names", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read actor={actor}", "principal-timeline principal={principal}", "first-seen"]
-- tuning = "Use a longer baseline; add known readers to expected, activity secrets."
-- covers = ["Elastic: credential_access_get_secrets_access", "Splunk: Kubernetes Abuse of Secret by Unusual User Agent", "Splunk: Kubernetes Abuse of Secret by Unusual User Name", "Splunk: Kubernetes Abuse of Secret by Unusual User Group", "Splunk: Kubernetes Abuse of Secret by Unusual Location", "GuardDuty: CredentialAccess:Kubernetes/AnomalousBehavior.SecretsAccessed"]
-- differs = "The others compare whole user agents and addresses, so each release and each moved pod is new; here versions and the addresses of pods do not count."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
WITH known AS (
    SELECT DISTINCT
        principal,
        split_part(split_part(coalesce(user_agent, ''), '/', 1), ' ', 1) AS program,
        CASE
            WHEN principal LIKE 'system:serviceaccount:%' THEN ''
            WHEN client_ip LIKE '%:%' THEN client_ip
            ELSE regexp_replace(coalesce(client_ip, ''), '\.[0-9]+$', '')
        END AS network
    FROM earlier_requests
    WHERE api_group = ''
      AND resource = 'secrets'
      AND subresource = ''
      AND verb IN ('get', 'list', 'watch')
      AND response_code BETWEEN 200 AND 299
),
reads AS (
    SELECT
        secret_reads.*,
        split_part(split_part(coalesce(user_agent, ''), '/', 1), ' ', 1) AS program,
        CASE
            WHEN principal LIKE 'system:serviceaccount:%' THEN ''
            WHEN client_ip LIKE '%:%' THEN client_ip
            ELSE regexp_replace(coalesce(client_ip, ''), '\.[0-9]+$', '')
        END AS network
    FROM secret_reads
    WHERE response_code BETWEEN 200 AND 299
      AND name NOT LIKE 'sh.helm.release.v1.%'
      AND (query_param(request_uri, 'labelSelector') LIKE '%owner=helm%') IS NOT TRUE
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
),
judged AS (
    SELECT
        reads.*,
        CASE
            WHEN principals.known_principal IS NULL THEN 'principal'
            WHEN programs.known_program IS NULL THEN 'program'
            WHEN networks.known_network IS NULL THEN 'network'
        END AS new
    FROM reads
    LEFT JOIN (SELECT DISTINCT principal AS known_principal FROM known) AS principals
        ON reads.principal = known_principal
    LEFT JOIN (SELECT DISTINCT principal AS program_principal, program AS known_program FROM known) AS programs
        ON reads.principal = program_principal AND reads.program = known_program
    LEFT JOIN (SELECT DISTINCT principal AS network_principal, network AS known_network FROM known) AS networks
        ON reads.principal = network_principal AND reads.network = known_network
)
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN new = 'network' THEN 'low' ELSE 'medium' END AS severity,
    'succeeded' AS outcome,
    new,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    count(*) AS requests,
    client_ip,
    peer_ip,
    user_agent
FROM judged
WHERE new IS NOT NULL
GROUP BY new, principal, actor, actor_kind, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, new, client_ip, peer_ip, user_agent
