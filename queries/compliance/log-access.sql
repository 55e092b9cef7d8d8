-- title = "Access to audit logs"
-- question = "Who could have read or touched the audit logs, from inside the cluster?"
-- description = """
-- Requests that reach where audit logs lie: sessions in apiserver pods and in pods of the log
-- pipeline, their logs and files through the kubelet (nodes/proxy with /logs, nodes/log), and
-- secrets of the namespaces in the list logging_namespaces. way says which. Control plane and
-- expected principals are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.3", "PCI-DSS 10.3.1", "NIST AU-9", "NIST AU-9(4)", "ISO 27001 A.8.15", "SOC 2 CC7.2"]
-- attack = ["T1070", "T1562.008", "T1654"]
-- false_positives = "Administrators of the log pipeline who look after it."
-- limits = "Who reads the log store itself (S3, CloudWatch, Elasticsearch, files on the node over SSH) is in other logs. What a session read is known from its first command only. Pods that mount the log folder of a node are in sensitive-hostpath."
-- message = "{actor}: {way} {namespace}[/{name}][: {command}] ({outcome})"
-- columns.key = ["actor", "way", "namespace", "name", "command", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["logging_namespaces", "system_principals", "expected"]
-- tuning = "Rows of logging_namespaces; principals of expected with activity exec or secrets."
-- triage = ["pod-exec-sessions namespace={namespace}", "principal-timeline principal={principal}", "log-pipeline-changes"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec", "pods/attach", "pods/log", "nodes/proxy", "nodes/log"]
-- stage = "any"
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
WITH reached AS (
    SELECT
        stage_timestamp, actor, principal, 'a session in' AS way, namespace, name, command, verb, resource, subresource, response_code, dry_run, client_ip, peer_ip,
        user_agent, audit_id, source_file, source_line, source_offset
    FROM exec_sessions
    WHERE kind IN ('exec', 'attach')
      AND (
          namespace = 'kube-system' AND name LIKE 'kube-apiserver-%'
          OR regexp_like(name, '^(?:fluentd|fluent-bit|fluentbit|vector|promtail|alloy|filebeat|logstash|rsyslog|syslog|logging-operator|collector|loki|elasticsearch|opensearch)')
          OR listed('logging_namespaces', namespace)
      )
      AND NOT listed('expected', principal, 'exec', namespace)
    UNION ALL
    SELECT
        stage_timestamp, actor, principal, 'the output of' AS way, namespace, name, CAST(NULL AS VARCHAR) AS command, verb, resource, subresource, response_code,
        dry_run, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM requests
    WHERE api_group = '' AND resource = 'pods' AND subresource = 'log'
      AND (namespace = 'kube-system' AND name LIKE 'kube-apiserver-%' OR listed('logging_namespaces', namespace))
    UNION ALL
    SELECT
        stage_timestamp, actor, principal, 'files of the node' AS way, '' AS namespace, name, regexp_match(split_part(request_uri, '?', 1), '/proxy(/logs.*)$')[1] AS command,
        verb, resource, subresource, response_code, dry_run, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM requests
    WHERE api_group = '' AND resource = 'nodes'
      AND (subresource = 'proxy' AND regexp_like(split_part(request_uri, '?', 1), '/proxy/logs(?:/|$)') OR subresource = 'log')
    UNION ALL
    SELECT
        stage_timestamp, actor, principal, 'secrets of' AS way, namespace, name, CAST(NULL AS VARCHAR) AS command, verb, resource, subresource, response_code, dry_run,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM secret_reads
    WHERE listed('logging_namespaces', namespace)
      AND NOT listed('expected', principal, 'secrets', namespace)
)
SELECT
    stage_timestamp,
    graded(CASE way WHEN 'a session in' THEN 'medium' WHEN 'files of the node' THEN 'medium' ELSE 'low' END, outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    way,
    verb,
    resource,
    subresource,
    namespace,
    name,
    command,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM reached
WHERE NOT listed('system_principals', principal)
  -- The pipeline's own accounts.
  AND (principal LIKE 'system:serviceaccount:' || namespace || ':%') IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, way, audit_id
