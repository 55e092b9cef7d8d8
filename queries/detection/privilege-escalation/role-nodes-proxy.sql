-- title = "Role that reaches kubelets"
-- question = "Who wrote a role that allows nodes/proxy?"
-- description = """
-- Cluster roles that allow any verb on nodes/proxy, by name, by */proxy or by * on the resources of
-- the core group. get is enough to run commands in every pod of the node through the kubelet, past
-- admission and past the audit of exec. One row per write with these rules; refused attempts, failures
-- and dry runs included (outcome). Rules that allow everything on everything have their own query,
-- role-wildcard, and are not in here."""
-- severity = "high"
-- level = "Request"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2", "CIS 5.1.10"]
-- attack = ["T1611", "T1609"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Panther: Kubernetes Node Proxy Role", "Elastic: Kubernetes Creation or Modification of Sensitive Role",
-- ]
-- differs = "Panther also matches nodes/*, which RBAC does not honour."
-- false_positives = "Prometheus and agents that read metrics through the apiserver; nodes/metrics is enough for them."
-- limits = "At level Metadata the log does not show the rules, so no rows does not mean no grants. A JSON patch at level Request shows nothing, and a request that was refused before its body was read shows no rules. A role grants nothing until it is bound: see rbac-binding-changed."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "principal-timeline principal={principal}", "rbac-changes actor={actor}",
--     "cluster-admin-usage actor={actor}",
-- ]
-- message = "{actor} wrote {object_kind} [{namespace}/][{name}|without a name], which allows {granted} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name", "granted"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE max(weight) WHEN 3 THEN 'high' WHEN 2 THEN 'medium' WHEN 1 THEN 'low' ELSE 'info' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    array_to_string(array_sort(array_agg(rule_text)), '; ') AS granted,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, object_kind, namespace, object_name, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        array_to_string(rule['verbs'], ',') || ' '
            || coalesce(nullif(array_to_string(rule['resources'], ','), ''), array_to_string(rule['non_resource_urls'], ','), '')
            || coalesce(' in ' || nullif(array_to_string(rule['api_groups'], ','), ''), '')
            || coalesce(' named ' || nullif(array_to_string(rule['resource_names'], ','), ''), '') AS rule_text,
        CASE
            WHEN array_has(rule['verbs'], '*') AND array_has(rule['resources'], '*') THEN -1
            WHEN array_has_any(rule['api_groups'], make_array('', '*'))
                AND array_has_any(rule['resources'], make_array('nodes/proxy', '*/proxy', '*')) THEN 3
            ELSE -1
        END AS weight
    FROM (
        SELECT
            stage_timestamp, outcome, actor, principal, operation, object_kind, namespace, object_name, response_code,
            client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
            unnest(rules) AS rule
        FROM rbac_requests
        WHERE resource = 'clusterroles'
          -- A patch of something else, such as labels, grants nothing.
          AND (operation <> 'patch' OR object_source = 'request' OR request_object LIKE '[%' OR rules(request_object) IS NOT NULL)
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'rbac', namespace)
    ) AS written
) AS weighed
WHERE weight >= 0
GROUP BY
    stage_timestamp, outcome, actor, principal, operation, object_kind, namespace, object_name, response_code, client_ip,
    peer_ip, user_agent, audit_id, source_file, source_line, source_offset
ORDER BY stage_timestamp, source_file, source_offset, audit_id
