-- title = "Pod Security of a namespace relaxed"
-- question = "Who lowered or removed the Pod Security level of a namespace?"
-- description = """
-- Changes of a namespace that set the label pod-security.kubernetes.io/enforce to a lower level than
-- before, to privileged, or take it away; refused attempts, failures and dry runs included (outcome).
-- The level before comes from earlier writes in the log; without one, only privileged and removal
-- count. A new namespace that is privileged from the start is info."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.1", "NIST CM-3", "SOC 2 CC8.1"]
-- attack = ["T1562.001"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Namespaces of node agents that are set up in steps."
-- limits = "At level Metadata labels are not in the log. A JSON patch at level Request that replaces all labels is not read. The default level of the apiserver, which applies without a label, is not in the log."
-- tuning = "Add controllers that manage namespaces to the list expected, with activity namespaces."
-- triage = [
--     "object-history resource=namespaces name={name}", "namespace-access namespace={name}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} lowered Pod Security of namespace {name}[ from {level_before}] to {level_after} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "name", "level_after"]
-- columns.detail = ["level_before", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["namespaces"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
WITH written AS (
    SELECT
        write_requests.*,
        body_text(request_object, 'metadata.labels') IS NOT NULL AS labels_asked,
        regexp_match(
            body_text(request_object, 'metadata.labels'), '"pod-security\.kubernetes\.io/enforce"\s*:\s*"([^"]*)"'
        )[1] AS asked,
        CASE
            WHEN object_source = 'response' THEN regexp_match(
                body_text(object, 'metadata.labels'), '"pod-security\.kubernetes\.io/enforce"\s*:\s*"([^"]*)"'
            )[1]
        END AS stored,
        regexp_like(request_object, '^\s*\[.*"/metadata/labels/pod-security\.kubernetes\.io~1enforce"') AS named_by_path
    FROM write_requests
    WHERE api_group = ''
      AND resource = 'namespaces'
      AND subresource = ''
      AND operation IN ('create', 'update', 'patch')
      AND request_object IS NOT NULL
),
compared AS (
    SELECT
        written.*,
        CASE
            WHEN outcome = 'succeeded' THEN lag(coalesce(stored, asked)) OVER (
                PARTITION BY cluster, object_name, outcome ORDER BY stage_timestamp, source_file, source_offset
            )
        END AS level_before
    FROM written
)
SELECT
    stage_timestamp,
    graded(CASE operation WHEN 'create' THEN 'info' ELSE 'high' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    object_name AS name,
    level_before,
    coalesce(stored, asked, 'no level') AS level_after,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM compared
WHERE NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'namespaces', object_name)
  AND (
      coalesce(stored, asked) = 'privileged'
          AND (labels_asked OR named_by_path)
          AND (level_before = 'privileged') IS NOT TRUE
      OR coalesce(stored, asked) = 'baseline' AND level_before = 'restricted'
      -- Taken away: the object has the label no more, a merge patch says null, or a JSON patch removes it.
      OR operation <> 'create' AND stored IS NULL AND asked IS NULL AND (
          level_before IN ('baseline', 'restricted') AND (object_source = 'response' OR operation = 'update')
          OR operation = 'patch' AND (
              named_by_path
              OR regexp_like(
                  body_text(request_object, 'metadata.labels'), '"pod-security\.kubernetes\.io/enforce"\s*:\s*null'
              )
          )
      )
  )
ORDER BY stage_timestamp, source_file, source_offset, audit_id
