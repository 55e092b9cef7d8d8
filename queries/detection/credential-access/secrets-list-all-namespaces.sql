-- title = "Secrets of all namespaces listed"
-- question = "Who listed or watched the secrets of all namespaces?"
-- description = """
-- Lists and watches of secrets across all namespaces. The answer holds every secret of the cluster, so
-- one request is enough to take them all. One row per client and outcome. Critical if it succeeded;
-- low if it was refused, if a service account keeps a cache of secrets (it watches them, or lists them
-- from a resource version, with a program of its own), or if a service account has done the same with
-- the same program on several days of the log. The control plane and the operators in the list
-- expected are left out."""
-- severity = "critical"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "SOC 2 CC6.1", "NIST AC-6"]
-- attack = ["T1552.007"]
-- false_positives = "Operators that are not in the list expected: backup, secret synchronisation, certificate and policy controllers; an administrator who runs kubectl get secrets -A."
-- limits = "A list does not say which secrets it returned, and the log does not show whether the client asked for metadata only. A watch that is still open is in unfinished_requests, not here. A client that imitates an operator, with its service account and the requests of a cache, gets severity low."
-- message = "{principal}[ as {acted_as}] listed the secrets of all namespaces[ with {user_agent}] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["verbs", "reason", "peer_ip", "first_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={actor}", "sessions principal={principal}"]
-- tuning = "Add operators that read all secrets to expected, activity secrets. Set routine_days to 0 to switch off the rule about several days."
-- covers = ["Panther: k8s_secrets_dump_all_namespaces", "Elastic: credential_access_kubernetes_secrets_list_cluster_and_sensitive_namespaces", "Sigma: Kubernetes Secrets Enumeration", "Stratus: k8s.credential-access.dump-secrets", "Kubescape: C-0015", "Microsoft: List K8S secrets"]
-- differs = "The others report every operator that caches secrets, and take a refused list for a dump or leave it out; here operators are told from people, and attempts from deeds. Watches count: the first answer to one can hold all secrets."
-- [[needs]]
-- verbs = ["list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.routine_days]
-- type = "integer"
-- default = 3
-- doc = "Days on which a service account must have done it with the same program to count as routine (low); 0 for never."
WITH reads AS (
    SELECT
        secret_reads.*,
        outcome(response_code, dry_run) AS outcome,
        actor_kind = 'serviceaccount' AND impersonated_username IS NULL
            AND regexp_like(coalesce(user_agent, 'curl'), '(?i)^(kubectl|curl|wget|python|go-http-client)') IS NOT TRUE AS own_program,
        dense_rank() OVER (PARTITION BY principal, user_agent ORDER BY date) AS day
    FROM secret_reads
    WHERE read_kind = 'cluster'
      AND username IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
),
clients AS (
    SELECT
        principal,
        actor,
        actor_kind,
        outcome,
        client_ip,
        peer_ip,
        user_agent,
        CASE
            WHEN outcome = 'refused' THEN 'refused'
            WHEN own_program AND bool_or(verb = 'watch' OR query_param(request_uri, 'resourceVersion') IS NOT NULL)
                THEN 'cache of an operator'
            WHEN own_program AND $routine_days > 0 AND max(days) >= $routine_days THEN 'routine'
            ELSE 'all secrets of the cluster'
        END AS reason,
        array_agg(DISTINCT verb ORDER BY verb) AS verbs,
        count(*) AS requests,
        max(response_code) AS response_code,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM (SELECT reads.*, max(day) OVER (PARTITION BY principal, user_agent) AS days FROM reads) AS with_days
    GROUP BY principal, actor, actor_kind, outcome, client_ip, peer_ip, user_agent, own_program
)
SELECT
    first_seen,
    last_seen,
    CASE WHEN reason = 'all secrets of the cluster' THEN graded('critical', outcome) ELSE 'low' END AS severity,
    outcome,
    reason,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verbs,
    requests,
    response_code,
    client_ip,
    peer_ip,
    user_agent
FROM clients
ORDER BY first_seen, principal, actor, outcome, client_ip, peer_ip, user_agent
