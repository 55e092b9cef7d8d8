-- title = "Certificate approved by hand"
-- question = "Who approved certificate signing requests that the cluster's own controllers did not?"
-- description = """
-- Approvals of certificate signing requests by anybody but the controllers that approve nodes. decision is
-- approved, denied (info: nothing was issued), or unknown where the log does not show the conditions. The approval
-- of a kubelet's certificate is medium, and by a service account low. A refused attempt, a failed one and a dry
-- run have a row, too, one step less severe: see outcome. Requests of the control plane and of principals in the
-- list expected (activity csr) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 3.1.1", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1098", "T1550"]
-- covers = [
--     "Elastic: Kubernetes Client Certificate Signing Request Created or Approved", "Google SCC: CSR approved",
-- ]
-- false_positives = "Administrators of clusters in which people approve serving certificates of kubelets."
-- limits = "At level Metadata a denial looks like an approval, and the signer is unknown."
-- tuning = "Add approvers to expected with activity csr."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} decided about certificate {name}[ of signer {signer}][, requested by {requested_by}]: {decision} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "name", "decision"]
-- columns.detail = ["signer", "requested_by", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io/approval"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN body_text(object, 'status.conditions') LIKE '%"type":"Denied"%' THEN 'info'
            WHEN body_text(object, 'spec.signerName')
                IN ('kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet')
                THEN CASE WHEN principal LIKE 'system:serviceaccount:%' THEN 'low' ELSE 'medium' END
            ELSE 'high'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    CASE
        WHEN body_text(object, 'status.conditions') LIKE '%"type":"Denied"%' THEN 'denied'
        WHEN body_text(object, 'status.conditions') LIKE '%"type":"Approved"%' THEN 'approved'
        ELSE 'unknown'
    END AS decision,
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
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
