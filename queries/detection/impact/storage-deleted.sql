-- title = "Storage deleted"
-- question = "Who deleted volumes, claims or snapshots?"
-- description = """
-- Deletes of PersistentVolumes, their claims, and VolumeSnapshots, one by one or as a collection. A volume, a
-- snapshot or a collection is high; a claim is medium, and high from bulk_claims claims of one principal in ten
-- minutes on. What the same principal created within the log, and what service accounts delete, is low. A refused
-- attempt, a failed one and a dry run have a row, too, one step less severe: see outcome. Requests of the control
-- plane and of principals in the list expected (activity volumes, deletes) are left out."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 A1.2", "NIST CP-9", "ISO 27001 A.8.13"]
-- attack = ["T1485"]
-- covers = ["Microsoft threat matrix: Data destruction"]
-- differs = "No other rule set has it."
-- false_positives = "People who remove an application with its data."
-- limits = "Whether the data goes too depends on the reclaim policy, and the disk's own API is not in this log. Where the log does not name what was created (legacy text, generateName at level Metadata), it does not count as their own."
-- tuning = "Raise bulk_claims; add provisioners and database operators to expected with activity volumes."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "who-deleted resource={resource} namespace={namespace}", "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor}: {operation} of {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "resource", "namespace", "name"]
-- columns.detail = ["created_by_itself", "claims", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = [
--     "persistentvolumes", "persistentvolumeclaims", "volumesnapshots.snapshot.storage.k8s.io",
--     "volumesnapshotcontents.snapshot.storage.k8s.io",
-- ]
-- columns = ["response_code"]
-- [parameters.bulk_claims]
-- type = "integer"
-- default = 5
-- doc = "As many claims, deleted by one principal in ten minutes, are high."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN created_by_itself OR principal LIKE 'system:serviceaccount:%' THEN 'low'
            WHEN resource <> 'persistentvolumeclaims' OR operation = 'deletecollection' OR claims >= $bulk_claims THEN 'high'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    created_by_itself,
    claims,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        deleted.*,
        own.own_name IS NOT NULL AS created_by_itself,
        -- Claims that the principal deleted in the ten minutes before and after, its own left out.
        count(
            CASE
                WHEN deleted.resource = 'persistentvolumeclaims' AND deleted.outcome = 'succeeded' AND own.own_name IS NULL THEN 1
            END
        ) OVER (
            PARTITION BY deleted.cluster, deleted.principal ORDER BY deleted.stage_timestamp
            RANGE BETWEEN INTERVAL '10 minutes' PRECEDING AND INTERVAL '10 minutes' FOLLOWING
        ) AS claims
    FROM (
        SELECT write_requests.*
        FROM write_requests
        WHERE ((resource IN ('persistentvolumes', 'persistentvolumeclaims') AND api_group = '')
           OR (resource IN ('volumesnapshots', 'volumesnapshotcontents') AND api_group = 'snapshot.storage.k8s.io'))
          AND subresource = ''
          AND operation IN ('delete', 'deletecollection')
    ) AS deleted
    LEFT JOIN (
        SELECT DISTINCT
            cluster AS own_cluster, principal AS own_principal, resource AS own_resource, namespace AS own_namespace, object_name AS own_name
        FROM write_requests
        WHERE ((resource IN ('persistentvolumes', 'persistentvolumeclaims') AND api_group = '')
            OR (resource IN ('volumesnapshots', 'volumesnapshotcontents') AND api_group = 'snapshot.storage.k8s.io'))
          AND subresource = '' AND operation = 'create' AND outcome = 'succeeded'
    ) AS own
        ON deleted.principal = own.own_principal
        AND deleted.resource = own.own_resource
        AND deleted.namespace = own.own_namespace AND deleted.name = own.own_name
        AND (deleted.cluster IS NOT DISTINCT FROM own.own_cluster)
) AS storage
WHERE operation IN ('delete', 'deletecollection')
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'volumes', namespace)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
