-- title = "Service account changed"
-- question = "Who changed service accounts, and which cloud identity do they have?"
-- description = """
-- Updates and patches of service accounts. cloud_identity is the role that pods of the service account get from
-- EKS, GKE or AKS; a change that names one is low, others are info. Requests of the control plane and of
-- principals in the list expected (activity rbac) are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.2", "NIST AC-2(4)"]
-- attack = ["T1098"]
-- false_positives = "Every upgrade of an application."
-- limits = "At level Metadata the log does not show what changed."
-- tuning = "Add what is meant to do this to expected with activity rbac."
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}",
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} service account {namespace}/{name}[, cloud identity {cloud_identity}]"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["cloud_identity", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["serviceaccounts"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    CASE
        WHEN regexp_like(
            request_object, 'eks\.amazonaws\.com/role-arn|iam\.gke\.io/gcp-service-account|azure\.workload\.identity/client-id'
        ) THEN 'low'
        ELSE 'info'
    END AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    coalesce(
        regexp_match(body_text(object, 'metadata.annotations'), '"eks[.]amazonaws[.]com/role-arn":"([^"]*)"')[1],
        regexp_match(body_text(object, 'metadata.annotations'), '"iam[.]gke[.]io/gcp-service-account":"([^"]*)"')[1],
        regexp_match(body_text(object, 'metadata.annotations'), '"azure[.]workload[.]identity/client-id":"([^"]*)"')[1]
    ) AS cloud_identity,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'serviceaccounts'
  AND subresource = ''
  AND operation IN ('update', 'patch')
  AND outcome = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
