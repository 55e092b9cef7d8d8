-- title = "Dashboard exposed"
-- question = "Who exposed a user interface that controls the cluster or runs code?"
-- description = """
-- NodePort and LoadBalancer services, ingresses, Gateway routes and OpenShift routes whose name, selector
-- or backend is that of a dashboard that should not be public: Kubernetes Dashboard, Kubeflow, Argo,
-- Weave Scope, Jupyter, Airflow, Spark, Portainer and others. high for a service, medium for an ingress or
-- route (something may stand in front), low for those that have a login of their own (Grafana,
-- Argo CD, Kibana…), for internal load balancers, and for istio-ingressgateway."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.6", "NIST SC-7", "PCI-DSS 1.4.1"]
-- attack = ["T1133"]
-- false_positives = "Dashboards behind a login."
-- tuning = "Leave names out with ignored_names, as a regular expression; give GitOps tools in the list expected, with the activity services."
-- limits = "Goes by names."
-- message = "{actor} exposed {interface} with {resource} {namespace}/{name} ({outcome})"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "namespace-access namespace={namespace}"]
-- covers = ["GuardDuty: Policy:Kubernetes/ExposedDashboard", "GuardDuty: Policy:Kubernetes/KubeflowDashboardExposed", "Defender: K8S_ExposedDashboard", "Defender: K8S_ExposedKubeflow", "Threat matrix: Exposed sensitive interfaces"]
-- differs = "More interfaces, and ingresses and routes beside services."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "resource", "namespace", "name", "interface", "outcome"]
-- columns.detail = ["exposure", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["services", "ingresses.networking.k8s.io", "httproutes.gateway.networking.k8s.io", "routes.route.openshift.io"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.ignored_names]
-- type = "string"
-- doc = "Regular expression: leave out objects whose name matches."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN internal OR regexp_like(interface, '^(?:grafana|argocd|argo-cd|kibana|istio-ingressgateway|harbor|jenkins|rancher|vault|prometheus|alertmanager)') THEN 'low'
            WHEN exposure IN ('NodePort', 'LoadBalancer') THEN 'high'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    interface,
    exposure,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    name,
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
        lower(regexp_match(
            concat_ws(
                ' ', object_name, body_text(object, 'spec.selector'),
                CASE WHEN resource <> 'services' THEN body_text(object, 'spec') END
            ),
            '(?:^|[\s"/_.:=-])(kubernetes-dashboard|k8s-dashboard|headlamp|kubeflow[\w-]*|ml-pipeline-ui|centraldashboard|argo-server|argo-workflows[\w-]*|workflows-server|argocd[\w-]*|argo-cd[\w-]*'
            || '|weave-scope[\w-]*|jupyter[\w-]*|notebook-server|airflow[\w-]*|spark-(?:ui|master|history)[\w-]*|portainer|rancher|kube-ops-view|octant|k8dash|skooner|kubeview|lens-metrics'
            || '|grafana|kibana|prometheus[\w-]*|alertmanager[\w-]*|jenkins|harbor[\w-]*|vault-ui|etcd[\w-]*|kubecost[\w-]*|polynote|mlflow[\w-]*|ray-dashboard|dask-scheduler|consul-ui|traefik-dashboard|istio-ingressgateway|hubble-ui|longhorn-frontend|kiali)(?:$|[\s"/_.:,-])',
            'i'
        )[1]) AS interface,
        CASE WHEN resource = 'services' THEN body_text(object, 'spec.type') ELSE resource END AS exposure,
        regexp_like(
            coalesce(body_text(object, 'metadata.annotations'), ''),
            '"(?:service\.beta\.kubernetes\.io/(?:aws-load-balancer-internal|aws-load-balancer-scheme|azure-load-balancer-internal|oci-load-balancer-internal'
            || '|openstack-internal-load-balancer|alibaba-cloud-loadbalancer-address-type|do-loadbalancer-network)|(?:networking\.gke\.io|cloud\.google\.com)/load-balancer-type'
            || '|service\.kubernetes\.io/ibm-load-balancer-cloud-provider-ip-type|oci-network-load-balancer\.oraclecloud\.com/internal|alb\.ingress\.kubernetes\.io/scheme)"'
            || '\s*:\s*"(?:true|internal|intranet|private|0\.0\.0\.0/0)"',
            'i'
        ) AS internal,
        actor,
        principal,
        actor_kind,
        operation,
        resource,
        namespace,
        object_name AS name,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM write_requests
    WHERE (
          resource = 'services' AND api_group = ''
          OR resource = 'ingresses' AND api_group IN ('networking.k8s.io', 'extensions')
          OR resource = 'httproutes' AND api_group = 'gateway.networking.k8s.io'
          OR resource = 'routes' AND api_group = 'route.openshift.io'
      )
      AND subresource = ''
      AND operation IN ('create', 'update', 'patch')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'services', namespace)
      AND (verb <> 'patch' OR operation = 'create' OR ltrim(request_object) LIKE '[%' OR body_text(request_object, 'spec') IS NOT NULL)
) AS exposed
WHERE interface IS NOT NULL
  AND (resource <> 'services' OR exposure IN ('NodePort', 'LoadBalancer'))
  AND ($ignored_names IS NULL OR NOT regexp_like(name, $ignored_names))
ORDER BY stage_timestamp, source_file, source_offset, audit_id
