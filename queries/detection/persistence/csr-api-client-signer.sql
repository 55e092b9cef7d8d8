-- title = "Client certificate for the apiserver requested"
-- question = "Who asked for a certificate that the apiserver accepts as a login?"
-- description = """
-- Certificate signing requests for signer kubernetes.io/kube-apiserver-client: the certificate is a login in any
-- name and group but system:masters, valid until it expires. A refused attempt, a failed one and a dry run have a
-- row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity csr) are left out."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 3.1.1", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1098", "T1550"]
-- covers = [
--     "Elastic GKE: client certificate signing request", "Panther: Kubernetes Client Certificate Created",
--     "Stratus: k8s.persistence.create-client-certificate",
-- ]
-- false_positives = "People who renew their own client certificate, and tools that hand out kubeconfigs."
-- limits = "At level Metadata the log does not show the signer: see csr-created."
-- tuning = "Add what is meant to do this to expected with activity csr."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} asked for a login certificate, [{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "name"]
-- columns.detail = ["signer", "usages", "expiration_seconds", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io"]
-- level = "Request"
-- columns = ["response_code", "request_object"]
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
    body_text(object, 'spec.signerName') AS signer,
    body_text(object, 'spec.usages') AS usages,
    body_text(object, 'spec.expirationSeconds') AS expiration_seconds,
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
  AND subresource = ''
  AND operation = 'create'
  AND body_text(object, 'spec.signerName') = 'kubernetes.io/kube-apiserver-client'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
