-- title = "Images outside our registries"
-- question = "Which images run that are not from our registries, and who started them?"
-- description = """
-- Images of pods and workloads that the list allowed_images does not name, one row per image and
-- namespace, from creates and changes that succeeded, dry runs left out; with refused, also those
-- that were only asked for. Images are compared as written and by their complete name
-- (docker.io/library/nginx for nginx). actors are those who asked for them, without the controllers
-- that make pods of workloads; where there are only controllers, actors is NULL."""
-- severity = "low"
-- level = "Request"
-- controls = ["CIS 5.5.1", "NIST CM-7(5)", "NIST SR-3", "SOC 2 CC6.8", "ISO 27001 A.8.19"]
-- attack = ["T1610", "T1525"]
-- false_positives = "Images of the provider and of add-ons: name their registries in the list."
-- limits = "Pods created before the log begins, and static pods that no kubelet reported, are not included. At level Request a patch shows only the containers that it names, and what a webhook changes (a registry mirror) is not shown. A tag says nothing about the content."
-- message = "{image} in {namespace}, not from an allowed registry[, asked for by {actors}]"
-- columns.key = ["image", "namespace", "outcome"]
-- columns.detail = ["registry", "actors", "workloads", "first_seen", "last_seen"]
-- tables = ["allowed_images", "system_principals", "system_namespaces"]
-- triage = ["who-deleted namespace={namespace}", "object-history namespace={namespace} resource={resource} name={name}"]
-- tuning = "Name your registries in the list allowed_images, such as registry.example.com/* or docker.io/library/*."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps",
--     "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only workloads in this namespace."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also the system namespaces, such as kube-system."
-- [parameters.refused]
-- type = "boolean"
-- default = false
-- doc = "Also requests that were refused or failed."
WITH named AS (
    SELECT
        stage_timestamp, audit_id, source_file, source_line, cluster, namespace, resource, object_name, principal, image,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN NOT regexp_like(image, '^(?:[^/]*[.:][^/]*|localhost)/') THEN
                CASE WHEN image LIKE '%/%' THEN 'docker.io/' ELSE 'docker.io/library/' END || image
            ELSE image
        END AS full_image
    FROM containers
    WHERE image <> ''
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($system OR NOT listed('system_namespaces', namespace))
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    image,
    split_part(full_image, '/', 1) AS registry,
    namespace,
    array_agg(DISTINCT principal ORDER BY principal) FILTER (WHERE NOT listed('system_principals', principal)) AS actors,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    count(DISTINCT concat(resource, '/', object_name)) AS workloads,
    count(DISTINCT audit_id) AS requests,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    first_value(resource ORDER BY stage_timestamp, audit_id) AS resource,
    first_value(object_name ORDER BY stage_timestamp, audit_id) AS name,
    first_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    first_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM named
WHERE NOT listed('allowed_images', image)
  AND NOT listed('allowed_images', full_image)
  AND outcome <> 'dry run'
  AND ($refused OR outcome IN ('succeeded', 'unknown'))
GROUP BY cluster, outcome, image, full_image, namespace
ORDER BY image, namespace, outcome, audit_id
