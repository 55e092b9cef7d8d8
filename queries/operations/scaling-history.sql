-- title = "Scaling history"
-- question = "Who scaled this, when, and from how many replicas to how many?"
-- description = """
-- Successful writes that set the number of replicas, one row each, with the number before and after
-- as the log shows them, through the subresource scale or the object itself. change is the
-- difference. The horizontal pod autoscaler and other autoscalers are in, and so are creates.
-- ReplicaSets, which a Deployment scales, have rows only if resource names them. Writes that
-- leave the number as it was are left out."""
-- severity = "info"
-- level = "Request"
-- controls = ["SOC 2 A1.1", "SOC 2 CC8.1", "NIST CM-3"]
-- attack = ["T1489"]
-- false_positives = "None: this is an inventory."
-- limits = "At level Metadata the log shows scales, not numbers: replicas is NULL. The number before is that of the last write that the log shows; the first one has none. At level Request a patch shows the number only if it sets it."
-- message = "{principal} scaled {resource} [{namespace}/]{name}[ from {replicas_before}][ to {replicas}]"
-- columns.key = ["principal", "actor", "api_group", "resource", "namespace", "name", "replicas_before", "replicas"]
-- columns.detail = ["change", "operation", "subresource", "user_agent"]
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Name autoscalers in ignored_actors to see people alone."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "deployments.apps", "statefulsets.apps", "replicationcontrollers", "deployments.apps/scale", "statefulsets.apps/scale",
--     "replicasets.apps/scale", "replicationcontrollers/scale",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as deployments or replicasets."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only in this namespace."
-- [parameters.name]
-- type = "string"
-- doc = "Only the object of this name."
-- [parameters.actor]
-- type = "string"
-- doc = "Only by this actor or principal."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out writes by these actors or principals."
WITH scaled AS (
    SELECT
        cluster, stage_timestamp, audit_id, actor, principal, operation, write_kind, api_group, resource, subresource, namespace,
        object_name, replicas, response_code, client_ip, peer_ip, user_agent, source_file, source_line, source_offset,
        nullif(lag(CASE WHEN operation = 'delete' THEN -1 ELSE replicas END) IGNORE NULLS OVER (
            PARTITION BY cluster, api_group, resource, namespace, object_name
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
        ), -1) AS replicas_before
    FROM object_versions
    WHERE (replicas IS NOT NULL OR write_kind = 'scale' OR operation = 'delete')
      AND object_name <> ''
      AND write_kind IN ('object', 'scale', 'status')
      AND ($resource IS NOT NULL OR resource NOT IN ('replicasets', 'horizontalpodautoscalers'))
      AND ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($name IS NULL OR object_name = $name)
)
SELECT
    stage_timestamp,
    'info' AS severity,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    operation,
    api_group,
    resource,
    subresource,
    namespace,
    object_name AS name,
    replicas_before,
    replicas,
    replicas - replicas_before AS change,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM scaled
WHERE operation <> 'delete'
  AND write_kind <> 'status'
  AND (replicas IS NULL OR replicas IS DISTINCT FROM replicas_before)
  -- An object without a version before may have had that number already.
  AND (replicas_before IS NOT NULL OR operation = 'create' OR write_kind = 'scale' OR replicas IS NULL OR operation = 'patch')
  AND ($actor IS NULL OR $actor IN (actor, principal))
  AND (actor = ANY($ignored_actors) OR principal = ANY($ignored_actors)) IS NOT TRUE
ORDER BY stage_timestamp, source_file, source_offset, audit_id
