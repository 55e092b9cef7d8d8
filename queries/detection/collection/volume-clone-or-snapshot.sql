-- title = "Volumes cloned or snapshotted"
-- question = "Who copied a volume: by a snapshot, or by a new claim that starts from another?"
-- description = """
-- Creations of VolumeSnapshots and their contents (groups too), and of persistent volume claims with a data source, so that
-- a copy of a volume can be read without touching the pod that uses it; attempts too. source names what is copied, if
-- the log shows it."""
-- severity = "medium"
-- level = "Request"
-- attack = ["T1530", "T1005"]
-- controls = ["NIST AC-4", "ISO 27001 A.8.12"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Scheduled backups, database operators that clone, and virtual machines (CDI)."
-- tuning = "Add backup tools and operators to the list expected, with the activity volumes."
-- limits = "At level Metadata only snapshots are found, without their source. Snapshots made at the storage, past Kubernetes, are in the provider's log."
-- message = "{actor} made {resource} {namespace}/[{name}|without a name][ from {source}] ({outcome})"
-- columns.key = ["actor", "principal", "resource", "namespace", "name", "source", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- triage = ["principal-timeline principal={principal}", "object-history resource={resource} namespace={namespace} name={name}", "namespace-access namespace={namespace}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "volumesnapshots.snapshot.storage.k8s.io", "volumesnapshotcontents.snapshot.storage.k8s.io",
--     "volumegroupsnapshots.groupsnapshot.storage.k8s.io",
-- ]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["persistentvolumeclaims"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    name,
    source,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, namespace, object_name AS name, response_code, client_ip,
        peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        CASE resource
            WHEN 'persistentvolumeclaims' THEN
                coalesce(
                    body_text(object, 'spec.dataSourceRef.kind') || ' '
                        || coalesce(body_text(object, 'spec.dataSourceRef.namespace') || '/', '')
                        || body_text(object, 'spec.dataSourceRef.name'),
                    body_text(object, 'spec.dataSource.kind') || ' ' || body_text(object, 'spec.dataSource.name')
                )
            ELSE coalesce(
                body_text(object, 'spec.source.persistentVolumeClaimName'),
                body_text(object, 'spec.source.volumeSnapshotContentName'),
                body_text(object, 'spec.source.volumeHandle'),
                body_text(object, 'spec.source.snapshotHandle'),
                body_text(object, 'spec.source.selector')
            )
        END AS source
    FROM write_requests
    WHERE (operation = 'create' OR verb = 'patch' AND outcome <> 'succeeded')
      AND subresource = ''
      AND (
          resource IN ('volumesnapshots', 'volumesnapshotcontents') AND api_group = 'snapshot.storage.k8s.io'
          OR resource IN ('volumegroupsnapshots', 'volumegroupsnapshotcontents') AND api_group = 'groupsnapshot.storage.k8s.io'
          OR resource = 'persistentvolumeclaims' AND api_group = ''
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'volumes', namespace)
) AS copied
WHERE resource <> 'persistentvolumeclaims' OR source IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
