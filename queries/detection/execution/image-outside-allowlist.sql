-- title = "Image that is not allowed"
-- question = "Who used images that are not on the list of allowed images?"
-- description = """
-- Containers whose image is not in the list allowed_images, by principal, namespace and image. Images
-- without a registry are compared as docker.io/…, official ones as docker.io/library/…. Pods that the
-- control plane makes from a template are left out: the template counts."""
-- severity = "medium"
-- level = "Request"
-- controls = ["CIS 5.5.1", "PCI-DSS 6.3.2", "SOC 2 CC6.8", "NIST CM-7(5)"]
-- attack = ["T1610", "T1525"]
-- false_positives = "Images that the list forgot."
-- tuning = "Add rows with --table allowed_images=FILE, such as registry.example.com/*."
-- limits = "Compares names, not contents: a digest or signature is not checked. Without the list the query is not evaluable."
-- message = "{principal} used image {image} in {namespace} ({outcome}, {objects}×)"
-- triage = ["principal-timeline principal={principal}", "namespace-access namespace={namespace}", "object-history resource={resource} namespace={namespace} name={name}"]
-- covers = ["Falco: Create Disallowed Pod", "Splunk: Kubernetes Suspicious Image Pulling"]
-- differs = "Falco looks at created pods and their first container. Here every container of every kind of workload counts, created or changed."
-- tables = ["allowed_images", "system_principals"]
-- columns.key = ["principal", "namespace", "image", "outcome"]
-- columns.detail = ["resources", "peer_ips", "user_agents"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('medium', outcome) AS severity,
    outcome,
    principal,
    namespace,
    image,
    count(*) AS objects,
    min(resource) AS resource,
    min(object_name) AS name,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) FILTER (WHERE peer_ip IS NOT NULL) AS peer_ips,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS user_agents
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        principal,
        namespace,
        CASE WHEN regexp_like(image, '^(?:[^/]+[.:][^/]*|localhost)/') THEN image WHEN image LIKE '%/%' THEN 'docker.io/' || image ELSE 'docker.io/library/' || image END AS image,
        resource,
        object_name,
        peer_ip,
        user_agent
    FROM containers
    WHERE image IS NOT NULL
      AND (verb <> 'patch' OR created OR pod_spec(resource, request_object) IS NOT NULL)
      AND NOT listed('system_principals', principal)
) AS used
WHERE NOT listed('allowed_images', image)
GROUP BY outcome, principal, namespace, image
ORDER BY first_seen, principal, namespace, image, outcome
