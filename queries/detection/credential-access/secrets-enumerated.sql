-- title = "Secrets listed"
-- question = "Which clients list or watch secrets, and in which namespaces?"
-- description = """
-- Every list and watch of secrets of a namespace or of all of them, one row per client and outcome,
-- with the namespaces. An inventory: secrets-list-all-namespaces, secrets-list-sensitive-namespace and
-- secret-get-burst say what deserves attention. Info for refused lists and for Helm, which looks for
-- its releases. The control plane and the operators in the list expected are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AC-6"]
-- attack = ["T1552.007"]
-- false_positives = "Dashboards, k9s and Lens, Helm, operators."
-- limits = "A list does not say which secrets it returned, and the log does not show whether the client asked for metadata only. Watches that are still open are in unfinished_requests."
-- message = "{principal}[ as {acted_as}] listed secrets in [{namespace_count} namespaces|all namespaces][ with {user_agent}] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["namespaces", "verbs", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read actor={actor}", "principal-timeline principal={principal}", "sessions principal={principal}"]
-- tuning = "Add known readers to expected, activity secrets."
-- covers = ["Sigma: Kubernetes Secrets Enumeration", "Panther: Kubernetes.SecretEnumeration"]
-- differs = "Sigma alerts on every list; here a list alone is low. Panther counts reads of any kind together; bursts of different secrets are in secret-get-burst."
-- [[needs]]
-- verbs = ["list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN bool_and(helm) THEN 'info' ELSE graded('low', outcome) END AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    bool_or(read_kind = 'cluster') AS all_namespaces,
    CASE WHEN NOT bool_or(read_kind = 'cluster') THEN count(DISTINCT namespace) END AS namespace_count,
    array_agg(DISTINCT namespace ORDER BY namespace) FILTER (WHERE namespace <> '') AS namespaces,
    count(*) AS requests,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        secret_reads.*,
        outcome(response_code, dry_run) AS outcome,
        coalesce(query_param(request_uri, 'labelSelector') LIKE '%owner=helm%', false) AS helm
    FROM secret_reads
    WHERE read_kind <> 'object'
      AND username IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS lists
GROUP BY outcome, principal, actor, actor_kind, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, outcome, client_ip, peer_ip, user_agent
