-- title = "Service account or node from a public address"
-- question = "Which service accounts or nodes reached the apiserver from the internet?"
-- description = """
-- Requests of service accounts and nodes whose addresses are all public, unless a kubelet comes from the
-- same address (then it is the cluster's own way out) or it is in the list cluster_networks. One row per
-- principal, address and outcome. Such a credential belongs in the cluster."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.6", "NIST AC-17", "PCI-DSS 1.4.1"]
-- attack = ["T1528", "T1078"]
-- false_positives = "Pipelines outside the cluster that use the token of a service account, and clusters whose kubelets are not in the log."
-- tuning = "Give the cluster's own addresses in cluster_networks (kind node), and pipelines in the list expected, with the activity tokens."
-- limits = "If the audit policy leaves out the kubelets, a cluster that reaches its apiserver through a public address has all its service accounts here."
-- message = "{principal} sent {requests} request(s) from public address {client_ip} ({outcome})"
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "secrets-read actor={principal}"]
-- covers = ["Panther: Kubernetes.System.Principal.PublicIP"]
-- differs = "Learns the cluster's own addresses from its kubelets, where Panther asks a service for the network's owner. Refused requests are told apart instead of left out."
-- tables = ["system_principals", "cluster_networks", "expected"]
-- columns.key = ["principal", "client_ip", "peer_ip", "outcome"]
-- columns.detail = ["requests", "first_seen", "last_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "service-accounts"
-- columns = ["source_ips"]
-- [parameters.ignored_principals]
-- type = "strings"
-- default = [
--     "system:serviceaccount:kube-system:csi-azuredisk-node-sa", "system:serviceaccount:kube-system:csi-azurefile-node-sa",
--     "system:serviceaccount:kube-system:csi-secrets-store-provider-azure", "system:serviceaccount:kube-system:cloud-node-manager",
-- ]
-- doc = "Leave out these principals; the default is what AKS runs on every node."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    principal,
    count(*) AS requests,
    client_ip,
    peer_ip,
    array_slice(array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL), 1, 10) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        service_account_namespace,
        client_ip,
        peer_ip,
        user_agent,
        bool_or(username LIKE 'system:node:%' AND user_agent LIKE 'kubelet/%') OVER (PARTITION BY cluster, peer_ip) AS of_kubelets
    FROM requests
    WHERE (
          principal LIKE 'system:serviceaccount:%'
          OR principal LIKE 'system:node:%'
          OR (principal LIKE 'eks:%' OR principal LIKE 'aks:%') AND NOT listed('system_principals', principal)
      )
      AND ip_is_public(client_ip)
      AND ip_is_public(peer_ip)
) AS public
WHERE of_kubelets IS NOT TRUE
  -- A node that names no program is node-identity-anomaly.
  AND (principal NOT LIKE 'system:node:%' OR user_agent IS NOT NULL)
  AND ($ignored_principals IS NULL OR (principal = ANY($ignored_principals)) IS NOT TRUE)
  AND NOT listed('cluster_networks', peer_ip)
  AND NOT listed('cluster_networks', client_ip)
  AND NOT listed('expected', principal, 'tokens', service_account_namespace)
GROUP BY outcome, principal, client_ip, peer_ip
ORDER BY first_seen, principal, client_ip, peer_ip, outcome
