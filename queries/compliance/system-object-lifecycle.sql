-- title = "Lifecycle of system objects"
-- question = "Who created or deleted objects that the cluster itself rests on?"
-- description = """
-- Creates and deletes of nodes, namespaces, CRDs, APIServices, admission webhooks and policies,
-- priority, runtime, storage and ingress classes, persistent volumes, RBAC objects and service
-- accounts, and of workloads in system namespaces. Attempts are graded one step less. The control
-- plane and expected principals are left out."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.7", "NIST CM-3", "NIST AU-12", "SOC 2 CC8.1", "ISO 27001 A.8.32", "HIPAA 164.312(c)(1)"]
-- attack = ["T1485", "T1136"]
-- false_positives = "Installations by Helm or GitOps; cluster upgrades."
-- limits = "Static pods and what the provider changes outside the API do not show."
-- message = "{actor}: {operation} {target} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["system_namespaces", "system_principals", "expected"]
-- tuning = "Rows of expected for what your own automation does."
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    api_group,
    resource,
    subresource,
    concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')) AS target,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind IN ('object', 'scale')
  AND operation IN ('create', 'delete', 'deletecollection')
  AND (
      api_group = '' AND resource IN ('nodes', 'namespaces', 'persistentvolumes', 'serviceaccounts')
      OR api_group IN ('apiextensions.k8s.io', 'apiregistration.k8s.io', 'admissionregistration.k8s.io', 'rbac.authorization.k8s.io', 'scheduling.k8s.io', 'node.k8s.io', 'storage.k8s.io', 'flowcontrol.apiserver.k8s.io')
          AND resource NOT IN ('volumeattachments', 'csinodes', 'csistoragecapacities')
      OR api_group = 'networking.k8s.io' AND resource = 'ingressclasses'
      OR listed('system_namespaces', namespace) AND resource IN ('daemonsets', 'deployments', 'statefulsets')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, CASE resource WHEN 'namespaces' THEN 'namespaces' WHEN 'customresourcedefinitions' THEN 'crds' WHEN 'nodes' THEN 'nodes' WHEN 'persistentvolumes' THEN 'volumes' ELSE CASE api_group WHEN 'rbac.authorization.k8s.io' THEN 'rbac' WHEN 'admissionregistration.k8s.io' THEN 'webhooks' ELSE 'workloads' END END, namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
