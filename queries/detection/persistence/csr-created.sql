-- title = "Certificate requested"
-- question = "Who asked for a certificate that is not a node's own?"
-- description = """
-- Certificate signing requests by anybody but a node that joins or renews its certificate. An approved request for
-- signer kubernetes.io/kube-apiserver-client is a login that no revocation ends. Signers outside kubernetes.io are
-- low: their certificates are no logins to the apiserver. A refused attempt, a failed one and a dry run have a
-- row, too, one step less severe: see outcome. Requests of the control plane and of principals in the list
-- expected (activity csr) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 3.1.1", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1098", "T1550"]
-- covers = [
--     "Elastic: Kubernetes Client Certificate Signing Request Created or Approved",
--     "Panther: Kubernetes Client Certificate Created", "Stratus: k8s.persistence.create-client-certificate",
-- ]
-- false_positives = "People who renew their own client certificate."
-- limits = "At level Metadata the log does not show the signer: a node's identity that asks for somebody else's certificate has no row then. Certificates issued outside the API (kubeadm, a CA's owner) leave no trace."
-- tuning = "Add what is meant to do this to expected with activity csr."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} asked for certificate [{name}|without a name][ of signer {signer}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "name", "signer"]
-- columns.detail = ["usages", "expiration_seconds", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(
        CASE WHEN body_text(object, 'spec.signerName') NOT LIKE 'kubernetes.io/%' THEN 'low' ELSE 'medium' END,
        outcome
    ) AS severity,
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
  -- A node that joins or renews its certificate.
  AND (
      (
          principal LIKE 'system:bootstrap:%'
          OR array_has(user_groups, 'system:bootstrappers')
          OR array_has(user_groups, 'system:nodes')
      )
      AND coalesce(body_text(object, 'spec.signerName'), '')
          IN ('', 'kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving')
  ) IS NOT TRUE
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
