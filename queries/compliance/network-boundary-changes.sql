-- title = "Changes to network boundaries"
-- question = "Who changed what the network lets in and out?"
-- description = """
-- Writes to network policies, ingresses and ingress classes, gateways and their routes, service
-- entries of Istio, services of type LoadBalancer or NodePort, services with externalIPs, and
-- endpoints. exposure says what a service opens, at level Request. Services whose type the log does
-- not show are left out, unless they are deleted."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 1.2.2", "PCI-DSS 1.2.8", "NIST SC-7", "SOC 2 CC6.6", "ISO 27001 A.8.20", "ISO 27001 A.8.22", "CIS 5.3.2"]
-- attack = ["T1133", "T1557"]
-- false_positives = "Deployments by pipelines: see channel in change-log."
-- limits = "Firewalls and load balancers of the provider, and policies of a mesh in other kinds, are not in this log. At level Metadata the type of a service is not known."
-- message = "{actor}: {operation} {target} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "operation", "target", "namespace", "name", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip", "user_agent"]
-- tables = ["system_principals", "expected"]
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
    CASE WHEN resource = 'services' THEN concat_ws(', ', nullif(body_text(object, 'spec.type'), 'ClusterIP'), CASE WHEN coalesce(body_text(object, 'spec.externalIPs'), '[]') NOT IN ('[]', 'null') THEN 'externalIPs' END) END AS exposure,
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
      resource LIKE '%networkpolic%'
      OR api_group = 'networking.k8s.io' AND resource IN ('ingresses', 'ingressclasses')
      OR api_group = 'gateway.networking.k8s.io'
      OR api_group = 'networking.istio.io' AND resource IN ('gateways', 'virtualservices', 'serviceentries')
      OR api_group = 'route.openshift.io' AND resource = 'routes'
      OR api_group = '' AND resource = 'endpoints' AND subresource = ''
      OR api_group = '' AND resource = 'services' AND (
          body_text(object, 'spec.type') IN ('LoadBalancer', 'NodePort')
          OR coalesce(body_text(object, 'spec.externalIPs'), '[]') NOT IN ('[]', 'null')
      )
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
  AND NOT listed('expected', principal, 'endpoints', namespace)
  AND NOT listed('expected', principal, 'policies', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
