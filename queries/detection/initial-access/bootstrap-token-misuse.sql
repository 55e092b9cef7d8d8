-- title = "Bootstrap token used for more than joining"
-- question = "Who used a join token for anything but joining a node?"
-- description = """
-- Requests of system:bootstrap:ID other than those with which kubeadm and the kubelet join a node: the
-- client certificate's signing request, the node's own object, and the join configuration. low for
-- kubeadm-certs, which a new control plane reads."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.1", "NIST IA-5", "CIS 5.1.6"]
-- attack = ["T1078", "T1552"]
-- false_positives = "Installers of one's own that do more during join."
-- tuning = "Let join tokens expire; give their ids to nobody."
-- limits = "The names of bootstrap tokens are those of kubeadm; other installers use other users."
-- message = "join token {principal}: {verb} {target} ({outcome}, {requests}×)"
-- triage = ["principal-timeline principal={principal}", "denied-requests actor={principal}", "secrets-read actor={principal}"]
-- covers = ["Google: Credential Access: Failed attempt to get CSR with compromised bootstrap credentials"]
-- differs = "Everything that is not part of joining counts."
-- columns.key = ["principal", "verb", "target", "outcome"]
-- columns.detail = ["response_codes", "client_ip", "peer_ip", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN target = 'secrets kubeadm-certs in kube-system' AND verb = 'get' THEN 'low' ELSE 'high' END, outcome) AS severity,
    outcome,
    principal,
    verb,
    target,
    count(*) AS requests,
    array_agg(DISTINCT response_code ORDER BY response_code) AS response_codes,
    client_ip,
    peer_ip,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        verb,
        CASE
            WHEN resource IS NULL THEN split_part(request_uri, '?', 1)
            ELSE concat_ws(' ', concat_ws('/', resource, nullif(subresource, '')), nullif(name, ''), CASE WHEN namespace <> '' THEN 'in ' || namespace END)
        END AS target,
        response_code,
        client_ip,
        peer_ip,
        user_agent
    FROM requests
    WHERE username LIKE 'system:bootstrap:%'
      AND NOT (
          resource IS NULL AND regexp_like(split_part(request_uri, '?', 1), '^/(?:api|apis|openapi|version|healthz|livez|readyz|\.well-known)(?:/|$)')
          OR api_group = 'certificates.k8s.io' AND resource = 'certificatesigningrequests' AND subresource = ''
              AND (verb = 'create' OR verb IN ('get', 'list', 'watch') AND name <> '')
          OR api_group = '' AND resource = 'nodes' AND subresource = '' AND verb = 'get'
          OR api_group = '' AND resource = 'configmaps' AND subresource = '' AND verb = 'get' AND (
              namespace = 'kube-public' AND name = 'cluster-info'
              OR namespace = 'kube-system' AND (name IN ('kubeadm-config', 'kube-proxy') OR name LIKE 'kubelet-config%')
          )
          OR api_group IN ('authorization.k8s.io', 'authentication.k8s.io') AND resource LIKE 'selfsubject%' AND verb = 'create'
      )
) AS sent
GROUP BY outcome, principal, verb, target, client_ip, peer_ip
ORDER BY first_seen, principal, verb, target, outcome, client_ip, peer_ip
