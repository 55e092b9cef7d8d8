-- title = "Reads of secrets refused"
-- question = "Who tried to read secrets and was refused?"
-- description = """
-- Reads of secrets that were refused, one row per run of attempts by one client: principal, address
-- and program. A run ends after a pause. Medium if the run aims at many different secrets or
-- namespaces, low otherwise: a program that lacks a permission asks for the same thing again and
-- again. Anonymous requests are included. Nodes are, too, since the control plane's own kubelets never
-- ask for secrets of pods that they do not run."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.4", "SOC 2 CC7.2", "NIST AC-3", "HIPAA 164.308(a)(5)(ii)(C)"]
-- attack = ["T1552.007", "T1613"]
-- false_positives = "Operators and dashboards that lack a permission; a developer in the wrong namespace; a pod whose secret was deleted while its node still asks for it."
-- limits = "Attempts spread over hours or over several addresses are several runs. Failed authentication (401) has no principal and is in authentication-failures."
-- message = "{principal}[ as {acted_as}] was refused {targets} different reads of secrets[ with {user_agent}] ({requests}×)"
-- columns.key = ["principal", "actor", "client_ip", "user_agent", "first_seen"]
-- columns.detail = ["verbs", "namespaces", "names", "peer_ip", "last_seen"]
-- tables = ["expected"]
-- triage = ["denied-requests actor={actor}", "principal-timeline principal={principal}", "secrets-read actor={actor}"]
-- tuning = "Raise min_targets, or add clients with known missing permissions to expected, activity secrets."
-- covers = ["Falco: K8s Secret Get Unsuccessfully Tried", "Panther: k8s_secret_access_denied"]
-- differs = "The others count requests, so the retries of one misconfigured operator look like an attack; here different targets count, and all attempts of a run are one finding."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
-- [parameters.min_targets]
-- type = "integer"
-- default = 5
-- doc = "Different secrets or namespaces from which on a run is medium."
-- [parameters.pause]
-- type = "duration"
-- default = "15m"
-- doc = "Pause that ends a run."
WITH refused AS (
    SELECT secret_reads.*
    FROM secret_reads
    WHERE response_code = 403
      AND username IS NOT NULL
      AND NOT listed('expected', principal, 'secrets', namespace)
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
            refused.*,
            lag(stage_timestamp) OVER (
                PARTITION BY cluster, principal, actor, client_ip, user_agent
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ) AS previous
        FROM refused
    ) AS spaced
)
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    CASE WHEN count(DISTINCT concat(namespace, '/', name)) >= $min_targets THEN 'medium' ELSE 'low' END AS severity,
    'refused' AS outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    count(DISTINCT concat(namespace, '/', name)) AS targets,
    count(*) AS requests,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM numbered
GROUP BY cluster, principal, actor, actor_kind, client_ip, peer_ip, user_agent, run
ORDER BY first_seen, principal, actor, client_ip, peer_ip, user_agent
