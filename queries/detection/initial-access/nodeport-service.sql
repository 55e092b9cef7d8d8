-- title = "NodePort service"
-- question = "Who opened a port on every node?"
-- description = """
-- Services of type NodePort that were created or changed, server-side apply included, and attempts. Load
-- balancers, which have node ports too, are loadbalancer-exposure. low if it looks like an operator at
-- work (a service account with the token of its pod). A patch that does not touch the spec is left out."""
-- severity = "medium"
-- level = "Request"
-- controls = ["PCI-DSS 1.2.5", "SOC 2 CC6.6", "NIST SC-7"]
-- attack = ["T1133", "T1190"]
-- false_positives = "Ingress controllers and clusters without a load balancer."
-- tuning = "Give those who open ports as their job in the list expected, with the activity services."
-- limits = "Whether the port can be reached depends on the nodes' network."
-- message = "{actor} opened node port(s) [{node_ports}|to be allotted] with service {namespace}/{name} ({outcome})"
-- triage = ["object-history resource=services namespace={namespace} name={name}", "principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- covers = ["Falco: Create NodePort Service", "Elastic: Kubernetes Exposed Service Created With Type NodePort", "Panther: Kubernetes.Service.NodePort", "Splunk: Kubernetes Node Port Creation", "Google: Initial Access: GKE NodePort service created"]
-- differs = "Falco and Panther look at verb create only: a service that is changed to NodePort, or applied by the server, escapes them."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["ports", "selector", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["services"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE WHEN (
        actor_kind = 'serviceaccount'
        AND impersonated_username IS NULL
        AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
        AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
    ) THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    array_to_string(regexp_match(body_text(object, 'spec.ports'), '"nodePort"\s*:\s*([0-9]+)'), ', ') AS node_ports,
    body_text(object, 'spec.ports') AS ports,
    body_text(object, 'spec.selector') AS selector,
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
  AND subresource = ''
  AND operation IN ('create', 'update', 'patch')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
  AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'spec') IS NOT NULL)
  AND (
      body_text(object, 'spec.type') = 'NodePort'
      -- A JSON patch at level Request.
      OR regexp_like(request_object, '^\s*\[') AND regexp_like(request_object, '"value"\s*:\s*"NodePort"')
  )
ORDER BY stage_timestamp, source_file, source_offset, audit_id
