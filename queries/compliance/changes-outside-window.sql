-- title = "Changes outside approved windows"
-- question = "Which changes did people make outside the approved windows?"
-- description = """
-- Successful writes by people that fall into no row of the list change_windows, one row per person,
-- namespace and day, with what was written. other_change is a change approved for the namespace at
-- another time, if there is one."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "PCI-DSS 6.5.1", "NIST CM-3", "NIST CM-5", "ISO 27001 A.8.32"]
-- attack = []
-- false_positives = "Emergencies: enter them as windows afterwards, with their ticket."
-- limits = "Windows are what you give. Times are UTC: give windows with their time zone. Changes by pipelines are left out: see change-log."
-- message = "{person} wrote {writes}× in [{namespace}|cluster scope] outside every window ({first_seen} to {last_seen})"
-- columns.key = ["person", "namespace", "day"]
-- columns.detail = ["writes", "resources", "first_seen", "last_seen"]
-- tables = ["change_windows", "system_principals", "pipelines"]
-- tuning = "Rows of change_windows; rows of pipelines for machines that look like people."
-- triage = ["change-log namespace={namespace}", "principal-timeline principal={person}", "break-glass-usage"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.namespaces]
-- type = "string"
-- default = "*"
-- doc = "Only namespaces that match this pattern."
WITH written AS (
    SELECT
        principal AS person,
        namespace,
        date_trunc('day', stage_timestamp) AS day,
        stage_timestamp,
        concat_ws('.', resource, nullif(api_group, '')) AS target,
        max(CASE WHEN stage_timestamp >= begins AND stage_timestamp < ends THEN 1 ELSE 0 END) AS inside,
        max(CASE WHEN NOT (stage_timestamp >= begins AND stage_timestamp < ends) THEN change END) AS other_change,
        audit_id, source_file, source_offset
    FROM (
        SELECT w.*, c.begins, c.ends, c.change
        FROM write_requests AS w
        LEFT JOIN change_windows AS c
            ON coalesce(w.namespace, '') LIKE replace(replace(replace(replace(replace(coalesce(nullif(c.namespace, ''), '*'), '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'), '?', '_')
        WHERE w.outcome = 'succeeded'
          AND w.write_kind IN ('object', 'scale')
          AND w.principal NOT LIKE 'system:%'
          AND NOT listed('system_principals', w.principal)
          AND NOT listed('pipelines', w.principal)
          AND coalesce(w.namespace, '') LIKE replace(replace(replace($namespaces, '_', '\_'), '*', '%'), '?', '_')
    ) AS matched
    GROUP BY principal, namespace, stage_timestamp, api_group, resource, audit_id, source_file, source_offset
)
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    person,
    namespace,
    day,
    count(*) AS writes,
    array_agg(DISTINCT target ORDER BY target) AS resources,
    min(other_change) AS other_change
FROM written
WHERE inside = 0
GROUP BY person, namespace, day
ORDER BY first_seen, person, namespace
