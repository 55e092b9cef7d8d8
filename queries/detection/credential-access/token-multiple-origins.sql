-- title = "Service account token used from several places"
-- question = "Which service account tokens were used from more than one address?"
-- description = """
-- Service account tokens, by the id of the credential, that were used from several addresses, one row
-- per token. The addresses of one pod in IPv4 and IPv6 count as one place. High if the token is bound
-- to a pod and the addresses use different programs: a pod has one address, so the token was copied.
-- Medium for other tokens with different programs. Low if all addresses use the same programs, as
-- behind an egress gateway or in a pipeline with several runners. The control plane and the accounts
-- in the list expected, activity tokens, are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.6.2", "SOC 2 CC7.2", "NIST IA-5", "NIST SI-4"]
-- attack = ["T1550.001", "T1528"]
-- false_positives = "Nodes with several addresses behind which pods hide, proxies in front of the apiserver, tools outside the cluster that move."
-- limits = "Needs the ids of credentials in the log: Kubernetes 1.30 and later, not GKE. A client can forge its address (client_ip) with X-Forwarded-For; peers are those that connected. first_seen and last_seen are those of the first three requests of each address and program. Whoever uses a stolen token from the pod itself is not seen."
-- message = "the token of {principal}[ in pod {pod}] was used from {address_count} addresses: {origins}"
-- columns.key = ["principal", "credential"]
-- columns.detail = ["pod", "peers", "first_seen", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["token-lineage credential={credential}", "principal-timeline principal={principal}", "tokens-used-off-pod"]
-- tuning = "Add accounts whose tokens are used outside the cluster to expected, activity tokens."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["credential_id"]
WITH numbered AS (
    SELECT
        requests.*,
        split_part(coalesce(user_agent, 'no user agent'), ' ', 1) AS program,
        row_number() OVER (
            PARTITION BY cluster, credential_id, client_ip, split_part(coalesce(user_agent, 'no user agent'), ' ', 1)
            ORDER BY stage_timestamp, source_file, source_offset
        ) AS place
    FROM requests
    -- Few tokens have several addresses: only their requests are sorted.
    WHERE credential_id IN (
        SELECT credential_id
        FROM requests
        WHERE credential_id LIKE 'JTI=%'
        GROUP BY credential_id
        HAVING count(DISTINCT client_ip) > 1
    )
      AND client_ip IS NOT NULL
      AND username LIKE 'system:serviceaccount:%'
      AND NOT listed('system_principals', username)
)
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE
        -- Each address uses each program.
        WHEN count(DISTINCT concat(client_ip, ' ', program)) = count(DISTINCT client_ip)*count(DISTINCT program) THEN 'low'
        WHEN max(pod_name) IS NOT NULL THEN 'high'
        ELSE 'medium'
    END AS severity,
    'succeeded' AS outcome,
    username AS principal,
    username AS actor,
    max(pod_name) AS pod,
    split_part(username, ':', 3) AS namespace,
    credential_id AS credential,
    count(DISTINCT client_ip) AS address_count,
    array_agg(DISTINCT concat(client_ip, ' ', program) ORDER BY concat(client_ip, ' ', program)) AS origins,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peers
FROM numbered
-- The first requests of each origin are evidence enough, and none of them hides behind those of another.
WHERE place <= 3
  AND NOT listed('expected', username, 'tokens', split_part(username, ':', 3))
GROUP BY cluster, credential_id, username
HAVING count(DISTINCT client_ip) FILTER (WHERE client_ip LIKE '%:%') > 1
    OR count(DISTINCT client_ip) FILTER (WHERE client_ip NOT LIKE '%:%') > 1
ORDER BY first_seen, principal, credential
