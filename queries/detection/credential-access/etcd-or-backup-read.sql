-- title = "Backup made or downloaded"
-- question = "Who made or downloaded backups, snapshots or copies of etcd, which hold all secrets?"
-- description = """
-- Backups and snapshots created by somebody whom the list expected (activity volumes) does not name:
-- Velero backups and downloads of them, backups of Rancher and OpenShift, snapshots of etcd on k3s and
-- RKE2, volume snapshots in system namespaces; and commands in pods that save or read etcd. Medium;
-- high for commands on etcd; low for downloads of Velero's logs and descriptions and for what a
-- service account makes. Refused attempts have a lower severity."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 2.1", "PCI-DSS 9.4.1", "SOC 2 CC6.7", "NIST CP-9(8)"]
-- attack = ["T1530", "T1003"]
-- false_positives = "Backups before an upgrade; etcd maintenance by administrators."
-- limits = "Access to etcd, to its disk or to the bucket with the backups does not pass the apiserver. What a download is of shows at level Request."
-- message = "{principal}[ as {acted_as}]: {what}[ {namespace}/{name}| {name}][ with {command}] ({outcome})"
-- columns.key = ["principal", "actor", "what", "namespace", "name", "outcome"]
-- columns.detail = ["command", "client_ip", "peer_ip", "user_agent"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- triage = ["principal-timeline principal={principal}", "pod-exec-sessions namespace={namespace}"]
-- tuning = "Add backup controllers to expected, activity volumes, and accounts that maintain etcd with activity exec."
-- [[needs]]
-- verbs = ["create", "patch", "update"]
-- resources = [
--     "backups.velero.io", "downloadrequests.velero.io", "backups.resources.cattle.io", "etcdbackups.operator.openshift.io",
--     "etcdbackups.config.openshift.io", "etcdsnapshotfiles.k3s.cattle.io", "etcdbackups.management.cattle.io",
--     "volumesnapshots.snapshot.storage.k8s.io",
-- ]
-- columns = ["response_code"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
SELECT
    stage_timestamp,
    CASE
        WHEN command IS NOT NULL THEN graded('high', outcome)
        WHEN what = 'download of the log of a backup' OR actor_kind = 'serviceaccount' THEN graded('low', outcome)
        ELSE graded('medium', outcome)
    END AS severity,
    outcome,
    what,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verb,
    resource,
    namespace,
    name,
    command,
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
        CASE
            WHEN resource = 'backups' THEN 'backup'
            WHEN resource = 'downloadrequests' AND body_text(object, 'spec.target.kind') IN ('BackupContents', 'BackupVolumeSnapshots') THEN 'download of a backup'
            WHEN resource = 'downloadrequests' AND body_text(object, 'spec.target.kind') IS NOT NULL THEN 'download of the log of a backup'
            WHEN resource = 'downloadrequests' THEN 'download of a backup or its log'
            WHEN resource = 'volumesnapshots' THEN 'snapshot of a volume in a system namespace'
            ELSE 'backup of etcd'
        END AS what,
        principal, actor, actor_kind, verb, resource, namespace, object_name AS name, CAST(NULL AS VARCHAR) AS command,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM write_requests
    WHERE operation = 'create'
      AND subresource = ''
      AND (
          api_group = 'velero.io' AND resource IN ('backups', 'downloadrequests')
          OR api_group = 'resources.cattle.io' AND resource = 'backups'
          OR api_group IN ('operator.openshift.io', 'config.openshift.io', 'management.cattle.io') AND resource = 'etcdbackups'
          OR api_group = 'k3s.cattle.io' AND resource = 'etcdsnapshotfiles'
          OR api_group = 'snapshot.storage.k8s.io' AND resource = 'volumesnapshots' AND listed('system_namespaces', namespace)
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'volumes', namespace)
    UNION ALL
    SELECT
        started_at AS stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        CASE WHEN command LIKE '%snapshot%' THEN 'snapshot of etcd' ELSE 'read of etcd' END AS what,
        principal, actor, actor_kind, verb, resource, namespace, name, command,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM exec_sessions
    WHERE kind = 'exec'
      AND regexp_like(command, '\betcdctl\b.*\b(?:snapshot\s+save|get)\b|\b(?:k3s|rke2)\s+etcd-snapshot\b')
      AND NOT listed('expected', principal, 'exec', namespace)
) AS copies
ORDER BY stage_timestamp, source_file, source_offset, audit_id
