-- title = "Acting as somebody else"
-- question = "Who impersonated whom, and did what?"
-- description = """
-- Requests that were made in the name of another user (kubectl --as), grouped by who did it and whom
-- they acted as. What a proxy passes on for people who logged in to it is left out, and so are
-- principals that are expected to impersonate."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.2"]
-- attack = ["T1134"]
-- tables = ["system_principals", "expected"]
-- covers = ["Elastic: Kubernetes User Impersonation"]
-- false_positives = "Help desks, dashboards and tools that act for their users; kubectl auth can-i --as."
-- limits = "The stage RequestReceived does not show impersonation. What a proxy with its own login passes on, such as Rancher or Teleport, counts as done by the person, and is not in here."
-- tuning = "Add help desks, dashboards and controllers that act for others to the list expected, with activity impersonation."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- message = "{principal} acted as {impersonated} ({requests} requests: {what})"
-- columns.key = ["principal", "impersonated", "impersonated_groups", "outcome"]
-- columns.detail = ["requests", "what", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('low', outcome) AS severity,
    outcome,
    principal,
    impersonated,
    impersonated_groups,
    count(*) AS requests,
    count(*) FILTER (WHERE verb NOT IN ('get', 'list', 'watch')) AS writes,
    array_to_string(array_sort(array_agg(DISTINCT verb || ' ' || coalesce(resource, request_uri))), ', ') AS what,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM (
    SELECT
        stage_timestamp, principal, verb, resource, request_uri, namespace, client_ip, peer_ip, user_agent, audit_id, source_file,
        source_line,
        impersonated_username AS impersonated,
        array_to_string(array_sort(impersonated_groups), ', ') AS impersonated_groups,
        impersonated_groups AS group_list,
        -- Whatever came of the request: the impersonation itself was allowed.
        'succeeded' AS outcome
    FROM requests
    WHERE impersonated_username IS NOT NULL
      -- A proxy that authenticates people passes on what they do: they are the principal then.
      AND principal = username
) AS acted
WHERE NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'impersonation', namespace)
GROUP BY principal, impersonated, impersonated_groups, outcome
ORDER BY first_seen, principal, impersonated, impersonated_groups, outcome
