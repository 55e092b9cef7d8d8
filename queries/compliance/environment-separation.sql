-- title = "One person in several environments"
-- question = "Who changed things in more than one environment?"
-- description = """
-- People and pipelines who made successful writes in namespaces of at least two environments of the
-- list environments: one row per principal, with the environments and the writes in them."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 6.5.3", "PCI-DSS 6.5.4", "ISO 27001 A.8.31", "NIST AC-5", "SOC 2 CC6.3"]
-- attack = []
-- false_positives = "Platform teams, and pipelines that deploy everywhere: see machines."
-- limits = "Environments in separate clusters are told only if their logs are read together, with namespaces that differ."
-- message = "{principal} wrote in {environments}: {writes} writes"
-- columns.key = ["principal"]
-- columns.detail = ["environments", "writes", "namespaces", "first_seen", "last_seen"]
-- tables = ["environments", "system_principals"]
-- tuning = "Rows of environments."
-- triage = ["change-log", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.machines]
-- type = "boolean"
-- default = false
-- doc = "Include service accounts."
WITH written AS (
    SELECT principal, namespace, count(*) AS writes, min(stage_timestamp) AS first_seen, max(stage_timestamp) AS last_seen
    FROM object_writes
    WHERE write_kind IN ('object', 'scale')
      AND listed('environments', namespace)
      AND NOT listed('system_principals', principal)
      AND ($machines OR principal NOT LIKE 'system:serviceaccount:%')
    GROUP BY principal, namespace
)
SELECT
    principal,
    array_agg(DISTINCT environment ORDER BY environment) AS environments,
    sum(writes) AS writes,
    array_agg(DISTINCT written.namespace ORDER BY written.namespace) AS namespaces,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen
FROM written
JOIN (
    SELECT namespace AS pattern, environment
    FROM environments
) AS environment_list
    ON written.namespace LIKE replace(replace(replace(replace(replace(coalesce(nullif(pattern, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
GROUP BY principal
HAVING count(DISTINCT environment) > 1
ORDER BY writes DESC, principal
