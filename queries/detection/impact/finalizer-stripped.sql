-- title = "Finalizers removed"
-- question = "Who removed the finalizers that keep objects until they are cleaned up?"
-- description = """
-- Patches that remove all finalizers of an object, or one of them, and the removal of a namespace's own ones
-- (namespaces/finalize). What they stand for, such as a disk or objects of the namespace, is then left behind or
-- lost. Service accounts remove their own finalizers all the time: theirs have a row only for namespaces, volumes,
-- claims and snapshots, and it is low. A refused attempt, a failed one and a dry run have a row, too, one step
-- less severe: see outcome. Requests of the control plane and of principals in the list expected (activity
-- deletes, volumes) are left out."""
-- severity = "medium"
-- level = "Request"
-- controls = ["NIST CM-3", "SOC 2 A1.2"]
-- attack = ["T1485"]
-- differs = "No other rule set has it."
-- false_positives = "People who free an object that hangs in deletion."
-- limits = "At level Metadata the log does not show what a patch removes. An update (PUT) that leaves finalizers out is not seen."
-- tuning = "Add what is meant to do this to expected with activity deletes or volumes."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}", "stuck-deletions",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} removed finalizers of {resource} [{namespace}/]{name} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name"]
-- columns.detail = ["subresource", "deletion_timestamp", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = ["*"]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(CASE WHEN principal LIKE 'system:serviceaccount:%' THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    subresource,
    body_text(response_object, 'metadata.deletionTimestamp') AS deletion_timestamp,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE operation IN ('update', 'patch')
  AND (
      subresource = '' AND (
          -- A merge patch or a strategic one.
          request_object LIKE '{%' AND verb = 'patch'
          AND regexp_like(body_text(request_object, 'metadata'), '"finalizers":(null|\[\])|"\$deleteFromPrimitiveList/finalizers":')
          -- A JSON patch.
          OR request_object LIKE '[%' AND regexp_like(
              request_object,
              '"op":"remove",[^{}]*"path":"/metadata/finalizers|"path":"/metadata/finalizers(/[0-9]+)?",[^{}]*"op":"remove"'
              || '|"path":"/metadata/finalizers","value":(null|\[\])'
          )
      )
      OR resource = 'namespaces' AND api_group = '' AND subresource = 'finalize'
          AND coalesce(body_text(request_object, 'spec.finalizers'), '[]') = '[]' AND request_object IS NOT NULL
  )
  AND (
      (principal LIKE 'system:serviceaccount:%') IS NOT TRUE
      OR resource IN ('namespaces', 'persistentvolumes', 'persistentvolumeclaims', 'volumesnapshots', 'volumesnapshotcontents')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND NOT listed('expected', principal, 'volumes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
