-- title = "Secrets guessed by name"
-- question = "Who asked for many secrets that do not exist?"
-- description = """
-- Runs of reads of different secrets by one client that were answered with 404: whoever may get
-- secrets but not list them has to guess their names. A name that is then created by the same user
-- within a minute does not count: clients look before they create. missing counts the names that do
-- not exist, refused those that were refused (403), found those that exist. High if something was
-- found, medium otherwise. The control plane and the operators in the list expected are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.4", "SOC 2 CC7.2", "NIST AU-6"]
-- attack = ["T1552.007", "T1613"]
-- false_positives = "An application that looks for many optional secrets at its start; a deployment tool that was interrupted."
-- limits = "Guesses spread over hours or over several addresses are not one run. Somebody without any right to get secrets is refused whether the name exists or not: see secret-access-denied."
-- message = "{principal}[ as {acted_as}] asked for {missing} secrets that do not exist, and found {found}[ with {user_agent}]"
-- columns.key = ["principal", "actor", "client_ip", "user_agent", "first_seen"]
-- columns.detail = ["namespaces", "missing_names", "found_names", "refused", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read actor={actor}", "principal-timeline principal={principal}", "denied-requests actor={actor}"]
-- tuning = "Raise min_names, or add clients to expected, activity secrets."
-- covers = ["Panther: Kubernetes.SecretEnumeration"]
-- differs = "Panther counts names whether the read succeeded or not; here at least one must not exist, and a look before a create is not a guess."
-- [[needs]]
-- verbs = ["get"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.min_names]
-- type = "integer"
-- default = 5
-- doc = "Different names that do not exist, or were refused, which make a run of guesses."
-- [parameters.pause]
-- type = "duration"
-- default = "5m"
-- doc = "Pause that ends a run."
WITH reads AS (
    SELECT secret_reads.*
    FROM secret_reads
    WHERE verb = 'get'
      AND read_kind = 'object'
      AND (response_code IN (403, 404) OR response_code BETWEEN 200 AND 299)
      AND name NOT LIKE 'sh.helm.release.v1.%'
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'secrets', namespace)
),
guesses AS (
    SELECT reads.*
    FROM reads
    WHERE NOT EXISTS (
        SELECT 1
        FROM write_requests AS written
        WHERE written.api_group = ''
          AND written.resource = 'secrets'
          AND written.principal = reads.principal
          AND written.namespace = reads.namespace
          AND written.object_name = reads.name
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
        ) AS run
    FROM (
        SELECT
            guesses.*,
            lag(stage_timestamp) OVER (
                PARTITION BY cluster, principal, actor, client_ip, user_agent
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ) AS previous
        FROM guesses
    ) AS spaced
),
runs AS (
    SELECT
        cluster,
        principal,
        actor,
        actor_kind,
        client_ip,
        peer_ip,
        user_agent,
        run,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen,
        count(*) AS requests,
        count(DISTINCT concat(namespace, '/', name)) FILTER (WHERE response_code = 404) AS missing,
        count(DISTINCT concat(namespace, '/', name)) FILTER (WHERE response_code = 403) AS refused,
        count(DISTINCT concat(namespace, '/', name)) FILTER (WHERE response_code < 300) AS found,
        array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
        array_agg(DISTINCT name ORDER BY name) FILTER (WHERE response_code = 404) AS missing_names,
        array_agg(DISTINCT name ORDER BY name) FILTER (WHERE response_code < 300) AS found_names
    FROM numbered
    GROUP BY cluster, principal, actor, actor_kind, client_ip, peer_ip, user_agent, run
)
SELECT
    first_seen,
    last_seen,
    CASE WHEN found > 0 THEN 'high' ELSE 'medium' END AS severity,
    CASE WHEN found > 0 THEN 'succeeded' ELSE 'failed' END AS outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    missing,
    refused,
    found,
    requests,
    namespaces,
    missing_names,
    found_names,
    client_ip,
    peer_ip,
    user_agent
FROM runs
WHERE missing > 0 AND missing + refused >= $min_names
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent, run
