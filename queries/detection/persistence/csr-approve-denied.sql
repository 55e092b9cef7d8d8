-- title = "Certificate approval refused"
-- question = "Who tried to approve a certificate without the right to do so?"
-- description = """
-- Approvals of certificate signing requests that were refused (403): by RBAC, or because the user may not approve
-- for that signer. A refused attempt, a failed one and a dry run have a row, too, one step less severe: see
-- outcome. Requests of the control plane and of principals in the list expected (activity csr) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST AC-3", "NIST IA-5"]
-- attack = ["T1098"]
-- covers = ["Google SCC: failed attempt to approve a CSR"]
-- false_positives = "Administrators with too narrow a role."
-- limits = "The log does not tell a refused approval from a refused denial, unless it has the body."
-- tuning = "Add what is meant to do this to expected with activity csr."
-- triage = [
--     "denied-requests actor={actor}", "object-history resource={resource} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} was refused the approval of certificate {name}[: {response_message}]"
-- columns.key = ["actor", "principal", "name"]
-- columns.detail = ["response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io/approval"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    'medium' AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    authz_decision,
    response_message,
    body_text(object, 'spec.signerName') AS signer,
    body_text(object, 'spec.username') AS requested_by,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = 'certificates.k8s.io'
  AND resource = 'certificatesigningrequests'
  AND subresource = 'approval'
  AND operation IN ('update', 'patch')
  AND outcome = 'refused'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
