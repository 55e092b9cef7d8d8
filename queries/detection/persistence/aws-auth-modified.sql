-- title = "EKS identity map changed"
-- question = "Who changed which AWS identities may enter the cluster?"
-- description = """
-- Writes of ConfigMap kube-system/aws-auth, deletes included: it maps AWS roles and users to groups such as
-- system:masters. The maps are shown where the log has the body. A refused attempt, a failed one and a dry run
-- have a row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity configmaps) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS EKS 3.1", "SOC 2 CC6.2", "NIST AC-2(4)"]
-- attack = ["T1098.006", "T1098"]
-- covers = [
--     "Elastic: EKS Authentication Configuration Modified",
--     "Stratus: eks.persistence.backdoor-aws-auth-configmap",
-- ]
-- false_positives = "New node groups: eksctl, Terraform and people who add them."
-- limits = "Most policies record ConfigMaps at level Metadata: that it changed, not how. Access entries, which replace it, are in CloudTrail only."
-- tuning = "Add what is meant to do this to expected with activity configmaps."
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name=aws-auth",
--     "principal-timeline principal={principal}",
--     "object-history resource={resource} namespace={namespace} name={name}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} of the map of AWS identities (kube-system/aws-auth) ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["map_roles", "map_users", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["configmaps"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(object, 'data.mapRoles') AS map_roles,
    body_text(object, 'data.mapUsers') AS map_users,
    body_text(object, 'data.mapAccounts') AS map_accounts,
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
  AND namespace = 'kube-system'
  AND (object_name = 'aws-auth' OR operation = 'deletecollection')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'configmaps', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
