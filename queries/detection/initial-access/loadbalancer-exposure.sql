-- title = "Service exposed by a load balancer"
-- question = "Who exposed a service outside the cluster?"
-- description = """
-- Services of type LoadBalancer that were created or changed without an annotation that keeps the load
-- balancer internal. open is true if any source address may connect (no loadBalancerSourceRanges, or one
-- that is everything); low if it is not, or if it looks like an operator at work. high if one of the
-- ports is that of a database or another service that belongs inside."""
-- severity = "medium"
-- level = "Request"
-- controls = ["PCI-DSS 1.4.1", "SOC 2 CC6.6", "NIST SC-7"]
-- attack = ["T1133", "T1190"]
-- false_positives = "Ingress controllers and services that are public on purpose."
-- tuning = "Give those who expose services as their job in the list expected, with the activity services."
-- limits = "Knows the annotations of AWS, Azure, Google Cloud, IBM, Oracle, Alibaba, OpenStack and DigitalOcean; a load balancer that is private for another reason is here. A patch at level Request does not show the annotations that the service already has."
-- message = "{actor} exposed service {namespace}/{name} by a load balancer[ (port {sensitive_port})] ({outcome})"
-- triage = ["object-history resource=services namespace={namespace} name={name}", "principal-timeline principal={principal}", "field-changes resource=services namespace={namespace} name={name}"]
-- covers = ["Defender: K8S_ExposedService", "Defender: K8S_ExposedRedis", "Defender: K8S_ExposedPostgresTrustAuth"]
-- differs = "Internal load balancers and restricted sources are told from open ones."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "name", "open", "outcome"]
-- columns.detail = ["ports", "source_ranges", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["services"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN NOT open THEN 'low'
            WHEN sensitive_port IS NOT NULL THEN 'high'
            WHEN operatorlike THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    actor_kind,
    operation,
    namespace,
    name,
    open,
    source_ranges,
    sensitive_port,
    ports,
    selector,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp,
        outcome,
        actor,
        principal,
        actor_kind,
        (
            actor_kind = 'serviceaccount'
            AND impersonated_username IS NULL
            AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
            AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
        ) AS operatorlike,
        operation,
        namespace,
        object_name AS name,
        body_text(object, 'spec.loadBalancerSourceRanges') AS source_ranges,
        NOT regexp_like(coalesce(body_text(object, 'spec.loadBalancerSourceRanges'), '[]'), '"[^"]')
            OR regexp_like(body_text(object, 'spec.loadBalancerSourceRanges'), '"(?:0\.0\.0\.0|::)/0"') AS open,
        regexp_match(
            body_text(object, 'spec.ports'),
            '"port"\s*:\s*(22|2375|2376|2379|3306|3389|5432|5672|6379|6443|8500|9042|9092|9200|10250|11211|15672|26257|27017)\b'
        )[1] AS sensitive_port,
        body_text(object, 'spec.ports') AS ports,
        body_text(object, 'spec.selector') AS selector,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM write_requests
    WHERE resource = 'services'
      AND api_group = ''
      AND subresource = ''
      AND operation IN ('create', 'update', 'patch')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'services', namespace)
      AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'spec') IS NOT NULL)
      AND body_text(object, 'spec.type') = 'LoadBalancer'
      AND NOT regexp_like(
          coalesce(body_text(object, 'metadata.annotations'), ''),
          '"(?:service\.beta\.kubernetes\.io/(?:aws-load-balancer-internal|aws-load-balancer-scheme|azure-load-balancer-internal|oci-load-balancer-internal'
          || '|openstack-internal-load-balancer|alibaba-cloud-loadbalancer-address-type|do-loadbalancer-network)|(?:networking\.gke\.io|cloud\.google\.com)/load-balancer-type'
          || '|service\.kubernetes\.io/ibm-load-balancer-cloud-provider-ip-type|oci-network-load-balancer\.oraclecloud\.com/internal|alb\.ingress\.kubernetes\.io/scheme)"'
          || '\s*:\s*"(?:true|internal|intranet|private|0\.0\.0\.0/0)"',
          'i'
      )
) AS exposed
ORDER BY stage_timestamp, source_file, source_offset, audit_id
