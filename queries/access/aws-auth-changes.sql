-- title = "aws-auth changes"
-- question = "Who changed aws-auth, and to what?"
-- description = """
-- Writes to the ConfigMap kube-system/aws-auth, with which EKS maps IAM roles and users to Kubernetes
-- users and groups, refused and failed ones and dry runs included: see outcome. added and removed
-- are the lines of the mapping that a successful write added or removed, if the log shows the
-- version before; roles, users and accounts are the mapping after the write, or what it asked for."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.5", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(4)", "ISO 27001 A.5.18"]
-- attack = ["T1098.006"]
-- false_positives = "EKS adds and removes the roles of node groups; eksctl, Terraform and Karpenter write the map when a cluster is set up."
-- limits = "EKS access entries, which replace this map, are in CloudTrail. At level Metadata the log says that the map changed, not how. The first write that the log shows has no version before it."
-- message = "{principal}[ as {acted_as}]: {operation} aws-auth ({outcome})[, added {added}]"
-- columns.key = ["principal", "actor", "operation", "outcome", "added", "removed"]
-- columns.detail = ["roles", "users", "peer_ip", "user_agent"]
-- tables = ["expected", "system_principals"]
-- triage = ["principal-timeline principal={principal}", "field-changes resource=configmaps namespace={namespace} name={name}"]
-- tuning = "Put the roles that manage node groups into the list expected (activity configmaps): their changes are info."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["configmaps"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only writes by this actor or principal."
WITH versions AS (
    SELECT audit_id, stage_timestamp, source_offset, before, after
    FROM object_versions
    WHERE resource = 'configmaps' AND api_group = '' AND object_name = 'aws-auth' AND namespace = 'kube-system'
),
writes AS (
    SELECT
        write_requests.stage_timestamp, write_requests.outcome, write_requests.actor, write_requests.principal,
        write_requests.operation, write_requests.resource, write_requests.namespace,
        write_requests.object_name, write_requests.response_code,
        write_requests.response_message, write_requests.client_ip, write_requests.peer_ip, write_requests.user_agent,
        write_requests.audit_id, write_requests.source_file, write_requests.source_line, write_requests.source_offset,
        write_requests.object, versions.before, versions.after
    FROM write_requests
    LEFT JOIN versions
        ON write_requests.audit_id IS NOT DISTINCT FROM versions.audit_id
        AND write_requests.stage_timestamp IS NOT DISTINCT FROM versions.stage_timestamp
        AND write_requests.source_offset IS NOT DISTINCT FROM versions.source_offset
    WHERE write_requests.resource = 'configmaps'
      AND write_requests.api_group = ''
      AND write_requests.subresource = ''
      AND write_requests.namespace = 'kube-system'
      AND write_requests.object_name = 'aws-auth'
      AND ($actor IS NULL OR $actor IN (write_requests.actor, write_requests.principal))
),
lines AS (
    SELECT
        writes.*,
        string_to_array(
            concat_ws(chr(10), body_text(before, 'data.mapRoles'), body_text(before, 'data.mapUsers'), body_text(before, 'data.mapAccounts')),
            chr(10)
        ) AS lines_before,
        string_to_array(
            concat_ws(chr(10), body_text(after, 'data.mapRoles'), body_text(after, 'data.mapUsers'), body_text(after, 'data.mapAccounts')),
            chr(10)
        ) AS lines_after
    FROM writes
)
SELECT
    stage_timestamp,
    CASE
        WHEN listed('system_principals', principal) OR listed('expected', principal, 'configmaps', namespace) THEN 'info'
        -- Whoever sets up the cluster creates the map.
        WHEN operation = 'create' THEN graded('low', outcome)
        ELSE graded('medium', outcome)
    END AS severity,
    outcome,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    operation,
    resource,
    namespace,
    object_name AS name,
    CASE
        WHEN after IS NOT NULL AND (before IS NOT NULL OR operation = 'create')
            THEN nullif(trim(array_to_string(array_except(lines_after, lines_before), chr(10))), '')
    END AS added,
    CASE
        WHEN after IS NOT NULL AND before IS NOT NULL
            THEN nullif(trim(array_to_string(array_except(lines_before, lines_after), chr(10))), '')
        WHEN operation = 'delete' AND before IS NOT NULL THEN nullif(trim(array_to_string(lines_before, chr(10))), '')
    END AS removed,
    body_text(coalesce(after, object), 'data.mapRoles') AS roles,
    body_text(coalesce(after, object), 'data.mapUsers') AS users,
    body_text(coalesce(after, object), 'data.mapAccounts') AS accounts,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM lines
ORDER BY stage_timestamp, source_file, source_offset, audit_id
