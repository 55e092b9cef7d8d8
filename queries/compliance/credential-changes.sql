-- title = "Changes to credentials and accounts"
-- question = "Who created, issued, approved or removed credentials and accounts?"
-- description = """
-- Service accounts, token Secrets and bootstrap tokens written or deleted, tokens issued to others
-- than the kubelet, certificate signing requests made, approved, signed or deleted, and aws-auth.
-- kind says which. The control plane and expected principals are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.4", "PCI-DSS 8.3.6", "PCI-DSS 10.2.1.5", "SOC 2 CC6.2", "NIST AC-2(4)", "NIST IA-5", "ISO 27001 A.5.16", "ISO 27001 A.5.17", "CIS 5.1.11", "CIS 5.1.13"]
-- attack = ["T1098", "T1136.003"]
-- false_positives = "CI systems and operators that request tokens for their work: name them in expected with activity tokens or csr."
-- limits = "Users of an identity provider, cloud IAM and EKS access entries are elsewhere. At level Metadata a Secret's type is not known: only bootstrap tokens are told, by their name. Grants are in rbac-changes."
-- message = "{actor}: {operation} {target} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "kind", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["system_principals", "expected"]
-- tuning = "Rows of expected for what your own automation does."
-- triage = ["token-lineage", "rbac-changes actor={actor}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["serviceaccounts", "serviceaccounts/token", "secrets", "certificatesigningrequests.certificates.k8s.io", "certificatesigningrequests.certificates.k8s.io/approval", "configmaps"]
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
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
    CASE
        WHEN subresource = 'token' THEN 'token issued'
        WHEN subresource = 'approval' THEN 'certificate approved or denied'
        WHEN subresource = 'status' THEN 'certificate signed'
        WHEN api_group = 'certificates.k8s.io' THEN 'certificate request'
        WHEN resource = 'serviceaccounts' THEN 'service account'
        WHEN resource = 'configmaps' THEN 'aws-auth'
        ELSE 'token Secret'
    END AS kind,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind IN ('object', 'token', 'approval', 'status')
  AND (
      api_group = '' AND resource = 'serviceaccounts' AND (subresource = '' OR subresource = 'token' AND operation = 'create')
      OR api_group = 'certificates.k8s.io' AND resource = 'certificatesigningrequests' AND (operation IN ('create', 'delete', 'deletecollection') OR subresource = 'approval' OR subresource = 'status' AND body_text(request_object, 'status.certificate') <> '')
      OR api_group = '' AND resource = 'secrets' AND subresource = '' AND (
          body_text(object, 'type') IN ('kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token')
          OR namespace = 'kube-system' AND object_name LIKE 'bootstrap-token-%'
      )
      OR api_group = '' AND resource = 'configmaps' AND namespace = 'kube-system' AND object_name = 'aws-auth'
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, CASE api_group WHEN 'certificates.k8s.io' THEN 'csr' ELSE 'tokens' END, namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
