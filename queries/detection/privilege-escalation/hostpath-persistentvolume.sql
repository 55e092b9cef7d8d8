-- title = "Persistent volume on a node's disk"
-- question = "Who created persistent volumes that are directories of a node?"
-- description = """
-- PersistentVolumes with hostPath (high) or local (low), created or changed. Pods that claim one mount
-- the directory without a hostPath of their own, so that Pod Security does not see it. Refused
-- attempts, failures and dry runs are included (outcome)."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.1.9", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Provisioners of local storage, and development clusters."
-- limits = "At level Metadata the log does not show the volume. A patch at level Request shows only what it names."
-- tuning = "Add provisioners to the list expected, with activity volumes."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- message = "{actor}: {operation} PersistentVolume [{name}|without a name] with {source} {path} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "name", "path"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["persistentvolumes"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE WHEN body_text(object, 'spec.hostPath.path') IS NOT NULL THEN 'high' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    object_name AS name,
    CASE WHEN body_text(object, 'spec.hostPath.path') IS NOT NULL THEN 'hostPath' ELSE 'local' END AS source,
    coalesce(body_text(object, 'spec.hostPath.path'), body_text(object, 'spec.local.path')) AS path,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'persistentvolumes'
  AND subresource = ''
  AND operation IN ('create', 'update', 'patch')
  AND coalesce(body_text(object, 'spec.hostPath.path'), body_text(object, 'spec.local.path')) IS NOT NULL
  -- The source of a volume cannot be changed: a later patch is of something else.
  AND (operation = 'create' OR outcome <> 'succeeded')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'volumes', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
