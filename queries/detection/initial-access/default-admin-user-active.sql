-- title = "Default administrator in use"
-- question = "Who used the credentials that the installation left behind?"
-- description = """
-- Requests with the default administrator of kubeadm, minikube, k3s, AKS and others, or by members of
-- system:masters or kubeadm:cluster-admins: credentials that cannot be revoked and name nobody. One row
-- per user, address and program; medium if it changed something, else low."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.1.7", "PCI-DSS 2.2.2", "PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST AC-6(9)"]
-- attack = ["T1078.003", "T1078.001"]
-- false_positives = "Bootstrap and upgrade of the cluster, and break-glass."
-- tuning = "Give people identities of their own. Leave users out with ignored_principals while they are in use on purpose; users names more default accounts."
-- limits = "Membership of a group is seen only if the authenticator gives it; EKS access entries and cloud IAM are not in this log."
-- message = "{principal}[ ({admin_group})] sent {requests} request(s), {writes} of them changes[, from {client_ip}]"
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "cluster-admin-usage actor={principal}"]
-- covers = ["Falco: Full K8s Administrative Access"]
-- differs = "Falco looks for one name and writes one line per request. The control plane's own use of system:masters is left out."
-- tables = ["system_principals"]
-- columns.key = ["principal", "client_ip", "program"]
-- columns.detail = ["refusals", "first_seen", "last_seen", "peer_ip"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.users]
-- type = "strings"
-- default = ["kubernetes-admin", "kubernetes-super-admin", "admin", "minikube-user", "minikube", "system:admin", "masterclient", "clusterAdmin", "docker-desktop", "docker-for-desktop"]
-- doc = "Names of default administrators."
-- [parameters.groups]
-- type = "strings"
-- default = ["system:masters", "kubeadm:cluster-admins"]
-- doc = "Groups whose members are default administrators."
-- [parameters.ignored_principals]
-- type = "strings"
-- doc = "Leave out these principals."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN count(*) FILTER (WHERE wrote) > 0 THEN 'medium' ELSE 'low' END AS severity,
    CASE WHEN count(*) FILTER (WHERE outcome <> 'refused') > 0 THEN 'succeeded' ELSE 'refused' END AS outcome,
    principal,
    min(admin_group) AS admin_group,
    program,
    count(*) AS requests,
    count(*) FILTER (WHERE wrote) AS writes,
    count(*) FILTER (WHERE outcome = 'refused') AS refusals,
    client_ip,
    peer_ip
FROM (
    SELECT
        stage_timestamp,
        principal,
        outcome(response_code, dry_run) AS outcome,
        verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL
            AND subresource NOT IN ('exec', 'attach', 'portforward', 'proxy')
            AND NOT (verb = 'create' AND api_group IN ('authorization.k8s.io', 'authentication.k8s.io'))
            AND outcome(response_code, dry_run) = 'succeeded' AS wrote,
        CASE
            WHEN array_has(user_groups, 'system:masters') THEN 'system:masters'
            WHEN array_has(user_groups, 'kubeadm:cluster-admins') THEN 'kubeadm:cluster-admins'
        END AS admin_group,
        coalesce(split_part(user_agent, '/', 1), '') AS program,
        client_ip,
        peer_ip
    FROM requests
    WHERE (username = ANY($users) OR array_has_any(user_groups, $groups)) IS TRUE
      AND NOT listed('system_principals', principal)
      AND ($ignored_principals IS NULL OR (principal = ANY($ignored_principals)) IS NOT TRUE)
) AS used
GROUP BY principal, program, client_ip, peer_ip
ORDER BY first_seen, principal, program, client_ip, peer_ip
