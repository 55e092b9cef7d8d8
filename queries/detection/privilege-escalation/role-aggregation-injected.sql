-- title = "Rights smuggled into admin, edit or view"
-- question = "Who wrote a cluster role whose rules are added to admin, edit or view?"
-- description = """
-- Cluster roles with the label rbac.authorization.k8s.io/aggregate-to-admin, -edit, -view or
-- -cluster-reader: everybody who has that role gets the rules, without a change of any binding. High
-- if the rules allow everything, or reach secrets, tokens, exec, nodes, pods/ephemeralcontainers,
-- RBAC, webhooks, or impersonation; info otherwise, as for operators that let users see their kinds.
-- Refused attempts, failures and dry runs are included (outcome)."""
-- severity = "high"
-- level = "Request"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Operators that add rules for their own kinds."
-- limits = "At level Metadata the log does not show the rules, so no rows does not mean no grants. A JSON patch at level Request shows nothing, and a request that was refused before its body was read shows no rules. A role grants nothing until it is bound: see rbac-binding-changed. Which custom roles aggregate the labels of others is not looked at."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor} wrote ClusterRole [{name}|without a name], whose rules go to {aggregates_to}: {granted} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "name", "aggregates_to", "granted"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["clusterroles.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE max(weight) WHEN 3 THEN 'high' ELSE 'info' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_name AS name,
    array_to_string(array_sort(array_agg(DISTINCT target)), ', ') AS aggregates_to,
    array_to_string(array_sort(array_agg(DISTINCT rule_text)), '; ') AS granted,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, object_name, target, response_code, client_ip, peer_ip,
        user_agent, audit_id, source_file, source_line, source_offset,
        array_to_string(rule['verbs'], ',') || ' '
            || coalesce(nullif(array_to_string(rule['resources'], ','), ''), array_to_string(rule['non_resource_urls'], ','), '')
            || coalesce(' in ' || nullif(array_to_string(rule['api_groups'], ','), ''), '')
            || coalesce(' named ' || nullif(array_to_string(rule['resource_names'], ','), ''), '') AS rule_text,
        CASE
            WHEN array_has_any(
                    rule['api_groups'],
                    make_array('', '*', 'rbac.authorization.k8s.io', 'admissionregistration.k8s.io', 'certificates.k8s.io')
                )
                AND (
                    array_has_any(rule['verbs'], make_array('impersonate', 'bind', 'escalate', 'approve', 'sign'))
                    OR array_has_any(rule['resources'], make_array(
                        '*', 'secrets', 'serviceaccounts/token', 'pods/exec', 'pods/attach', 'pods/portforward',
                        'pods/ephemeralcontainers', '*/exec', '*/proxy', '*/token', 'nodes', 'nodes/proxy', 'roles', 'clusterroles',
                        'rolebindings', 'clusterrolebindings', 'mutatingwebhookconfigurations', 'validatingwebhookconfigurations',
                        'certificatesigningrequests/approval', 'signers', 'users', 'groups'
                    ))
                ) THEN 3
            ELSE 1
        END AS weight
    FROM (
        SELECT
            stage_timestamp, outcome, actor, principal, operation, object_name, response_code, client_ip, peer_ip, user_agent,
            audit_id, source_file, source_line, source_offset,
            regexp_match(label['path'], 'aggregate-to-(admin|edit|view|cluster-reader)"\]$')[1] AS target,
            unnest(rules) AS rule
        FROM (
            SELECT
                stage_timestamp, outcome, actor, principal, operation, object_name, rules, response_code, client_ip, peer_ip,
                user_agent, audit_id, source_file, source_line, source_offset,
                -- The labels, one a row.
                unnest(json_diff('{}', body_text(object, 'metadata.labels'))) AS label
            FROM rbac_requests
            WHERE resource = 'clusterroles'
              -- Kubernetes' own parts of these roles.
              AND (operation = 'create' OR object_name NOT LIKE 'system:aggregate-to-%')
              -- A patch of annotations, for example, adds no rights; one of labels or rules does.
              AND (
                  operation <> 'patch' OR object_source = 'request' OR request_object LIKE '[%'
                  OR rules(request_object) IS NOT NULL OR body_text(request_object, 'metadata.labels') IS NOT NULL
              )
              AND NOT listed('system_principals', principal)
              AND NOT listed('expected', principal, 'rbac', namespace)
        ) AS labelled
        WHERE regexp_like(label['path'], '^\["rbac\.authorization\.k8s\.io/aggregate-to-(?:admin|edit|view|cluster-reader)"\]$')
          AND label['after'] IN ('true', '"true"')
    ) AS written
) AS weighed
GROUP BY
    stage_timestamp, outcome, actor, principal, operation, object_name, response_code, client_ip, peer_ip, user_agent, audit_id,
    source_file, source_line, source_offset
ORDER BY stage_timestamp, source_file, source_offset, audit_id
