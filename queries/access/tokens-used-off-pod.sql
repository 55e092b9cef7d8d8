-- title = "Service account tokens used away from their pod"
-- question = "Which service account tokens are used away from a pod?"
-- description = """
-- Uses of service account tokens that do not come from the pod that the token belongs to, one row per
-- token, address and program. reason is other address (the token is bound to a pod and was used from
-- another address than at first), outside the cluster (it is bound to a pod, and the address is not in
-- the networks of kind pod or node of the list cluster_networks), legacy token (from a secret), or not
-- bound to a pod (minted with kubectl create token or by a program). The control plane and accounts in
-- the list expected, activity tokens, are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.1.6", "PCI-DSS 8.6.2", "SOC 2 CC6.1", "NIST IA-5", "NIST SI-4"]
-- attack = ["T1528", "T1550.001"]
-- false_positives = "Pipelines and monitoring outside the cluster, vaults that mint tokens, nodes with several addresses."
-- limits = "Needs the extra facts of Kubernetes 1.30 and later about credentials and pods, which GKE does not record. Without the networks of pods and nodes, only a change of address shows that a bound token left its pod. client_ip can be forged. Whoever uses a token in its own pod is not seen."
-- message = "{principal}: token[ of pod {pod_name}] used from {client_ip}[ with {user_agent}]: {reason} ({requests}×)"
-- columns.key = ["principal", "credential", "reason", "client_ip", "user_agent"]
-- columns.detail = ["first_seen", "last_seen", "peer_ip", "refused"]
-- tables = ["cluster_networks", "system_principals", "expected"]
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={principal}", "unattended-clients"]
-- tuning = "Give the networks of pods and nodes with --table cluster_networks=FILE; add accounts that are used from outside to expected, activity tokens."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["user_extra"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN reason IN ('other address', 'outside the cluster') THEN 'medium' ELSE 'low' END AS severity,
    reason,
    username AS principal,
    actor,
    credential_id AS credential,
    pod_name,
    count(*) AS requests,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        placed.*,
        CASE
            WHEN annotations['authentication.k8s.io/legacy-token'] IS NOT NULL THEN 'legacy token'
            WHEN pod_name IS NOT NULL AND has_networks AND NOT listed('cluster_networks', client_ip, 'pod')
                AND NOT listed('cluster_networks', client_ip, 'node') THEN 'outside the cluster'
            -- A pod has one address of each family.
            WHEN pod_name IS NOT NULL AND (client_ip IS DISTINCT FROM first_ip) THEN 'other address'
            WHEN pod_name IS NULL AND credential_id LIKE 'JTI=%' THEN 'not bound to a pod'
        END AS reason
    FROM (
        SELECT
            requests.*,
            has_networks,
            first_ip
        FROM requests
        LEFT JOIN (
            SELECT
                cluster AS first_cluster,
                credential_id AS first_credential,
                client_ip LIKE '%:%' AS is_v6,
                first_value(client_ip ORDER BY request_received_timestamp, stage_timestamp, audit_id) AS first_ip
            FROM requests
            WHERE credential_id LIKE 'JTI=%' AND pod_name IS NOT NULL AND client_ip IS NOT NULL
            GROUP BY cluster, credential_id, client_ip LIKE '%:%'
        ) AS firsts
            ON credential_id = first_credential AND (client_ip LIKE '%:%') = is_v6 AND cluster IS NOT DISTINCT FROM first_cluster
        CROSS JOIN (SELECT count(*) > 0 AS has_networks FROM cluster_networks WHERE kind IN ('pod', 'node')) AS networks
        WHERE username LIKE 'system:serviceaccount:%'
          AND client_ip IS NOT NULL
          AND NOT listed('system_principals', username)
          AND NOT listed('expected', username, 'tokens', split_part(username, ':', 3))
    ) AS placed
) AS judged
WHERE reason IS NOT NULL
GROUP BY reason, username, actor, credential_id, pod_name, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, credential, reason, client_ip, peer_ip, user_agent
