-- title = "Changes to the log pipeline"
-- question = "Who changed or removed what ships the logs?"
-- description = """
-- Writes to workloads, ConfigMaps, Secrets, service accounts and jobs in the namespaces of the list
-- logging_namespaces, to log shippers by name in any namespace, and to auditsinks and ConfigMaps of
-- audit policies. Deleting and scaling are medium, other changes low, attempts one step less;
-- controllers that only write what was decided elsewhere are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.6", "PCI-DSS 10.3.2", "PCI-DSS 10.7.2", "NIST AU-9", "SOC 2 CC7.1", "SOC 2 CC8.1", "ISO 27001 A.8.15"]
-- attack = ["T1562.008"]
-- false_positives = "Upgrades of the pipeline. Name the GitOps account in the list expected with activity workloads or configmaps."
-- limits = "At level Metadata the log does not show what was changed: see field-changes. Changes to the apiserver's own audit arguments and to the provider's log settings are elsewhere: see log-start-stop-events."
-- message = "{actor}: {operation} {target} {namespace}/{name} ({outcome})"
-- columns.key = ["actor", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["logging_namespaces", "system_principals", "expected"]
-- tuning = "Rows of logging_namespaces and expected."
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "log-gaps", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["daemonsets.apps", "deployments.apps", "statefulsets.apps", "configmaps", "secrets", "serviceaccounts", "cronjobs.batch"]
SELECT
    stage_timestamp,
    graded(CASE WHEN operation IN ('delete', 'deletecollection') OR write_kind = 'scale' THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind IN ('object', 'scale')
  AND (
      resource IN ('daemonsets', 'deployments', 'statefulsets') AND api_group = 'apps'
      OR resource IN ('configmaps', 'secrets', 'serviceaccounts') AND api_group = ''
      OR resource = 'cronjobs' AND api_group = 'batch'
      OR resource = 'auditsinks'
  )
  AND (
      listed('logging_namespaces', namespace)
      OR resource = 'auditsinks'
      OR regexp_like(object_name, '^(?:fluentd|fluent-bit|fluentbit|vector|promtail|alloy|filebeat|logstash|rsyslog|syslog|logging-operator|collector|loki|elasticsearch|opensearch)|^audit-policy')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, CASE WHEN resource IN ('configmaps', 'secrets') THEN resource ELSE 'workloads' END, namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
