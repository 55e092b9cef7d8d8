-- title = "Certificate signing requests"
-- question = "Which certificates are asked for, and are they approved and issued?"
-- description = """
-- Certificate signing requests by requester and signer: how many were created, approved, denied,
-- issued or refused. pending counts those that were created and neither approved, denied nor
-- deleted in the log. signer is known at level Request."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "NIST IA-5(2)", "CIS 4.2.11"]
-- attack = []
-- false_positives = "Nodes that join and rotate: two requests a node, then one in some months."
-- limits = "A certificate's time of expiry is in it, not in the log. Requests that were approved before the log begins do not show."
-- message = "{requester}[ ({signer})]: {created} created, {approved} approved, {denied} denied, {issued} issued, {pending} pending"
-- columns.key = ["requester", "signer"]
-- columns.detail = ["created", "approved", "denied", "issued", "pending", "last_seen"]
-- triage = ["credential-changes", "token-lineage"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete"]
-- resources = ["certificatesigningrequests.certificates.k8s.io", "certificatesigningrequests.certificates.k8s.io/approval", "certificatesigningrequests.certificates.k8s.io/status"]
WITH written AS (
    SELECT
        cluster, object_name, stage_timestamp,
        CASE WHEN write_kind = 'object' AND operation = 'create' AND outcome = 'succeeded' THEN actor END AS requester,
        CASE WHEN write_kind = 'object' AND operation = 'create' THEN body_text(object, 'spec.signerName') END AS signer,
        CASE WHEN write_kind = 'object' AND operation = 'create' AND outcome = 'succeeded' THEN 1 END AS created,
        CASE WHEN write_kind = 'approval' AND outcome = 'succeeded' AND (body_text(object, 'status.conditions') LIKE '%"Denied"%') IS NOT TRUE THEN 1 END AS approved,
        CASE WHEN write_kind = 'approval' AND outcome = 'succeeded' AND body_text(object, 'status.conditions') LIKE '%"Denied"%' THEN 1 END AS denied,
        CASE WHEN write_kind = 'status' AND outcome = 'succeeded' THEN 1 END AS issued,
        CASE WHEN operation = 'delete' AND outcome = 'succeeded' THEN 1 END AS deleted
    FROM write_requests
    WHERE api_group = 'certificates.k8s.io'
      AND resource = 'certificatesigningrequests'
),
by_request AS (
    SELECT
        coalesce(min(requester), 'created before the log') AS requester,
        min(signer) AS signer,
        max(created) AS created,
        max(approved) AS approved,
        max(denied) AS denied,
        max(issued) AS issued,
        CASE WHEN max(created) = 1 AND max(approved) IS NULL AND max(denied) IS NULL AND max(deleted) IS NULL THEN 1 END AS pending,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM written
    WHERE object_name <> ''
    GROUP BY cluster, object_name
)
SELECT
    requester,
    signer,
    count(created) AS created,
    count(approved) AS approved,
    count(denied) AS denied,
    count(issued) AS issued,
    count(pending) AS pending,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM by_request
GROUP BY requester, signer
HAVING count(created) + count(approved) + count(denied) + count(issued) > 0
ORDER BY created DESC, requester, signer
