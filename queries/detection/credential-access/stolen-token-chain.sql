-- title = "Minted token used elsewhere"
-- question = "Which service account tokens were minted by a request and then used from another place?"
-- description = """
-- Service account tokens that somebody other than the kubelet and the control plane asked for
-- (serviceaccounts/token), and that were then used from an address or with a program that differs from
-- the minter's, one row per token. High if the token is for a service account of a system namespace,
-- if the minter acted as somebody else, or if it was used from another address by a program that asked
-- for it with another one; medium otherwise; low if the minter is in system:masters or
-- kubeadm:cluster-admins, and needs no token to have the same rights. Minters in the list expected,
-- activity tokens, are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 5.1.13", "PCI-DSS 8.6.2", "SOC 2 CC7.2", "NIST IA-5"]
-- attack = ["T1528", "T1550.001"]
-- false_positives = "kubectl create token for a tool outside the cluster; pipelines and vaults that mint tokens for others."
-- limits = "Needs the ids of credentials in the log: Kubernetes 1.30 and later, not GKE. A proxy can make one place look like two. A use outside the window, or of a token minted before it, is not seen."
-- message = "{principal}[ as {acted_as}] minted a token for {credential_user}, used {uses}× from [{used_from}|an unknown address][ with {used_with}]"
-- columns.key = ["principal", "actor", "credential_user", "credential"]
-- columns.detail = ["client_ip", "user_agent", "first_used_at", "last_used_at"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={principal}", "principal-timeline principal={credential_user}"]
-- tuning = "Add pipelines and vaults that mint tokens to expected, activity tokens."
-- covers = ["Stratus: k8s.persistence.create-token"]
-- differs = "The others report that a token was requested; here its use is followed by the id of the credential."
-- [[needs]]
-- verbs = ["create"]
-- resources = ["serviceaccounts/token"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["credential_id"]
WITH minted AS (
    SELECT
        cluster AS mint_cluster,
        stage_timestamp AS minted_at,
        principal,
        actor,
        actor_kind,
        impersonated_username,
        array_has(user_groups, 'system:masters') OR array_has(user_groups, 'kubeadm:cluster-admins') AS is_master,
        annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
        concat('system:serviceaccount:', namespace, ':', name) AS credential_user,
        namespace,
        name,
        client_ip,
        peer_ip,
        user_agent
    FROM write_requests
    WHERE write_kind = 'token'
      AND outcome = 'succeeded'
      AND annotations['authentication.kubernetes.io/issued-credential-id'] IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'tokens', namespace)
),
-- The first requests of each origin are evidence enough, and none of them hides behind those of another.
used AS (
    SELECT
        cluster AS use_cluster,
        credential_id,
        client_ip AS use_ip,
        user_agent AS use_agent,
        max(origin_uses) AS origin_uses,
        min(origin_first) AS origin_first,
        max(origin_last) AS origin_last
    FROM (
        SELECT
            requests.*,
            count(*) OVER (PARTITION BY cluster, credential_id, client_ip, user_agent) AS origin_uses,
            min(request_received_timestamp) OVER (PARTITION BY cluster, credential_id, client_ip, user_agent) AS origin_first,
            max(stage_timestamp) OVER (PARTITION BY cluster, credential_id, client_ip, user_agent) AS origin_last,
            row_number() OVER (
                PARTITION BY cluster, credential_id, client_ip, user_agent ORDER BY stage_timestamp, source_file, source_offset
            ) AS place
        FROM requests
        WHERE credential_id LIKE 'JTI=%'
          AND credential_id IN (SELECT credential FROM minted)
    ) AS numbered
    WHERE place <= 3
    GROUP BY cluster, credential_id, client_ip, user_agent
)
SELECT
    minted_at,
    CASE
        WHEN is_master AND impersonated_username IS NULL THEN 'low'
        WHEN listed('system_namespaces', namespace) OR impersonated_username IS NOT NULL THEN 'high'
        WHEN bool_or((use_ip IS DISTINCT FROM client_ip) AND (use_agent IS DISTINCT FROM user_agent)) THEN 'high'
        ELSE 'medium'
    END AS severity,
    'succeeded' AS outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    credential_user,
    credential,
    namespace,
    name,
    CAST(sum(origin_uses) AS BIGINT) AS uses,
    min(origin_first) AS first_used_at,
    max(origin_last) AS last_used_at,
    array_agg(DISTINCT use_ip ORDER BY use_ip) FILTER (WHERE use_ip IS NOT NULL) AS used_from,
    array_agg(DISTINCT use_agent ORDER BY use_agent) FILTER (WHERE use_agent IS NOT NULL) AS used_with,
    client_ip,
    peer_ip,
    user_agent
FROM minted
JOIN used ON credential = credential_id AND mint_cluster IS NOT DISTINCT FROM use_cluster
WHERE (use_ip IS DISTINCT FROM client_ip) OR (use_agent IS DISTINCT FROM user_agent)
GROUP BY
    minted_at, is_master, principal, actor, actor_kind, impersonated_username, credential_user, credential, namespace, name,
    client_ip, peer_ip, user_agent
ORDER BY minted_at, credential, principal, actor
