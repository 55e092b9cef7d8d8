-- title = "CronJob created or changed"
-- question = "Who created or changed CronJobs, and what do they run?"
-- description = """
-- Creates (server-side apply included), updates and patches of CronJobs, with the schedule, and the image and
-- command of the first container if the log has them. outcome is succeeded, refused (the attempt is one step less
-- severe), failed, dry run, or unknown. Requests of the control plane and of principals in the list expected
-- (activity workloads) are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.8", "NIST CM-3", "NIST SI-4"]
-- attack = ["T1053.007"]
-- covers = [
--     "Sigma: Kubernetes CronJob/Job Modification", "Panther: Kubernetes CronJob Created or Modified",
--     "Splunk: Kubernetes Cron Job Creation", "Microsoft threat matrix: Kubernetes CronJob",
-- ]
-- differs = "The others match verb create only, which misses server-side apply (patch, 201), or count status updates."
-- false_positives = "Deployments by people. Pipelines and GitOps tools that are not in the list expected."
-- limits = "At level Metadata schedule, image and command are NULL. A patch at level Request shows only what it names."
-- tuning = "Add pipelines and operators to expected with activity workloads."
-- triage = [
--     "object-history resource=cronjobs namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} CronJob {namespace}/[{name}|without a name][, schedule {schedule}][, image {image}] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "namespace", "name"]
-- columns.detail = ["schedule", "image", "command", "service_account", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["cronjobs.batch"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    body_text(object, 'spec.schedule') AS schedule,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    array_to_string(
        array_concat(containers(pod_spec(resource, object))[1]['command'], containers(pod_spec(resource, object))[1]['args']), ' '
    ) AS command,
    body_text(pod_spec(resource, object), 'serviceAccountName') AS service_account,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'cronjobs'
  AND api_group = 'batch'
  AND subresource = ''
  AND operation IN ('create', 'update', 'patch')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
