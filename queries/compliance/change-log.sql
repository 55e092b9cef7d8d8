-- title = "Change log"
-- question = "Which changes were made, by whom, and through which channel?"
-- description = """
-- Every successful write of an object or its scale that a person, a pipeline or a workload made, in
-- order. channel is pipeline (the list pipelines), person, or workload (another service account).
-- What the control plane and nodes write as their job is left out, and so are dry runs, leases and
-- events. manager is the field manager that the client named."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 6.5.1", "SOC 2 CC8.1", "NIST CM-3", "NIST CM-5", "ISO 27001 A.8.32", "ISO 27001 A.8.9"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "At level Metadata the log does not show what changed: see field-changes. Approval and ticket are elsewhere."
-- message = "{actor}: {operation} {target} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["pipelines", "system_principals"]
-- tuning = "Rows of expected for what your own automation does."
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only changes in this namespace."
-- [parameters.channel]
-- type = "string"
-- doc = "Only this channel: pipeline, person or workload."
SELECT
    stage_timestamp,
    graded('info', outcome) AS severity,
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
    CASE WHEN listed('pipelines', principal) THEN 'pipeline' WHEN principal LIKE 'system:serviceaccount:%' THEN 'workload' ELSE 'person' END AS channel,
    query_param(request_uri, 'fieldManager') AS manager,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind IN ('object', 'scale')
  AND outcome = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND NOT (api_group = 'coordination.k8s.io' AND resource = 'leases' OR resource = 'events')
  AND ($namespace IS NULL OR namespace = $namespace)
  AND ($channel IS NULL OR $channel = CASE WHEN listed('pipelines', principal) THEN 'pipeline' WHEN principal LIKE 'system:serviceaccount:%' THEN 'workload' ELSE 'person' END)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
