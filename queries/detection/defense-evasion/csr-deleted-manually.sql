-- title = "Certificate signing requests deleted"
-- question = "Who deleted, or tried to delete, certificate signing requests?"
-- description = """
-- Deletes of CertificateSigningRequests by anyone but the controller that cleans them up. A certificate
-- that was issued stays valid; without the request nobody sees in the cluster that it exists."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1070"]
-- controls = ["NIST AU-9", "PCI-DSS 10.3.2"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Scripts that create a user's certificate and tidy up after themselves. They are worth knowing, because they can issue certificates."
-- tuning = "Add tools that manage certificates to the list expected, with the activity csr."
-- limits = "The log does not say what a deleted request was for: look for its create, with object-history."
-- message = "{actor} deleted [the certificate signing request {name}|all certificate signing requests] ({outcome})"
-- columns.key = ["actor", "principal", "verb", "name", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- covers = ["G: MANUALLY_DELETED_CSR"]
-- differs = "Deletes by service accounts and deletecollection count too."
-- triage = ["object-history resource=certificatesigningrequests name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["certificatesigningrequests.certificates.k8s.io"]
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE verb IN ('delete', 'deletecollection')
  AND resource = 'certificatesigningrequests'
  AND api_group = 'certificates.k8s.io'
  AND subresource = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
