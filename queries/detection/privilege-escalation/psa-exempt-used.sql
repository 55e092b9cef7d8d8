-- title = "Pod Security did not look"
-- question = "Which pods ran under an exemption from Pod Security?"
-- description = """
-- Pods and workloads that Pod Security did not check, because their namespace, the user or the runtime
-- class is exempt, grouped by actor, namespace and kind of exemption. An inventory of what relies on
-- exemptions, without what controllers create. An exemption of the user is low; of a namespace info,
-- since kube-system is exempt in many clusters."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.2.1", "NIST CM-7"]
-- attack = ["T1562"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Add-ons of kube-system."
-- limits = "Exemptions are configured in the apiserver, not in the cluster; the log shows only their use."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = ["namespace-access namespace={namespace}", "principal-timeline principal={principal}"]
-- message = "{actor} used the exemption of the {exemption} in {namespace} ({requests}×)"
-- columns.key = ["actor", "principal", "namespace", "exemption", "outcome"]
-- columns.detail = ["requests", "resources", "peer_ip", "user_agent"]
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
    graded(CASE controller WHEN 'namespace' THEN 'info' ELSE 'low' END, outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    namespace,
    controller AS exemption,
    array_to_string(array_sort(array_agg(DISTINCT resource)), ', ') AS resources,
    count(*) AS requests,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM admission_decisions
WHERE mechanism = 'pod-security'
  AND decision = 'exempt'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
GROUP BY actor, principal, namespace, controller, outcome(response_code, dry_run)
ORDER BY first_seen, actor, principal, namespace, exemption, outcome
