-- title = "Mutable image tag"
-- question = "Which workloads use latest, or no tag at all?"
-- description = """
-- Images of containers with the tag latest or without a tag, and without a digest, by principal,
-- namespace and image. What runs can change without any request. An inventory."""
-- severity = "info"
-- level = "Request"
-- controls = ["NSA/CISA hardening guide", "NIST CM-2", "SOC 2 CC8.1"]
-- attack = ["T1525"]
-- false_positives = "Development namespaces."
-- tuning = "Leave namespaces out with ignored_namespaces."
-- limits = "Any tag can be moved; only a digest cannot. Set any_tag to see all images without a digest."
-- message = "{principal} used image {image} in {namespace}, whose tag can move ({objects}×)"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- covers = []
-- differs = "An inventory from requests; kubesplaining and others read the objects."
-- tables = ["system_principals"]
-- columns.key = ["principal", "namespace", "image"]
-- columns.detail = ["resources", "last_seen"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.any_tag]
-- type = "boolean"
-- default = false
-- doc = "Also images with another tag than latest, if they have no digest."
-- [parameters.ignored_namespaces]
-- type = "strings"
-- doc = "Leave out workloads in these namespaces."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    principal,
    namespace,
    image,
    count(*) AS objects,
    min(resource) AS resource,
    min(object_name) AS name,
    array_agg(DISTINCT resource ORDER BY resource) AS resources
FROM containers
WHERE image NOT LIKE '%@%'
  AND ($any_tag OR regexp_like(image, '^(?:.*/)?[^/:]+(?::latest)?$'))
  AND (verb <> 'patch' OR created OR pod_spec(resource, request_object) IS NOT NULL)
  AND outcome(response_code, dry_run) = 'succeeded'
  AND NOT listed('system_principals', principal)
  AND ($ignored_namespaces IS NULL OR (namespace = ANY($ignored_namespaces)) IS NOT TRUE)
GROUP BY principal, namespace, image
ORDER BY principal, namespace, image
