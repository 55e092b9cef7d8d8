-- title = "Bootstrap tokens read"
-- question = "Who read the tokens with which nodes join the cluster?"
-- description = """
-- Reads of single secrets kube-system/bootstrap-token-*, and lists of kube-system by the type of these
-- secrets. Whoever has such a token can ask for the certificate of a node. The control plane and the
-- accounts in the list expected are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 3.1.3", "PCI-DSS 8.6.2", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1552.007", "T1078"]
-- false_positives = "kubeadm token list and kubeadm join by an administrator; Cluster API and other tools that add nodes."
-- limits = "Lists of all secrets of kube-system return these tokens, too: see secrets-list-sensitive-namespace. GKE does not record selectors."
-- message = "{principal}[ as {acted_as}] read [the bootstrap token {name}|the bootstrap tokens] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "name", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["verbs", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read namespace={namespace}", "principal-timeline principal={principal}", "bootstrap-token-misuse"]
-- tuning = "Add tools that add nodes to expected, activity secrets, namespace kube-system."
-- covers = ["KubiScan: bootstrap token secrets"]
-- differs = "KubiScan lists the tokens and who could read them; this finds who did."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    namespace,
    name,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT secret_reads.*, outcome(response_code, dry_run) AS outcome
    FROM secret_reads
    WHERE namespace = 'kube-system'
      AND (name LIKE 'bootstrap-token-%' OR query_param(request_uri, 'fieldSelector') LIKE '%type=bootstrap.kubernetes.io/token%')
      AND (response_code BETWEEN 200 AND 299 OR response_code = 403)
      AND username IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
) AS reads
GROUP BY outcome, principal, actor, actor_kind, namespace, name, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, name, outcome, client_ip, peer_ip, user_agent
