-- title = "Service takes over an address"
-- question = "Who told the cluster to intercept traffic to an address?"
-- description = """
-- Services with spec.externalIPs, and writes to the status of services (its load balancer addresses) by
-- anybody but the cloud's controller: every node then sends traffic for these addresses to the service
-- (CVE-2020-8554). Known controllers are left out (list expected, activity services)."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 CC6.6", "NIST SC-7", "NSA/CISA hardening guide"]
-- attack = ["T1557"]
-- false_positives = "MetalLB and other controllers of load balancers, and bare-metal clusters that use externalIPs on purpose."
-- tuning = "Give controllers in the list expected, with the activity services. Kubernetes' DenyServiceExternalIPs forbids the use."
-- limits = "At level Metadata only writes to services/status show."
-- message = "{actor} gave service {namespace}/{name} the address(es) [{addresses}|of its status] ({outcome})"
-- triage = ["object-history resource=services namespace={namespace} name={name}", "principal-timeline principal={principal}", "field-changes resource=services namespace={namespace} name={name}"]
-- covers = []
-- differs = "Tools that read RBAC (rbac-police) find who could; this finds who did."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "addresses", "outcome"]
-- columns.detail = ["write_kind", "ports", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["services"]
-- level = "Request"
-- columns = ["request_object"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["services/status"]
SELECT
    stage_timestamp,
    graded(CASE WHEN (
        actor_kind = 'serviceaccount'
        AND impersonated_username IS NULL
        AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
        AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
    ) THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    write_kind,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    CASE WHEN write_kind = 'status' THEN body_text(object, 'status.loadBalancer.ingress') ELSE body_text(object, 'spec.externalIPs') END AS addresses,
    body_text(object, 'spec.ports') AS ports,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'services'
  AND api_group = ''
  AND operation IN ('create', 'update', 'patch')
  AND (
      write_kind = 'status'
      OR write_kind = 'object' AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'spec') IS NOT NULL) AND body_text(object, 'spec.externalIPs') LIKE '%"%'
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
