-- title = "Levels that the log has"
-- question = "Does the log record what matters, in enough detail?"
-- description = """
-- Each row of the list required_levels with what the log has: answer is met, partly (some requests
-- are recorded at a lower level), below, or not seen (no such request in the log: either there was
-- none, or the audit policy leaves it out). events counts all stages. A row that is partly or below
-- is low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 3.2.2", "PCI-DSS 10.2.1", "PCI-DSS 10.2.2", "NIST AU-2", "NIST AU-3", "NIST AU-12", "ISO 27001 A.8.15", "HIPAA 164.312(b)", "NSA/CISA hardening guide"]
-- attack = ["T1562.008"]
-- false_positives = "Requests refused before their body was read show no body, whatever the policy; the level is the policy's all the same."
-- limits = "not seen says nothing about the policy: evaluate it with `auditql policy coverage`. A level of None for some users or namespaces leaves no trace."
-- message = "{access} {target}: {answer} (required {required_level}[, lowest {lowest_level}])"
-- columns.key = ["access", "target", "required_level"]
-- columns.detail = ["answer", "events", "below", "why"]
-- tables = ["required_levels"]
-- tuning = "Rows of required_levels."
-- triage = ["log-sensitive-bodies", "log-required-fields", "audit-log-volume"]
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- columns = ["level"]
-- [parameters.answer]
-- type = "string"
-- doc = "Only rows with this answer: met, partly, below or not seen."
WITH seen AS (
    SELECT
        api_group,
        resource,
        subresource,
        CASE WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 'write' ELSE 'read' END AS access,
        CASE level WHEN 'Metadata' THEN 1 WHEN 'Request' THEN 2 WHEN 'RequestResponse' THEN 3 END AS grade,
        count(*) AS events
    FROM events
    WHERE resource IS NOT NULL
      AND level IS NOT NULL
    GROUP BY api_group, resource, subresource, access, grade
),
needed AS (
    SELECT
        coalesce(required_levels.api_group, '') AS needed_group,
        required_levels.resource AS needed_resource,
        coalesce(required_levels.subresource, '') AS needed_subresource,
        required_levels.access AS needed_access,
        required_levels.level AS required_level,
        CASE required_levels.level WHEN 'Metadata' THEN 1 WHEN 'Request' THEN 2 WHEN 'RequestResponse' THEN 3 END AS needed_grade,
        required_levels.why
    FROM required_levels
),
judged AS (
    SELECT
        concat_ws('/', concat_ws('.', needed_resource, nullif(needed_group, '')), nullif(needed_subresource, '')) AS target,
        needed_access,
        required_level,
        why,
        coalesce(sum(events), 0) AS events,
        coalesce(sum(CASE WHEN grade < needed_grade THEN events END), 0) AS below,
        min(grade) AS lowest,
        max(grade) AS highest
    FROM seen
    RIGHT JOIN needed
        ON needed_group = seen.api_group
        AND needed_resource = seen.resource
        AND needed_subresource = seen.subresource
        AND needed_access IN ('any', seen.access)
    GROUP BY needed_group, needed_resource, needed_subresource, needed_access, required_level, why
)
SELECT
    CASE WHEN below > 0 THEN 'low' ELSE 'info' END AS severity,
    needed_access AS access,
    target,
    required_level,
    CASE WHEN events = 0 THEN 'not seen' WHEN below = 0 THEN 'met' WHEN below < events THEN 'partly' ELSE 'below' END AS answer,
    events,
    below,
    CASE lowest WHEN 1 THEN 'Metadata' WHEN 2 THEN 'Request' WHEN 3 THEN 'RequestResponse' END AS lowest_level,
    CASE highest WHEN 1 THEN 'Metadata' WHEN 2 THEN 'Request' WHEN 3 THEN 'RequestResponse' END AS highest_level,
    why
FROM judged
WHERE $answer IS NULL OR $answer = CASE WHEN events = 0 THEN 'not seen' WHEN below = 0 THEN 'met' WHEN below < events THEN 'partly' ELSE 'below' END
ORDER BY CASE WHEN events = 0 THEN 1 WHEN below = 0 THEN 2 ELSE 0 END, target, access, required_level
