-- title = "Certificate requested and approved by the same person"
-- question = "Who approved their own certificate signing request?"
-- description = """
-- Approvals of a certificate signing request by who created it, at most within before: the same principal, or the
-- same actor. Who may do both can issue logins in any name. A refused approval has a row, too, one step less
-- severe. Requests of the control plane and of principals in the list expected (activity csr) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 3.1.1", "SOC 2 CC6.1", "NIST AC-5", "NIST IA-5"]
-- attack = ["T1098", "T1550"]
-- covers = ["Elastic GKE: self-approved certificate signing request"]
-- differs = "Elastic's rule joins by actor within five minutes; this looks at who is behind an impersonation, too, and its window is a parameter."
-- false_positives = "Automation of a PKI: add it to expected with activity csr."
-- limits = "A request that was created before the log begins, or with generateName at level Metadata, cannot be matched."
-- tuning = "Raise or lower within. Add automation to expected with activity csr."
-- triage = [
--     "object-history resource={resource} name={name}", "csr-privileged-subject actor={actor}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} approved certificate {name} {minutes} minutes after asking for it ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "name"]
-- columns.detail = ["first_seen", "signer", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "certificatesigningrequests.certificates.k8s.io", "certificatesigningrequests.certificates.k8s.io/approval",
-- ]
-- columns = ["response_code"]
-- [parameters.within]
-- type = "duration"
-- default = "24h"
-- doc = "At most this long after the request was created."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    created_at AS first_seen,
    approved_at AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    name,
    CAST(date_part('epoch', approved_at - created_at) / 60 AS BIGINT) AS minutes,
    signer,
    response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    -- Without a column stage_timestamp a row stands for both requests.
    SELECT
        stage_timestamp AS approved_at, cluster, name, actor, principal, operation, outcome, response_code, client_ip, peer_ip,
        user_agent, audit_id, source_file, source_offset
    FROM write_requests
    WHERE api_group = 'certificates.k8s.io'
      AND resource = 'certificatesigningrequests'
      AND subresource = 'approval'
      AND operation IN ('update', 'patch')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'csr', namespace)
      AND ($actor IS NULL OR actor = $actor OR principal = $actor)
) AS approved
INNER JOIN (
    SELECT
        stage_timestamp AS created_at, cluster AS created_in, object_name, actor AS creator, principal AS creating_principal,
        body_text(object, 'spec.signerName') AS signer
    FROM write_requests
    WHERE api_group = 'certificates.k8s.io'
      AND resource = 'certificatesigningrequests'
      AND subresource = ''
      AND operation = 'create'
      AND outcome = 'succeeded'
) AS created
    ON name = object_name AND (cluster IS NOT DISTINCT FROM created_in)
WHERE (principal = creating_principal OR actor = creator)
  AND approved_at >= created_at
  AND date_part('epoch', approved_at - created_at) <= $within / 1000
-- A name can be used again: the latest request of that name counts.
QUALIFY row_number() OVER (PARTITION BY cluster, audit_id, source_file, source_offset ORDER BY created_at DESC) = 1
ORDER BY approved_at, source_file, source_offset, audit_id
