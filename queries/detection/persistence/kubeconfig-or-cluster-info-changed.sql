-- title = "Join configuration changed"
-- question = "Who changed what new nodes and clients are told about the cluster?"
-- description = """
-- Writes of ConfigMaps kube-public/cluster-info (address and CA of the apiserver, read by everybody), kube-
-- system/kubeadm-config and kube-system/kubelet-config (settings of every kubelet), deletes included. The creation
-- by kubeadm is low. A refused attempt, a failed one and a dry run have a row, too, one step less severe: see
-- outcome. Requests of the control plane and of principals in the list expected (activity configmaps) are left
-- out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["NIST CM-3", "SOC 2 CC8.1"]
-- attack = ["T1098", "T1557"]
-- false_positives = "kubeadm upgrade."
-- limits = "Most policies record ConfigMaps at level Metadata: that they changed, not how. The user agent of kubeadm can be forged."
-- tuning = "Add what is meant to do this to expected with activity configmaps."
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}",
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} ConfigMap {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["configmaps"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(CASE WHEN operation = 'create' AND user_agent LIKE 'kubeadm/%' THEN 'low' ELSE 'high' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
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
WHERE api_group = ''
  AND resource = 'configmaps'
  AND subresource = ''
  AND (
      namespace = 'kube-public' AND object_name = 'cluster-info'
      OR namespace = 'kube-system' AND (object_name = 'kubeadm-config' OR object_name LIKE 'kubelet-config%')
      OR namespace = 'kube-public' AND operation = 'deletecollection'
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'configmaps', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
