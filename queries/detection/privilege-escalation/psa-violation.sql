-- title = "Pod Security violated"
-- question = "Who ran pods that break a Pod Security level which only warns or audits?"
-- description = """
-- Pods and workloads that the apiserver admitted although they violate the level that their namespace
-- audits, by what people and workloads sent (controllers create pods from a template that has its own
-- row). One row per actor, namespace and object. Medium if the violated level is baseline, since such
-- a pod can reach the node; low for restricted. Refused requests and dry runs are told apart
-- (outcome)."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 5.2.1", "NIST CM-7", "SOC 2 CC6.8"]
-- attack = ["T1611", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = ["Falco: ka.security.pod.violations"]
-- false_positives = "Namespaces in transition to a stricter level, which audit it first."
-- limits = "Only namespaces with an audit level have this annotation. Deliveries without annotations have none."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = ["pod-fate namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- message = "{actor}: {resource} [{namespace}/][{name}|without a name] violates Pod Security {violated} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "violated"]
-- columns.detail = ["violations", "requests", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- columns = ["annotations"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(CASE WHEN controller LIKE 'restricted%' THEN 'low' ELSE 'medium' END, outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    min(verb) AS verb,
    resource,
    namespace,
    object_name AS name,
    controller AS violated,
    first_value(message ORDER BY stage_timestamp) AS violations,
    count(*) AS requests,
    min(response_code) AS response_code,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM admission_decisions
WHERE mechanism = 'pod-security'
  AND decision = 'violation'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
GROUP BY actor, principal, resource, namespace, object_name, controller, outcome(response_code, dry_run)
ORDER BY first_seen, actor, principal, namespace, resource, name, violated
