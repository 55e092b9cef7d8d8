-- title = "Secrets in the environment"
-- question = "Which workloads take Secrets into their environment instead of files?"
-- description = """
-- Containers of admitted pods and workloads whose environment takes values from Secrets (env with
-- secretKeyRef, or envFrom with secretRef). What a controller creates from a template is left out,
-- since the template has its own row."""
-- severity = "info"
-- level = "Request"
-- controls = ["CIS 5.4.1", "NIST IA-5", "PCI-DSS 8.3.2"]
-- attack = ["T1552.007"]
-- false_positives = "Charts that offer nothing else."
-- limits = "Pods that were created before the log begins do not show. At level Metadata the pod spec is not known."
-- message = "{actor}: {resource} {namespace}/{name}, container {container_name} takes {secrets} into its environment"
-- columns.key = ["resource", "namespace", "name", "container_name"]
-- columns.detail = ["image", "actor", "stage_timestamp"]
-- tables = ["system_principals"]
-- triage = ["secrets-read namespace={namespace}", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps",
--     "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace."
SELECT
    stage_timestamp,
    actor,
    principal,
    resource,
    namespace,
    object_name AS name,
    container_kind,
    container_name,
    image,
    env_secret_refs AS secrets,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM containers
WHERE response_code BETWEEN 200 AND 299
  AND (dry_run LIKE '%All%') IS NOT TRUE
  AND NOT listed('system_principals', principal)
  AND cardinality(env_secret_refs) > 0
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
