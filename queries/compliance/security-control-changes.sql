-- title = "Changes to security controls"
-- question = "Who changed, weakened or removed a security control?"
-- description = """
-- Writes to what enforces policy: admission webhooks and policies, network policies, quotas and
-- limit ranges, RBAC for policy engines, policies of Kyverno, Gatekeeper, Cilium, Calico and Istio,
-- security agents (the list security_agents), and Pod Security labels of namespaces (at level
-- Request). Deleting is medium, other changes low, attempts one step less."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.7.2", "PCI-DSS 1.2.2", "SOC 2 CC7.1", "SOC 2 CC8.1", "NIST CM-5", "NIST SI-4", "ISO 27001 A.8.9", "ISO 27001 A.8.32"]
-- attack = ["T1562.001", "T1562.004"]
-- false_positives = "Policies owned by a GitOps account: name it in expected with activity policies."
-- limits = "At level Metadata a change of a namespace does not show whether its Pod Security labels changed, and is left out."
-- message = "{actor}: {operation} {target} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["security_agents", "system_principals", "expected"]
-- tuning = "Rows of expected for what your own automation does."
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
SELECT
    stage_timestamp,
    graded(CASE WHEN operation IN ('delete', 'deletecollection') THEN 'medium' ELSE 'low' END, outcome) AS severity,
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
  AND (
      api_group = 'admissionregistration.k8s.io'
      OR api_group IN ('networking.k8s.io', 'policy.networking.k8s.io', 'cilium.io', 'crd.projectcalico.org', 'projectcalico.org')
          AND resource LIKE '%networkpolic%'
      OR api_group = '' AND resource IN ('resourcequotas', 'limitranges')
      OR api_group IN ('kyverno.io', 'policies.kyverno.io', 'templates.gatekeeper.sh', 'constraints.gatekeeper.sh', 'config.gatekeeper.sh', 'mutations.gatekeeper.sh', 'security.istio.io')
          AND resource NOT LIKE '%reports' AND resource NOT IN ('updaterequests', 'policyreports')
      OR listed('security_agents', namespace, object_name) AND resource IN ('daemonsets', 'deployments', 'statefulsets', 'pods')
      OR api_group = '' AND resource = 'namespaces' AND operation IN ('update', 'patch')
          AND body_text(request_object, 'metadata.labels') LIKE '%pod-security.kubernetes.io/%'
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'policies', namespace)
  AND NOT listed('expected', principal, 'webhooks', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
