-- title = "Many secrets read in a burst"
-- question = "Who read many different secrets one after the other?"
-- description = """
-- Bursts of successful reads of different secrets by one client: principal, address and program. A
-- burst ends after a pause. A secret that the client has read within the last hour does not count
-- again, so polling is not a burst; nor does a secret that the same user writes within a minute after
-- reading it, as kubectl apply does; nor do Helm's releases and the caches of operators. A list of a
-- namespace counts as one. Low if a service account reads secrets of its own namespace, or has such
-- bursts on several days of the log with the same program. The control plane and the operators in the
-- list expected are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["CIS 5.1.2", "PCI-DSS 7.2.6", "PCI-DSS 10.4.1", "SOC 2 CC7.2", "NIST AU-6"]
-- attack = ["T1552.007"]
-- false_positives = "Operators and pipelines that read many secrets and are not in the list expected; terraform plan over many secrets; a migration."
-- limits = "Reads spread over hours or over several addresses are not one burst. What a list returned is not in the log. Refused reads are in secret-access-denied, reads of secrets that do not exist in secret-name-guessing."
-- message = "{principal}[ as {acted_as}] read {secrets} different secrets in {namespace_count} namespaces within {duration_s} s[ with {user_agent}]"
-- columns.key = ["principal", "actor", "client_ip", "user_agent", "first_seen"]
-- columns.detail = ["namespaces", "names", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["principal-timeline principal={principal}", "secrets-read actor={actor}", "token-lineage"]
-- tuning = "Raise min_secrets or shorten pause; add readers of many secrets to expected, activity secrets."
-- covers = ["Elastic: credential_access_kubernetes_multiple_secret_retrieval_burst", "Panther: Kubernetes.SecretEnumeration", "GuardDuty: CredentialAccess:Kubernetes/AnomalousBehavior.SecretsAccessed"]
-- differs = "Elastic counts three names per bucket of time and Panther 15 names in 30 minutes, refused ones included, so kubectl apply and slow routine reads count, and a burst across the edge of a bucket is missed; here fresh reads of different secrets count, in a burst of any position."
-- [[needs]]
-- verbs = ["get", "list"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.min_secrets]
-- type = "integer"
-- default = 10
-- doc = "Different secrets, or lists of different namespaces, that make a burst."
-- [parameters.pause]
-- type = "duration"
-- default = "2m"
-- doc = "Pause that ends a burst."
-- [parameters.routine_days]
-- type = "integer"
-- default = 3
-- doc = "Days with such bursts after which those of a service account with the same program count as routine (low); 0 for never."
WITH reads AS (
    SELECT
        secret_reads.*,
        lag(stage_timestamp) OVER (
            PARTITION BY cluster, principal, actor, client_ip, user_agent, namespace, name ORDER BY stage_timestamp
        ) AS last_read
    FROM secret_reads
    WHERE verb IN ('get', 'list')
      AND response_code BETWEEN 200 AND 299
      AND name NOT LIKE 'sh.helm.release.v1.%'
      AND (query_param(request_uri, 'labelSelector') LIKE '%owner=helm%') IS NOT TRUE
      AND (verb = 'list' AND actor_kind = 'serviceaccount' AND query_param(request_uri, 'resourceVersion') IS NOT NULL) IS NOT TRUE
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
),
fresh AS (
    SELECT reads.*
    FROM reads
    WHERE (last_read IS NULL OR CAST(stage_timestamp AS BIGINT) - CAST(last_read AS BIGINT) > 3600000000)
      AND NOT EXISTS (
          SELECT 1
          FROM write_requests AS written
          WHERE written.api_group = ''
            AND written.resource = 'secrets'
            AND written.principal = reads.principal
            AND written.namespace = reads.namespace
            AND written.name = reads.name
            AND written.stage_timestamp >= reads.stage_timestamp
            AND CAST(written.stage_timestamp AS BIGINT) - CAST(reads.stage_timestamp AS BIGINT) <= 60000000
      )
),
numbered AS (
    SELECT
        spaced.*,
        count(CASE WHEN previous IS NULL OR CAST(stage_timestamp AS BIGINT) - CAST(previous AS BIGINT) > $pause*1000 THEN 1 END) OVER (
            PARTITION BY cluster, principal, actor, client_ip, user_agent
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            fresh.*,
            lag(stage_timestamp) OVER (
                PARTITION BY cluster, principal, actor, client_ip, user_agent
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ) AS previous
        FROM fresh
    ) AS spaced
),
bursts AS (
    SELECT
        cluster,
        principal,
        actor,
        actor_kind,
        impersonated_username,
        client_ip,
        peer_ip,
        user_agent,
        burst,
        min(stage_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        count(*) AS requests,
        count(DISTINCT concat(namespace, '/', name)) AS secrets,
        count(DISTINCT concat(namespace, '/', name)) FILTER (WHERE namespace IS DISTINCT FROM service_account_namespace) AS elsewhere,
        count(DISTINCT namespace) AS namespace_count,
        array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
        array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names
    FROM numbered
    GROUP BY cluster, principal, actor, actor_kind, impersonated_username, client_ip, peer_ip, user_agent, burst
    HAVING count(DISTINCT concat(namespace, '/', name)) >= $min_secrets
),
dated AS (
    SELECT
        bursts.*,
        dense_rank() OVER (PARTITION BY principal, user_agent ORDER BY CAST(first_seen AS DATE)) AS day
    FROM bursts
)
SELECT
    first_seen,
    last_seen,
    CASE
        WHEN actor_kind = 'serviceaccount' AND elsewhere < $min_secrets THEN 'low'
        WHEN actor_kind = 'serviceaccount' AND impersonated_username IS NULL AND $routine_days > 0
            AND max(day) OVER (PARTITION BY principal, user_agent) >= $routine_days THEN 'low'
        ELSE 'high'
    END AS severity,
    'succeeded' AS outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    secrets,
    requests,
    CAST(round((CAST(last_seen AS BIGINT) - CAST(first_seen AS BIGINT)) / 1000000.0) AS BIGINT) AS duration_s,
    namespace_count,
    namespaces,
    names,
    client_ip,
    peer_ip,
    user_agent
FROM dated
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent, burst
