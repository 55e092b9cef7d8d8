-- title = "Namespace created"
-- question = "Who created namespaces?"
-- description = """
-- Namespaces that were created: an inventory. Requests of the control plane and of principals in the list expected
-- (activity namespaces) are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3"]
-- attack = ["T1578"]
-- covers = ["Falco: K8s Namespace Created", "Falco: Create Disallowed Namespace"]
-- false_positives = "Preview environments and onboarding of teams."
-- limits = "Projects of OpenShift are created through projectrequests; their namespace is created by the apiserver."
-- tuning = "Add what is meant to do this to expected with activity namespaces."
-- triage = ["namespace-access namespace={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} created namespace [{name}|without a name]"
-- columns.key = ["actor", "principal", "operation", "name"]
-- columns.detail = ["peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["namespaces"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    'info' AS severity,
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
  AND resource = 'namespaces'
  AND subresource = ''
  AND operation = 'create'
  AND outcome = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'namespaces', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
