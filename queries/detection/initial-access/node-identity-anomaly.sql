-- title = "Node identity used oddly"
-- question = "Who uses a node's credentials, other than its kubelet?"
-- description = """
-- What does not fit a kubelet in the requests of system:node:NAME. client: the program is not one that
-- uses the kubelet's credentials. other node: it asks for another node's object. address: beside its
-- usual address the node has one that no other node uses. One row per node, sign, program and address."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.1", "NIST IA-3", "NIST AC-6"]
-- attack = ["T1550.001", "T1528"]
-- false_positives = "Agents that use the kubelet's kubeconfig, and nodes that changed their address."
-- tuning = "Add programs to node_programs."
-- limits = "A thief who claims the kubelet's user agent from the node's own address is not seen. GKE leaves many requests of kubelets out of the log."
-- message = "{sign}: node {node} used by [{program}|a client without a name] from [{client_ip}|an unknown address] ({outcome}, {requests}×)"
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={principal}", "denied-requests actor={principal}"]
-- covers = []
-- differs = "Elastic has a rule for secrets read with a node's identity on GKE; this looks at the identity itself."
-- columns.key = ["sign", "node", "program", "client_ip", "outcome"]
-- columns.detail = ["targets", "first_seen", "last_seen", "user_agents"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- [parameters.node_programs]
-- type = "strings"
-- default = ["kubelet", "kubeadm", "k3s", "rke2", "kubelite", "hyperkube", "kube-proxy", "node-problem-detector", "npd", "cilium-agent", "calico-node", "flanneld", "ovnkube", "kube-router", "antrea-agent", "multus", "talos", "gke-exec-auth-plugin", "gke-metadata-server", "netd", "gcfsd", "konnectivity-agent", "nodeadm"]
-- doc = "Programs (user agents up to the first slash) that use the kubelet's credentials."
SELECT
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    graded(CASE WHEN sign = 'address' THEN 'medium' ELSE 'high' END, outcome) AS severity,
    outcome,
    sign,
    node,
    principal,
    program,
    sum(requests) AS requests,
    array_distinct(array_sort(flatten(array_agg(targets)))) AS targets,
    client_ip,
    min(peer_ip) AS peer_ip,
    array_distinct(array_sort(flatten(array_agg(user_agents)))) AS user_agents
FROM (
    SELECT
        first_seen,
        last_seen,
        outcome,
        node,
        principal,
        program,
        requests,
        targets,
        client_ip,
        peer_ip,
        user_agents,
        CASE
            WHEN NOT (program = ANY($node_programs)) THEN 'client'
            WHEN foreign_node THEN 'other node'
            -- Of addresses that are the node's alone, all but the busiest of the family.
            WHEN outcome = 'succeeded'
                AND nodes_here = 1
                AND own_requests < max(CASE WHEN nodes_here = 1 THEN own_requests END) OVER (PARTITION BY cluster, node, client_ip LIKE '%:%')
                THEN 'address'
        END AS sign
    FROM (
        SELECT
            grouped.cluster,
            first_seen,
            last_seen,
            outcome,
            node,
            principal,
            program,
            foreign_node,
            requests,
            targets,
            client_ip,
            peer_ip,
            user_agents,
            sum(requests) OVER (PARTITION BY cluster, node, client_ip) AS own_requests,
            CASE WHEN min(node) OVER (PARTITION BY cluster, client_ip) = max(node) OVER (PARTITION BY cluster, client_ip) THEN 1 ELSE 2 END AS nodes_here
        FROM (
            SELECT
                cluster,
                min(stage_timestamp) AS first_seen,
                max(stage_timestamp) AS last_seen,
                outcome(response_code, dry_run) AS outcome,
                substr(username, 13) AS node,
                principal,
                lower(coalesce(split_part(user_agent, '/', 1), '')) AS program,
                CASE WHEN resource = 'nodes' AND api_group = '' AND name <> '' AND name <> substr(username, 13) THEN true ELSE false END AS foreign_node,
                count(*) AS requests,
                array_slice(array_agg(DISTINCT concat_ws(' ', verb, concat_ws('/', resource, nullif(subresource, '')), nullif(name, ''))), 1, 10) AS targets,
                client_ip,
                min(peer_ip) AS peer_ip,
                array_slice(array_agg(DISTINCT coalesce(user_agent, '')), 1, 5) AS user_agents
            FROM requests
            WHERE username LIKE 'system:node:%'
            GROUP BY
                cluster, outcome(response_code, dry_run), username, principal, lower(coalesce(split_part(user_agent, '/', 1), '')),
                CASE WHEN resource = 'nodes' AND api_group = '' AND name <> '' AND name <> substr(username, 13) THEN true ELSE false END, client_ip
        ) AS grouped
    ) AS weighed
) AS judged
WHERE sign IS NOT NULL
GROUP BY outcome, sign, node, principal, program, client_ip
ORDER BY first_seen, node, sign, program, client_ip, outcome
