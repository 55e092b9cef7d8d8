-- title = "Pod Security refused a pod"
-- question = "Whose pods did Pod Security refuse, and why?"
-- description = """
-- Pods and workloads that Pod Security refused, grouped by actor, namespace and violated level. Pods
-- that a controller creates from a template are refused in its name: the workload is theirs who
-- created it. Attempts only: nothing ran."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.2.1", "NIST CM-7", "SOC 2 CC6.8"]
-- attack = ["T1611", "T1610"]
-- false_positives = "Manifests written for another cluster; a controller that tries again and again."
-- limits = "The message names the first violations. Deliveries without messages show only a 403."
-- tuning = "Nothing to tune: it is a list."
-- triage = ["denied-requests actor={actor} namespace={namespace}", "principal-timeline principal={principal}"]
-- message = "Pod Security {violated} refused {resource} of {actor} in {namespace} ({attempts}×)"
-- columns.key = ["actor", "principal", "resource", "namespace", "violated"]
-- columns.detail = ["attempts", "response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- columns = ["response_message"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    'low' AS severity,
    'refused' AS outcome,
    actor,
    principal,
    min(verb) AS verb,
    resource,
    namespace,
    cause_name AS violated,
    count(*) AS attempts,
    first_value(response_message ORDER BY stage_timestamp) AS response_message,
    min(response_code) AS response_code,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM denials
WHERE cause = 'pod-security'
GROUP BY actor, principal, resource, namespace, cause_name
ORDER BY first_seen, actor, principal, namespace, resource, violated
