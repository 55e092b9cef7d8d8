-- title = "Registry credentials read"
-- question = "Who read secrets with credentials of image registries?"
-- description = """
-- Reads of single secrets of type kubernetes.io/dockerconfigjson or dockercfg, and lists by that type.
-- Whoever has them can pull private images, and often push to them. known_by says how the log shows
-- what is in the secret: its type (the log shows a write of it), its selector (a list by type), or its
-- name (regcred, dockerconfig, pull-secret, registry and the like). Nodes, which pull images, the
-- control plane and the accounts in the list expected are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.6.2", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1552.007", "T1530"]
-- false_positives = "People who debug image pulls; operators that copy pull secrets into namespaces."
-- limits = "A secret with a name of its own is known only if the log shows a write of it with its body. Names can mislead. Lists of all secrets of a namespace return such secrets, too."
-- message = "{principal}[ as {acted_as}] read the registry credentials in [{namespace}/{name}|secrets by type] ({outcome}, known by {known_by})"
-- columns.key = ["principal", "actor", "namespace", "name", "outcome", "client_ip", "user_agent"]
-- columns.detail = ["verbs", "known_by", "peer_ip", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["secrets-read namespace={namespace}", "principal-timeline principal={principal}"]
-- tuning = "Add operators that copy pull secrets to expected, activity secrets."
-- covers = ["Microsoft: Images from a private registry"]
-- differs = "Microsoft's matrix has the technique without a rule."
-- [[needs]]
-- verbs = ["get", "list", "watch"]
-- resources = ["secrets"]
-- columns = ["response_code"]
WITH known AS (
    SELECT namespace AS known_namespace, name AS known_name, min(how) AS how
    FROM (
        SELECT namespace, object_name AS name, 'its type' AS how
        FROM write_requests
        WHERE api_group = ''
          AND resource = 'secrets'
          AND subresource = ''
          AND body_text(object, 'type') IN ('kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg')
    ) AS sources
    WHERE name <> ''
    GROUP BY namespace, name
)
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('medium', outcome) AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    namespace,
    name,
    known_by,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        reads.*,
        CASE
            WHEN how IS NOT NULL THEN how
            WHEN query_param(request_uri, 'fieldSelector') LIKE '%type=kubernetes.io/dockerc%' THEN 'its selector'
            WHEN regexp_like(name, 'regcred|registry-?(cred|secret|pull|auth|key|login)|docker-?(config|cfg|cred|hub|registry|secret)|image-?pull|pull-?secret|-pull$|(acr|ecr|gcr|ghcr|quay|harbor|artifactory|nexus)-?(cred|secret|pull|auth|login|registry)') THEN 'its name'
        END AS known_by
    FROM (
        SELECT secret_reads.*, outcome(response_code, dry_run) AS outcome
        FROM secret_reads
        WHERE (response_code BETWEEN 200 AND 299 OR response_code = 403)
          AND (read_kind = 'object' OR query_param(request_uri, 'fieldSelector') LIKE '%type=%')
          AND username IS NOT NULL
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'secrets', namespace)
    ) AS reads
    LEFT JOIN known ON reads.namespace = known_namespace AND reads.name = known_name
) AS judged
WHERE known_by IS NOT NULL
GROUP BY outcome, principal, actor, actor_kind, namespace, name, known_by, client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, namespace, name, outcome, known_by, client_ip, peer_ip, user_agent
