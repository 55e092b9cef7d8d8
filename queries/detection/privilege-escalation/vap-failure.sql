-- title = "Admission policy violated"
-- question = "Who did what a ValidatingAdmissionPolicy only audits or warns of?"
-- description = """
-- Requests that broke a ValidatingAdmissionPolicy whose binding audits or warns instead of denying,
-- grouped by actor, policy, namespace and resource; controllers of the control plane are left out. How
-- bad that is depends on the policy: severity_by_policy makes it medium for the policies that it
-- names."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["NIST CM-7", "SOC 2 CC6.8"]
-- attack = ["T1562"]
-- tables = ["system_principals", "expected"]
-- covers = ["Falco: validation_failure field"]
-- false_positives = "Policies that are being tried out: nearly all of these."
-- limits = "Only bindings with the action Audit leave this annotation; Deny is in denied-requests. Deliveries without annotations have none."
-- tuning = "Name the policies that matter in the parameter important, and add principals to the list expected, with activity policies."
-- triage = ["denied-requests actor={actor}", "principal-timeline principal={principal}"]
-- message = "{actor}: {verb} {resource} [in {namespace} ]violates policy {policy} ({requests}×)"
-- columns.key = ["actor", "principal", "policy", "binding", "resource", "namespace", "outcome"]
-- columns.detail = ["failure", "requests", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- verbs = ["create", "update", "patch", "delete"]
-- columns = ["annotations"]
-- [parameters.important]
-- type = "strings"
-- default = []
-- doc = "Policies whose violation is medium."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN controller = ANY($important) THEN 'medium' ELSE 'low' END, outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    min(verb) AS verb,
    resource,
    namespace,
    controller AS policy,
    configuration AS binding,
    first_value(message ORDER BY stage_timestamp) AS failure,
    count(*) AS requests,
    min(response_code) AS response_code,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM admission_decisions
WHERE mechanism = 'policy'
  AND decision = 'violation'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'policies', namespace)
GROUP BY actor, principal, resource, namespace, controller, configuration, outcome(response_code, dry_run)
ORDER BY first_seen, actor, principal, namespace, resource, policy, binding, outcome
