-- title = "Pod with a controller's service account"
-- question = "Who ran pods as a controller of the control plane?"
-- description = """
-- Pods and templates in kube-system that run as the service account of a built-in controller (those in
-- system_principals). These accounts have broad rights, and pods do not need them: the controllers run
-- in kube-controller-manager. Refused attempts, failures and dry runs are included (outcome)."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.3", "NIST AC-6", "CIS 5.1.6"]
-- attack = ["T1078.001", "T1610"]
-- tables = ["system_principals", "expected"]
-- covers = ["Elastic: Kubernetes Pod Created With a Sensitive Controller Service Account"]
-- false_positives = "Distributions that run such controllers as pods."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran {resource} [{namespace}/][{name}|without a name] as {service_account} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "service_account"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('high', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    coalesce(body_text(pod_spec, 'serviceAccountName'), body_text(pod_spec, 'serviceAccount')) AS service_account,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM pod_specs
WHERE subresource = ''
  AND namespace = 'kube-system'
  AND listed(
      'system_principals',
      'system:serviceaccount:kube-system:' || coalesce(body_text(pod_spec, 'serviceAccountName'), body_text(pod_spec, 'serviceAccount'))
  )
  -- A patch of something else, such as labels or replicas, leaves the pod as it was.
  AND (
      verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
      OR pod_spec(resource, request_object) IS NOT NULL
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'privileged-pods', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
