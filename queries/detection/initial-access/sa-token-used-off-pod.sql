-- title = "Service account token used outside its pod"
-- question = "Which service accounts are used by something other than their pods?"
-- description = """
-- Requests with tokens of service accounts that are bound to no pod (made by TokenRequest for somebody,
-- or kept in a secret), and, if cluster_networks names pod or node networks, tokens used from elsewhere.
-- One row per service account, address and sign. high if the service account's pods are in the log,
-- too, if it is one of the control plane's controllers, or if the address is outside the cluster's
-- networks; medium if it is used with kubectl, a script or several programs; else low."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.1", "NIST IA-5", "CIS 5.1.6"]
-- attack = ["T1528", "T1550.001"]
-- false_positives = "Pipelines and tools outside the cluster that have a token of their own."
-- tuning = "Give them in the list expected, with the activity tokens; give the cluster's networks in cluster_networks (kind pod and node)."
-- limits = "Needs user.extra (Kubernetes 1.29 and later for all tokens); GKE does not log it. A stolen bound token keeps the name of its pod: only its address can give it away."
-- message = "{principal} used from [{client_ip}|an unknown address]: {why} ({requests}×)"
-- triage = ["token-lineage credential={credential_id}", "principal-timeline principal={principal}", "secrets-read actor={principal}"]
-- covers = []
-- differs = "No rival has it."
-- tables = ["cluster_networks", "system_principals", "expected"]
-- columns.key = ["principal", "client_ip", "why"]
-- columns.detail = ["programs", "credentials", "first_seen", "last_seen", "peer_ip"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["user_extra"]
SELECT
    first_seen,
    last_seen,
    CASE
        WHEN why = 'outside the cluster''s networks' OR of_control_plane OR has_pods THEN 'high'
        WHEN by_hand OR programs > 1 THEN 'medium'
        ELSE 'low'
    END AS severity,
    CASE WHEN succeeded > 0 THEN 'succeeded' ELSE 'refused' END AS outcome,
    why,
    principal,
    requests,
    succeeded,
    program_names AS programs,
    credentials,
    credential_id,
    client_ip,
    peer_ip
FROM (
    SELECT
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        why,
        principal,
        count(*) AS requests,
        count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded,
        count(DISTINCT program) AS programs,
        array_slice(array_agg(DISTINCT program ORDER BY program), 1, 20) AS program_names,
        bool_or(regexp_like(program, '^(?:|kubectl|oc|k9s|curl|wget|python.*|powershell|httpie|postman.*|insomnia)$', 'i')) AS by_hand,
        count(DISTINCT credential_id) AS credentials,
        min(credential_id) AS credential_id,
        client_ip,
        peer_ip,
        bool_or(of_control_plane) AS of_control_plane,
        bool_or(why = 'in its pod') OVER (PARTITION BY cluster, principal) AS has_pods
    FROM (
        SELECT
            cluster,
            stage_timestamp,
            outcome(response_code, dry_run) AS outcome,
            CASE
                WHEN known.networks > 0
                    AND NOT listed('cluster_networks', client_ip, 'pod') AND NOT listed('cluster_networks', client_ip, 'node')
                    AND client_ip NOT IN ('127.0.0.1', '::1')
                    THEN 'outside the cluster''s networks'
                WHEN pod_name IS NOT NULL THEN 'in its pod'
                WHEN annotations['authentication.k8s.io/legacy-token'] IS NOT NULL THEN 'token kept in a secret'
                WHEN credential_id IS NOT NULL THEN 'token of no pod'
            END AS why,
            principal,
            coalesce(split_part(user_agent, '/', 1), '') AS program,
            credential_id,
            client_ip,
            peer_ip,
            listed('system_principals', principal) AS of_control_plane
        FROM requests
        CROSS JOIN (SELECT count(*) AS networks FROM cluster_networks WHERE kind IN ('pod', 'node')) AS known
        WHERE username LIKE 'system:serviceaccount:%'
          -- The controller manager uses a token per controller, with the controller's name behind its own.
          AND NOT (
              listed('system_principals', principal)
              AND (user_agent LIKE 'kube-controller-manager/%' OR user_agent LIKE concat('%/', username) OR user_agent LIKE '%cloud-controller-manager%')
          )
          AND NOT listed('expected', principal, 'tokens', service_account_namespace)
    ) AS used
    WHERE why IS NOT NULL
    GROUP BY cluster, why, principal, client_ip, peer_ip
) AS judged
WHERE why <> 'in its pod'
ORDER BY first_seen, principal, client_ip, peer_ip, why
