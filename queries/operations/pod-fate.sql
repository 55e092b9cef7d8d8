-- title = "Fate of pods"
-- question = "Why did my pod disappear?"
-- description = """
-- One row per pod that was removed, with who created it, where it ran, and the first request that
-- removed it. cause says why: deleted (by whoever removed_by names), evicted (a drain or an
-- autoscaler), preempted (a pod of higher priority needed the room), owner (its controller scaled
-- down, rolled out or finished), garbage collection (its owner was deleted), node (the node was
-- gone, tainted or out of resources), namespace or collection (deleted with others), or kubelet (the
-- log shows no request before the kubelet's last one). With name, or with running, pods that the
-- log does not see removed have rows, too (cause: still there). Pods of a StatefulSet that reuse a
-- name are told apart by their creation."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "NIST AU-12"]
-- attack = ["T1489"]
-- false_positives = "None: this is an inventory; rollouts remove pods all the time."
-- limits = "A container that crashes or is killed for its memory does not remove the pod, and is not in this log but in the pod's status: status_reason has what the kubelet reported, from level Request on. Node pressure ends a pod without an eviction request. At level Metadata pods created by generateName have no name until something else names them."
-- message = "pod {namespace}/{name}: {cause}[ by {removed_by}][, node {node}]"
-- columns.key = ["namespace", "name", "incarnation", "cause", "removed_by"]
-- columns.detail = ["created_by", "node", "removed_at", "refused_evictions", "status_reason"]
-- triage = [
--     "object-history resource=pods namespace={namespace} name={name}", "node-drains node={node}",
--     "principal-timeline principal={removed_by}",
-- ]
-- tuning = "Give namespace and name. Set owners to true to see rollouts, scaling down and finished jobs, which are left out without name."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["pods", "pods/eviction", "pods/binding"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only pods in this namespace."
-- [parameters.name]
-- type = "string"
-- doc = "Only this pod, or those that fit a pattern such as web-*."
-- [parameters.owners]
-- type = "boolean"
-- default = false
-- doc = "Also without name: pods that their own controller removed, or that followed their owner."
-- [parameters.running]
-- type = "boolean"
-- default = false
-- doc = "Also without name: pods that were not removed."
WITH steps AS (
    SELECT
        cluster, namespace, object_name, stage_timestamp, audit_id, principal, verb, operation, write_kind, subresource, outcome,
        response_code, request_object, user_agent, client_ip, source_file, source_line, source_offset,
        write_kind = 'object' AND operation = 'create' AND outcome = 'succeeded' AS creates,
        outcome = 'succeeded' AND (write_kind = 'object' AND operation = 'delete' OR write_kind = 'eviction') AS removes
    FROM write_requests
    WHERE resource = 'pods'
      AND api_group IN ('', 'policy')
      AND object_name <> ''
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($name IS NULL OR object_name LIKE replace(replace($name, '*', '%'), '?', '_'))
),
lives AS (
    SELECT
        steps.*,
        count(CASE WHEN creates THEN 1 END) OVER (
            PARTITION BY cluster, namespace, object_name
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS incarnation
    FROM steps
),
pods AS (
    SELECT
        cluster,
        namespace,
        object_name,
        incarnation,
        min(stage_timestamp) FILTER (WHERE creates) AS created_at,
        first_value(principal ORDER BY stage_timestamp) FILTER (WHERE creates) AS created_by,
        coalesce(
            first_value(body_text(request_object, 'target.name') ORDER BY stage_timestamp)
                FILTER (WHERE subresource = 'binding' AND outcome = 'succeeded' AND body_text(request_object, 'target.name') IS NOT NULL),
            -- Only its own kubelet writes a pod's status, or removes it in the end.
            first_value(substr(principal, 13) ORDER BY stage_timestamp) FILTER (WHERE principal LIKE 'system:node:%' AND outcome = 'succeeded')
        ) AS node,
        min(stage_timestamp) FILTER (WHERE removes) AS removed_at,
        first_value(principal ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS removed_by,
        first_value(write_kind ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS removed_with,
        first_value(user_agent ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS user_agent,
        first_value(client_ip ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS client_ip,
        first_value(audit_id ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS removal_id,
        first_value(source_file ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS source_file,
        first_value(source_line ORDER BY stage_timestamp, audit_id) FILTER (WHERE removes) AS source_line,
        count(*) FILTER (WHERE write_kind = 'eviction' AND response_code = 429) AS refused_evictions,
        last_value(body_text(request_object, 'status.reason') ORDER BY stage_timestamp)
            FILTER (WHERE subresource = 'status' AND outcome = 'succeeded' AND body_text(request_object, 'status.reason') IS NOT NULL) AS status_reason,
        max(stage_timestamp) AS last_seen
    FROM lives
    GROUP BY cluster, namespace, object_name, incarnation
),
collections AS (
    SELECT cluster, namespace, stage_timestamp, principal, audit_id, source_file, source_line, user_agent, client_ip
    FROM write_requests
    WHERE resource = 'pods' AND api_group = '' AND subresource = '' AND operation = 'deletecollection' AND outcome = 'succeeded'
),
judged AS (
    SELECT
        pods.cluster,
        pods.namespace,
        pods.object_name AS name,
        pods.incarnation,
        pods.created_at,
        pods.created_by,
        pods.node,
        pods.refused_evictions,
        pods.status_reason,
        pods.last_seen,
        coalesce(collections.stage_timestamp, pods.removed_at) AS removed_at,
        coalesce(collections.principal, pods.removed_by) AS removed_by,
        coalesce(collections.user_agent, pods.user_agent) AS user_agent,
        coalesce(collections.client_ip, pods.client_ip) AS client_ip,
        coalesce(collections.audit_id, pods.removal_id) AS audit_id,
        coalesce(collections.source_file, pods.source_file) AS source_file,
        coalesce(collections.source_line, pods.source_line) AS source_line,
        CASE
            WHEN collections.principal = 'system:serviceaccount:kube-system:namespace-controller' THEN 'namespace'
            WHEN collections.principal IS NOT NULL THEN 'collection'
            WHEN pods.removed_at IS NULL THEN 'still there'
            WHEN pods.removed_with = 'eviction' THEN 'evicted'
            WHEN pods.removed_by = 'system:kube-scheduler' THEN 'preempted'
            WHEN pods.removed_by IN (
                'system:serviceaccount:kube-system:pod-garbage-collector', 'system:serviceaccount:kube-system:node-controller',
                'system:serviceaccount:kube-system:taint-eviction-controller',
                'system:serviceaccount:kube-system:device-taint-eviction-controller'
            ) THEN 'node'
            WHEN pods.removed_by = 'system:serviceaccount:kube-system:generic-garbage-collector' THEN 'garbage collection'
            WHEN pods.removed_by = 'system:serviceaccount:kube-system:namespace-controller' THEN 'namespace'
            WHEN pods.removed_by LIKE 'system:serviceaccount:kube-system:%-controller' THEN 'owner'
            WHEN pods.removed_by LIKE 'system:node:%' THEN 'kubelet'
            ELSE 'deleted'
        END AS cause
    FROM pods
    -- A pod that only its kubelet removed went with a collection, if there was one shortly before.
    LEFT JOIN collections
        ON pods.cluster IS NOT DISTINCT FROM collections.cluster
        AND pods.namespace = collections.namespace
        AND pods.removed_by LIKE 'system:node:%'
        AND collections.stage_timestamp <= pods.removed_at
        AND collections.stage_timestamp > pods.removed_at - INTERVAL '10 minutes'
        AND (pods.created_at > collections.stage_timestamp) IS NOT TRUE
    QUALIFY row_number() OVER (
        PARTITION BY pods.cluster, pods.namespace, pods.object_name, pods.incarnation
        ORDER BY collections.stage_timestamp DESC, collections.audit_id
    ) = 1
)
SELECT
    coalesce(removed_at, last_seen) AS stage_timestamp,
    'info' AS severity,
    namespace,
    name,
    incarnation,
    cause,
    removed_by,
    removed_at,
    created_by,
    created_at,
    node,
    refused_evictions,
    status_reason,
    client_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM judged
WHERE ($running OR $name IS NOT NULL OR cause <> 'still there')
  AND ($owners OR $name IS NOT NULL OR cause NOT IN ('owner', 'garbage collection'))
ORDER BY stage_timestamp, namespace, name, incarnation, audit_id
