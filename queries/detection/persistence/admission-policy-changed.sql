-- title = "Admission policy changed"
-- question = "Who added, changed or removed admission policies or their bindings?"
-- description = """
-- Writes of validating and mutating admission policies and of their bindings, deletes included. A policy without a
-- binding does nothing, and a binding whose validationActions lack Deny refuses nothing. outcome is succeeded,
-- refused (the attempt is one step less severe), failed, dry run, or unknown. Requests of the control plane and of
-- principals in the list expected (activity policies) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "NIST CM-3", "NIST CM-6"]
-- attack = ["T1562.001", "T1546"]
-- covers = ["Microsoft threat matrix: Malicious admission controller"]
-- differs = "Other rule sets watch webhooks only; policies in the apiserver do the same work."
-- false_positives = "Policy changes by people who review them elsewhere."
-- limits = "At level Metadata the log says that a policy changed, not how. Parameters of policies (other resources) are not included."
-- tuning = "Add GitOps tools and policy engines to expected with activity policies."
-- triage = [
--     "object-history resource={resource} name={name}", "field-changes resource={resource} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} {resource} [{name}|without a name][, validationActions {validation_actions}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "name"]
-- columns.detail = ["policy", "validation_actions", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = [
--     "validatingadmissionpolicies.admissionregistration.k8s.io",
--     "validatingadmissionpolicybindings.admissionregistration.k8s.io",
--     "mutatingadmissionpolicies.admissionregistration.k8s.io",
--     "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
-- ]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(object, 'spec.policyName') AS policy,
    body_text(object, 'spec.validationActions') AS validation_actions,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = 'admissionregistration.k8s.io'
  AND resource IN (
      'validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'mutatingadmissionpolicies',
      'mutatingadmissionpolicybindings'
  )
  AND subresource = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'policies', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
