-- title = "Secrets read by a person"
-- question = "Which people read which secrets?"
-- description = """
-- Reads of secrets by people, whoever they act as: one row per person, secret (or namespace) and
-- client. Low, because people work with secrets; medium for secrets of system namespaces. Refused
-- attempts and Helm's releases are info. Attempts to read a secret that does not exist (404) are left
-- out. Accounts in the list expected are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.3"]
-- attack = ["T1552.007"]
-- false_positives = "Administrators on call, Helm, machines whose user name does not start with system:, such as CI users."
-- limits = "Only requests for secrets are visible: not pods that mount a secret, exec into such a pod, etcd, or backups. A list does not say which secrets it returned, and the log does not show whether the client asked for metadata only."
-- message = "{principal}[ as {acted_as}] read [the secret {namespace}/{name}|the secrets of {namespace}|the secrets of all namespaces] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "namespace", "name", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["verbs", "peer_ip", "last_seen"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "secrets-read namespace={namespace}"]
-- tuning = "Add break-glass accounts and machines with names of people to expected, activity secrets."
-- covers = ["Falco: K8s Secret Get Successfully"]
-- differs = "Falco reports every successful get, with severity ERROR and whoever it was, so that controllers drown it; here people count, with the person behind an impersonation."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        WHEN outcome = 'refused' OR helm THEN 'info'
        WHEN listed('system_namespaces', namespace) THEN 'medium'
        ELSE 'low'
    END AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    read_kind,
    namespace,
    name,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        secret_reads.*,
        outcome(response_code, dry_run) AS outcome,
        coalesce(query_param(request_uri, 'labelSelector') LIKE '%owner=helm%', false) OR name LIKE 'sh.helm.release.v1.%' AS helm
    FROM secret_reads
    WHERE (response_code BETWEEN 200 AND 299 OR response_code = 403)
      AND (actor_kind = 'human' OR impersonated_username IS NOT NULL AND principal NOT LIKE 'system:%')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS reads
GROUP BY outcome, helm, principal, actor, read_kind, namespace, name, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, namespace, name, outcome, client_ip, peer_ip, user_agent
