-- title = "Job created"
-- question = "Who created one-off jobs?"
-- description = """
-- Jobs created by anybody but the CronJob controller, by server-side apply too. An inventory."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1"]
-- attack = ["T1053.007", "T1610"]
-- false_positives = "Helm hooks, migrations, workflow engines."
-- tuning = "Give engines that create jobs in the list expected, with the activity workloads."
-- limits = "A job made by kubectl create job --from=cronjob/… counts, as the person made it."
-- message = "{actor} created Job {namespace}/[{name}|without a name] ({outcome})"
-- triage = ["object-history resource=jobs namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- covers = ["Sigma: Kubernetes CronJob/Job Modification", "Threat matrix: Kubernetes CronJob"]
-- differs = "Jobs that the CronJob controller makes are left out: cronjob-changed has their origin."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["image", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "patch"]
-- resources = ["jobs.batch"]
SELECT
    stage_timestamp,
    graded('info', outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'jobs'
  AND api_group = 'batch'
  AND subresource = ''
  AND operation = 'create'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
