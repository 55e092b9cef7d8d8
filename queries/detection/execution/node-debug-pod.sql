-- title = "Debug pod on a node"
-- question = "Who opened a root shell's worth of access to a node with a pod?"
-- description = """
-- Pods as kubectl debug node/NAME makes them: named node-debugger-…, or with hostPID, the host's root
-- directory as a volume, and a node that the client chose. Refused attempts and dry runs are included."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.3", "SOC 2 CC6.8", "NIST AC-6(9)"]
-- attack = ["T1611", "T1610"]
-- false_positives = "Platform engineers who debug nodes."
-- tuning = "Give platform engineers in the list expected, with the activity privileged-pods."
-- limits = "At level Metadata only the name gives the pod away. What is done on the node is not in the log."
-- message = "{actor} created pod {namespace}/[{name}|without a name] with the root of node [{node}|unknown] ({outcome})"
-- triage = ["principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace} actor={actor}", "pod-fate namespace={namespace} name={name}"]
-- covers = []
-- differs = "Others have parts of it as rules about hostPath or hostPID, which also match storage and network plugins."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "node", "outcome"]
-- columns.detail = ["image", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["pods"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('high', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    actor_kind,
    verb,
    resource,
    subresource,
    namespace,
    object_name AS name,
    body_text(request_object, 'spec.nodeName') AS node,
    containers(pod_spec)[1]['image'] AS image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM pod_specs
WHERE resource = 'pods'
  AND subresource = ''
  AND (verb = 'create' OR created)
  AND (
      object_name LIKE 'node-debugger-%'
      OR body_text(pod_spec, 'hostPID') = 'true'
      AND body_text(request_object, 'spec.nodeName') IS NOT NULL
      AND regexp_like(body_text(pod_spec, 'volumes'), '"path"\s*:\s*"/+"')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
