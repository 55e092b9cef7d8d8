-- title = "Stale service account token used"
-- question = "Which clients use service account tokens that they should have refreshed?"
-- description = """
-- Requests with a service account token that is older than the apiserver likes (one hour for the
-- tokens of pods), which it annotates, one row per client. It works for a year on clusters that extend
-- the life of tokens (the default), and not at all afterwards. A token that was copied out of a pod is
-- not refreshed, either. Accounts in the list expected, activity tokens, are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.6", "PCI-DSS 8.6.3", "NIST IA-5"]
-- attack = ["T1550.001", "T1528"]
-- false_positives = "Old client libraries that read the token once at their start."
-- limits = "Where a delivery drops annotations nothing is found."
-- message = "{principal}[ in pod {pod_name}] used a token {seconds_late} s after it should have been refreshed[ with {user_agent}] ({requests}×)"
-- columns.key = ["principal", "pod_name", "client_ip", "user_agent"]
-- columns.detail = ["first_seen", "last_seen", "peer_ip"]
-- tables = ["expected"]
-- triage = ["principal-timeline principal={principal}", "token-lineage credential={credential_id}", "tokens-used-off-pod"]
-- tuning = "Add accounts of old clients to expected, activity tokens."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["annotations"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    'succeeded' AS outcome,
    principal,
    max(actor) AS actor,
    service_account_namespace AS namespace,
    pod_name,
    credential_id,
    max(seconds) AS seconds_late,
    count(*) AS requests,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        requests.*,
        TRY_CAST(regexp_match(annotations['authentication.k8s.io/stale-token'], 'seconds after warning threshold: ([0-9]+)')[1] AS BIGINT) AS seconds
    FROM requests
    WHERE annotations['authentication.k8s.io/stale-token'] IS NOT NULL
      AND NOT listed('expected', principal, 'tokens', service_account_namespace)
) AS stale
GROUP BY principal, service_account_namespace, pod_name, credential_id, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, pod_name, credential_id, client_ip, peer_ip, user_agent
