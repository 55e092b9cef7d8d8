-- title = "Container added to a running workload"
-- question = "Who put another container into an existing workload, or swapped its image for another?"
-- description = """
-- Changes of deployments, daemon sets, stateful sets and replica sets that added a container or init
-- container, or changed the repository of an image, compared with the last version that the log shows.
-- A new tag of the same repository, as in every release, is not reported."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 CC8.1", "NIST CM-3", "NIST SI-7"]
-- attack = ["T1610", "T1525"]
-- false_positives = "Releases that add a sidecar. Mesh injectors act in admission on pods, and are not here."
-- tuning = "Give pipelines and GitOps tools in the list expected, with the activity workloads."
-- limits = "Needs an earlier version of the object in the log; patches are compared only at level RequestResponse, since at Request they show only what they name. What others changed in between looks as if this write had: see unseen_writes."
-- message = "{actor} {change} {container} ({image}) in {resource} {namespace}/{name}"
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- covers = ["Sigma: Potential Sidecar Injection Into Running Deployment", "Threat matrix: Sidecar injection"]
-- differs = "Sigma reports every patch of a deployment (and tests apiGroup where events do not have it). Here a container must be new, or its image another."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "resource", "namespace", "name", "path", "image"]
-- columns.detail = ["image_before", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    CASE WHEN operatorlike THEN 'low' ELSE 'medium' END AS severity,
    'succeeded' AS outcome,
    CASE WHEN image_before IS NULL THEN 'added container' ELSE 'swapped the image of' END AS change,
    container,
    image,
    image_before,
    path,
    actor,
    principal,
    actor_kind,
    operation,
    resource,
    namespace,
    name,
    before_source,
    unseen_writes,
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
        operatorlike,
        difference['path'] AS path,
        CASE
            WHEN difference['path'] LIKE '%].image' THEN regexp_match(difference['path'], '\[name=([^\]]*)\]\.image$')[1]
            ELSE coalesce(body_text(difference['after'], 'name'), regexp_match(difference['after'], '"name"\s*:\s*"([^"]*)"')[1])
        END AS container,
        CASE
            WHEN difference['path'] LIKE '%].image' THEN difference['after']
            ELSE coalesce(body_text(difference['after'], 'image'), regexp_match(difference['after'], '"image"\s*:\s*"([^"]*)"')[1])
        END AS image,
        CASE WHEN difference['path'] LIKE '%].image' THEN difference['before'] END AS image_before,
        actor,
        principal,
        actor_kind,
        operation,
        resource,
        namespace,
        name,
        before_source,
        unseen_writes,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM (
        SELECT
            stage_timestamp,
            (
                actor_kind = 'serviceaccount'
                AND impersonated_username IS NULL
                AND (pod_name IS NOT NULL OR credential_id IS NULL AND annotations['authentication.k8s.io/legacy-token'] IS NULL)
                AND NOT regexp_like(coalesce(user_agent, ''), '^$|^(?:kubectl|oc|curl|wget|python|k9s|websocat)', 'i')
            ) AS operatorlike,
            unnest(json_diff(pod_spec(resource, before), pod_spec(resource, after))) AS difference,
            actor,
            principal,
            actor_kind,
            operation,
            resource,
            namespace,
            object_name AS name,
            before_source,
            unseen_writes,
            response_code,
            client_ip,
            peer_ip,
            user_agent,
            audit_id,
            source_file,
            source_line,
            source_offset
        FROM object_versions
        WHERE api_group = 'apps'
          AND resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets')
          AND write_kind = 'object'
          AND verb IN ('update', 'patch')
          AND before IS NOT NULL
          AND after IS NOT NULL
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'workloads', namespace)
    ) AS compared
) AS changed
WHERE regexp_like(path, '^(?:initContainers|containers)\[[^\]]*\]$|^initContainers$') AND image IS NOT NULL
   OR path LIKE '%ontainers[%].image'
   AND regexp_replace(image, '(?::[^/:@]+)?(?:@\S+)?$', '') <> regexp_replace(image_before, '(?::[^/:@]+)?(?:@\S+)?$', '')
ORDER BY stage_timestamp, source_file, source_offset, path, audit_id
