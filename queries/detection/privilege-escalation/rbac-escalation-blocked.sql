-- title = "Grant blocked by the escalation guard"
-- question = "Who tried to grant rights that they do not have themselves?"
-- description = """
-- Writes of roles and bindings that authorization allowed and the apiserver's escalation guard
-- refused, since the author does not hold the rights that they grant, and may not bind or escalate.
-- One row per actor and object, however often they tried."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["expected"]
-- false_positives = "Operators and pipelines whose own role is too small: they try again and again."
-- limits = "What was to be granted is in response_message, as far as the log keeps messages."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = [
--     "denied-requests actor={actor}", "principal-timeline principal={principal}", "rbac-changes actor={actor}",
-- ]
-- message = "{actor} was stopped from granting rights that they do not hold: {verb} {resource} [{namespace}/][{name}|without a name] ({attempts}×)"
-- columns.key = ["actor", "principal", "verb", "resource", "namespace", "name"]
-- columns.detail = ["attempts", "response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
--     "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
-- ]
-- verbs = ["create", "update", "patch"]
-- columns = ["response_message"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    'high' AS severity,
    'refused' AS outcome,
    count(*) AS attempts,
    actor,
    principal,
    verb,
    resource,
    namespace,
    name,
    min(response_code) AS response_code,
    first_value(response_message ORDER BY stage_timestamp) AS response_message,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM denials
WHERE cause = 'rbac-escalation'
  AND NOT listed('expected', principal, 'rbac', namespace)
GROUP BY actor, principal, verb, resource, namespace, name
ORDER BY first_seen, actor, principal, verb, resource, namespace, name
