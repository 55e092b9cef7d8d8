-- title = "Secrets read by humans"
-- question = "Which people read which secrets?"
-- description = """
-- get, list and watch requests for secrets by a person, answered with 2xx. A person who
-- impersonates a service account is a person. A dashboard that impersonates its user reads for that
-- user."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "PCI-DSS 10.2.1.1", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.3"]
-- attack = ["T1552.007"]
-- false_positives = "Administrators on call, helm (it stores releases as secrets), and machines whose user name does not start with system:, such as CI users."
-- limits = "Only requests for secrets are visible: not pods that mount a secret or load it into their environment, exec into such a pod, etcd, or etcd backups. A list or watch does not say which secrets it returned. The log does not show whether a client asked only for metadata. A watch that is still open at the end of the log is in unfinished_requests, not here."
-- message = "{actor}: {verb} secrets[ {name}][ in {namespace}| in every namespace]"
-- columns.key = ["actor", "username", "read_kind", "namespace", "name"]
-- columns.detail = ["authz_reason", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- from = "people"
-- [parameters.namespace]
-- type = "string"
-- doc = "Only reads that reached this namespace: in it, or across all namespaces."
SELECT
    stage_timestamp,
    actor,
    username,
    read_kind,
    verb,
    namespace,
    name,
    response_code,
    authz_reason,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM secret_reads
WHERE response_code BETWEEN 200 AND 299
  AND (actor_kind = 'human' OR (impersonated_username IS NOT NULL AND username NOT LIKE 'system:%'))
  AND ($namespace IS NULL OR namespace = $namespace OR read_kind = 'cluster')
ORDER BY stage_timestamp, source_file, source_offset, audit_id
