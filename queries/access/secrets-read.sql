-- title = "Secrets read"
-- question = "Who read which secrets, service accounts included?"
-- description = """
-- Successful reads of secrets, by people, service accounts and others: one row per reader, secret (or
-- namespace, for lists and watches) and client. scope is object, namespace or cluster. The control
-- plane and nodes are left out unless system is true; refused reads are included if refused is true."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "HIPAA 164.312(b)", "NIST AC-6(9)", "ISO 27001 A.8.3"]
-- attack = ["T1552.007"]
-- false_positives = "None: this is an inventory."
-- limits = "Only requests for secrets are visible: not pods that mount a secret, exec into such a pod, etcd, or backups. A list or watch does not say which secrets it returned. The log does not show whether a client asked for metadata only. A watch that is still open is in unfinished_requests."
-- message = "{principal}[ as {acted_as}] read [the secret {namespace}/{name}|the secrets of {namespace}|the secrets of all namespaces] ({outcome}, {reads}×)"
-- columns.key = ["principal", "actor", "scope", "namespace", "name", "outcome"]
-- columns.detail = ["verbs", "reads", "first_read", "last_read", "client_ip", "user_agent"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={principal}", "namespace-access namespace={namespace}", "sessions principal={principal}"]
-- tuning = "Name an actor, namespace or secret; set system to true for the control plane and nodes."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only reads by this user, acting or acted as."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only reads that reached this namespace: in it, or across all namespaces."
-- [parameters.name]
-- type = "string"
-- doc = "Only reads that could return this secret: of itself, of its namespace if one is named, or of all namespaces."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also reads by the control plane and nodes."
-- [parameters.refused]
-- type = "boolean"
-- default = false
-- doc = "Also reads that were refused or failed."
SELECT
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    read_kind AS scope,
    namespace,
    name,
    outcome,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    count(*) AS reads,
    min(request_received_timestamp) AS first_read,
    max(stage_timestamp) AS last_read,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT secret_reads.*, outcome(response_code, dry_run) AS outcome
    FROM secret_reads
    WHERE username IS NOT NULL
      AND ($actor IS NULL OR actor = $actor OR principal = $actor)
      AND ($namespace IS NULL OR namespace = $namespace OR read_kind = 'cluster')
      AND ($name IS NULL OR name = $name OR read_kind <> 'object')
      AND ($system OR $actor IS NOT NULL OR NOT listed('system_principals', principal))
) AS reads
WHERE $refused OR outcome = 'succeeded'
GROUP BY principal, actor, actor_kind, read_kind, namespace, name, outcome, client_ip, peer_ip, user_agent
ORDER BY first_read, principal, actor, scope, namespace, name, outcome, client_ip, peer_ip, user_agent
