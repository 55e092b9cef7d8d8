-- title = "Role widened to everything"
-- question = "Which existing roles gained * on *?"
-- description = """
-- Updates and patches after which a role allows all verbs on all resources, which it did not before.
-- Needs the version before in the log; a role that is created so is in role-wildcard."""
-- severity = "high"
-- level = "RequestResponse"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2", "CIS 5.1.3"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = ["Elastic: Kubernetes Cluster Role Elevated to Wildcard"]
-- false_positives = "Development clusters."
-- limits = "Below level RequestResponse, and where the log does not hold the version before, the change is not seen: see before_source. Attempts are in role-wildcard."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} widened {resource} [{namespace}/]{name} to all verbs on all resources"
-- columns.key = ["actor", "principal", "operation", "resource", "namespace", "name"]
-- columns.detail = ["before_source", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"]
-- verbs = ["update", "patch"]
-- level = "RequestResponse"
-- columns = ["response_object"]
SELECT
    stage_timestamp,
    CASE resource WHEN 'clusterroles' THEN 'high' ELSE 'medium' END AS severity,
    'succeeded' AS outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    before_source,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, operation, resource, namespace, object_name, before_source, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        unnest(rules(after)) AS rule,
        unnest(rules(before)) AS earlier_rule
    FROM object_versions
    WHERE api_group = 'rbac.authorization.k8s.io'
      AND resource IN ('roles', 'clusterroles')
      AND operation IN ('update', 'patch')
      AND before IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'rbac', namespace)
) AS written
GROUP BY
    stage_timestamp, actor, principal, operation, resource, namespace, object_name, before_source, response_code, client_ip,
    peer_ip, user_agent, audit_id, source_file, source_line, source_offset
HAVING bool_or(array_has(rule['verbs'], '*') AND array_has(rule['resources'], '*'))
   AND bool_or(array_has(earlier_rule['verbs'], '*') AND array_has(earlier_rule['resources'], '*')) IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, audit_id
