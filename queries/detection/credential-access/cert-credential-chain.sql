-- title = "Approved certificate used"
-- question = "Which client certificates were approved by hand and then used?"
-- description = """
-- Certificate signing requests that somebody other than the control plane approved, and whose
-- certificate was then used to authenticate, one row per certificate. match is exact if the log shows
-- the certificate (level RequestResponse); then the row is high. Otherwise it is likely: a certificate
-- appears for the first time within an hour after the approval, from the address of whoever asked for
-- or approved it, for another user (medium). Approvers in the list expected, activity csr, are left
-- out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 3.1.1", "PCI-DSS 8.3.1", "SOC 2 CC6.1", "NIST IA-5(2)"]
-- attack = ["T1098", "T1550"]
-- false_positives = "Onboarding of a user with a certificate; public key infrastructure that approves by script."
-- limits = "Needs the ids of credentials in the log (Kubernetes 1.30 and later, not GKE). Below level RequestResponse, a certificate that is first used later or from elsewhere is not seen, and one that is merely new in the log can be taken for it."
-- message = "{principal}[ as {acted_as}] approved the certificate {name}, used by {credential_user} from {used_from} ({uses}×, match {match})"
-- columns.key = ["principal", "actor", "name", "credential_user", "credential"]
-- columns.detail = ["match", "first_used_at", "last_used_at", "client_ip"]
-- tables = ["system_principals", "expected"]
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={credential_user}", "principal-timeline principal={principal}"]
-- tuning = "Add approvers to expected, activity csr."
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io/approval"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["credential_id"]
-- [parameters.window]
-- type = "duration"
-- default = "1h"
-- doc = "Time after the approval in which a new certificate is likely the approved one."
WITH approvals AS (
    SELECT
        cluster, stage_timestamp AS approved_at, principal, actor, actor_kind, verb, object_name AS name, client_ip, peer_ip,
        user_agent, credential AS known_credential
    FROM credentials
    WHERE issued
      AND credential_kind = 'certificate'
      AND subresource = 'approval'
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'csr', namespace)
),
-- Whoever asked for the certificate, or approved it, is likely to use it.
candidates AS (
    SELECT approvals.*, client_ip AS near_ip, principal AS near_principal
    FROM approvals
    WHERE known_credential IS NULL
    UNION ALL
    SELECT approvals.*, asked_ip AS near_ip, asked_by AS near_principal
    FROM approvals
    JOIN (
        SELECT cluster AS asked_cluster, object_name AS asked_name, client_ip AS asked_ip, principal AS asked_by
        FROM write_requests
        WHERE api_group = 'certificates.k8s.io'
          AND resource = 'certificatesigningrequests'
          AND subresource = ''
          AND operation = 'create'
          AND outcome = 'succeeded'
    ) AS asked ON name = asked_name AND cluster IS NOT DISTINCT FROM asked_cluster
    WHERE known_credential IS NULL
      AND (asked_ip IS DISTINCT FROM client_ip)
),
appeared AS (
    SELECT cluster AS new_cluster, credential AS new_credential, credential_user AS new_user, client_ip AS new_ip, first_used_at AS new_at
    FROM credentials
    WHERE NOT issued
      AND credential_kind = 'certificate'
      AND NOT listed('system_principals', credential_user)
),
matches AS (
    SELECT
        cluster, approved_at, principal, actor, actor_kind, verb, name, client_ip, peer_ip, user_agent,
        known_credential AS credential, 'exact' AS match
    FROM approvals
    WHERE known_credential IS NOT NULL
    UNION ALL
    SELECT
        cluster, approved_at, principal, actor, actor_kind, verb, name, client_ip, peer_ip, user_agent,
        new_credential AS credential, 'likely' AS match
    FROM candidates
    JOIN appeared ON near_ip = new_ip AND cluster IS NOT DISTINCT FROM new_cluster AND new_at >= approved_at
    WHERE CAST(new_at AS BIGINT) - CAST(approved_at AS BIGINT) <= $window*1000
      AND new_user <> principal
      AND new_user <> near_principal
),
used AS (
    SELECT
        cluster AS use_cluster, credential_id, username AS use_user, client_ip AS use_ip, request_received_timestamp AS used_at
    FROM requests
    WHERE credential_id LIKE 'X509%'
)
SELECT
    approved_at,
    CASE WHEN match = 'exact' THEN 'high' ELSE 'medium' END AS severity,
    'succeeded' AS outcome,
    match,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verb,
    name,
    use_user AS credential_user,
    credential,
    count(*) AS uses,
    min(used_at) AS first_used_at,
    max(used_at) AS last_used_at,
    array_agg(DISTINCT use_ip ORDER BY use_ip) FILTER (WHERE use_ip IS NOT NULL) AS used_from,
    client_ip,
    peer_ip,
    user_agent
FROM matches
JOIN used ON credential = credential_id AND cluster IS NOT DISTINCT FROM use_cluster
GROUP BY approved_at, match, principal, actor, actor_kind, verb, name, use_user, credential, client_ip, peer_ip, user_agent
ORDER BY approved_at, name, credential, credential_user, principal
