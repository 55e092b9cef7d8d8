-- title = "Ingress without TLS"
-- question = "Who published something over plain HTTP?"
-- description = """
-- Ingresses that were created or changed without spec.tls and without an annotation that ends TLS at the
-- load balancer. low; medium if an external-dns annotation gives it a public name."""
-- severity = "low"
-- level = "Request"
-- controls = ["PCI-DSS 4.2.1", "SOC 2 CC6.7", "NIST SC-8", "HIPAA 164.312(e)(1)"]
-- attack = ["T1040"]
-- false_positives = "TLS that ends in front of the ingress controller, and the solvers of ACME challenges."
-- tuning = "Give tools in the list expected, with the activity services."
-- limits = "A default certificate of the ingress controller is not visible. A patch at level Request does not show whether the ingress already has TLS: it counts only if it removes it."
-- message = "{actor} published ingress {namespace}/{name}[ as {hostname}] without TLS ({outcome})"
-- triage = ["object-history resource=ingresses namespace={namespace} name={name}", "principal-timeline principal={principal}", "field-changes resource=ingresses namespace={namespace} name={name}"]
-- covers = ["Falco: Ingress Object without TLS Certificate Created", "Panther: Kubernetes.Ingress.NoTLS"]
-- differs = "Load balancers with a certificate are left out; the severity tells a public name from the rest."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "outcome"]
-- columns.detail = ["rules", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["ingresses.networking.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(CASE WHEN regexp_match(body_text(object, 'metadata.annotations'), '"external-dns\.alpha\.kubernetes\.io/hostname"\s*:\s*"([^"]*)"')[1] IS NOT NULL THEN 'medium' ELSE 'low' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    object_name AS name,
    coalesce(regexp_match(body_text(object, 'metadata.annotations'), '"external-dns\.alpha\.kubernetes\.io/hostname"\s*:\s*"([^"]*)"')[1], regexp_match(body_text(object, 'spec.rules'), '"host"\s*:\s*"([^"]*)"')[1]) AS hostname,
    body_text(object, 'spec.rules') AS rules,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE resource = 'ingresses'
  AND api_group IN ('networking.k8s.io', 'extensions')
  AND subresource = ''
  AND operation IN ('create', 'update', 'patch')
  AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'spec') IS NOT NULL)
  -- A patch at level Request shows only what it names.
  AND (operation <> 'patch' OR object_source = 'response' OR regexp_like(request_object, '"tls"\s*:\s*(?:null|\[\s*\])'))
  AND body_text(object, 'spec.rules') IS NOT NULL
  AND NOT regexp_like(coalesce(body_text(object, 'spec.tls'), ''), '\{')
  AND NOT regexp_like(
      coalesce(body_text(object, 'metadata.annotations'), ''),
      '"(?:alb\.ingress\.kubernetes\.io/certificate-arn|ingress\.gcp\.kubernetes\.io/pre-shared-cert|networking\.gke\.io/managed-certificates'
      || '|appgw\.ingress\.kubernetes\.io/appgw-ssl-certificate)"\s*:'
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'services', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
