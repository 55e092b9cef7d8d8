-- title = "Starts and stops of the apiserver and its audit log"
-- question = "When was audit logging started, stopped or set up anew?"
-- description = """
-- Signs in the log that an apiserver, and its audit log with it, started, stopped or got other
-- arguments: start (the view log_gaps says how it is told), mirror pod (the kubelet created or
-- deleted the pod kube-apiserver-*; at level Request with its --audit-* arguments), lease (an
-- apiserver took a new identity lease, or one was deleted). Rows without any --audit-* argument at
-- level Request mean an apiserver without an audit log."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.6", "NIST AU-12", "NIST AU-5", "ISO 27001 A.8.15", "CIS 1.2.16", "CIS 1.2.17", "CIS 1.2.18", "CIS 1.2.19"]
-- attack = ["T1562.008"]
-- false_positives = "Upgrades and restarts of the control plane."
-- limits = "On managed clusters the provider switches audit logging in its own API: look in CloudTrail (UpdateClusterConfig), Cloud Audit Logs (UpdateCluster) or the Azure activity log (diagnosticSettings). An apiserver that stops cannot log that it did."
-- message = "{sign}: {what}[ {name}][, {audit_arguments}]"
-- columns.key = ["sign", "what", "name", "stage_timestamp"]
-- columns.detail = ["audit_arguments", "actor", "peer_ip"]
-- triage = ["log-gaps", "log-heartbeat-gaps", "log-pipeline-changes"]
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- [[needs]]
-- verbs = ["create", "delete"]
-- resources = ["pods"]
-- [[needs]]
-- verbs = ["create", "delete"]
-- resources = ["leases.coordination.k8s.io"]
WITH signs AS (
    SELECT
        stage_timestamp, 'start' AS sign, 'an apiserver started' AS what, actor, CAST(NULL AS VARCHAR) AS name,
        CAST(NULL AS VARCHAR) AS arguments, response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM log_gaps
    WHERE is_start
    UNION ALL
    SELECT
        stage_timestamp, 'mirror pod' AS sign, CASE operation WHEN 'create' THEN 'a pod was created:' ELSE 'a pod was deleted:' END AS what, actor,
        object_name AS name, concat_ws(
            ' ',
            array_to_string(json_elements(body_text(json_elements(body_text(coalesce(response_object, request_object), 'spec.containers'))[1], 'command')), ' '),
            array_to_string(json_elements(body_text(json_elements(body_text(coalesce(response_object, request_object), 'spec.containers'))[1], 'args')), ' ')
        ) AS arguments, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM object_writes
    WHERE api_group = '' AND resource = 'pods' AND subresource = '' AND operation IN ('create', 'delete')
      AND namespace = 'kube-system' AND object_name LIKE 'kube-apiserver-%'
    UNION ALL
    SELECT
        stage_timestamp, 'lease' AS sign, CASE operation WHEN 'create' THEN 'an apiserver took its lease:' ELSE 'a lease of an apiserver was deleted:' END AS what,
        actor, object_name AS name, CAST(NULL AS VARCHAR) AS arguments, response_code, client_ip, peer_ip, user_agent, audit_id, source_file,
        source_line, source_offset
    FROM object_writes
    WHERE api_group = 'coordination.k8s.io' AND resource = 'leases' AND operation IN ('create', 'delete')
      AND namespace = 'kube-system' AND object_name LIKE 'apiserver-%'
)
SELECT
    stage_timestamp,
    sign,
    what,
    name,
    CASE
        WHEN arguments <> ''
            -- What does not begin with --audit- goes.
            THEN coalesce(nullif(ltrim(regexp_replace(arguments, '(?:^| )(?:[^-][^ ]*|-[^-][^ ]*|--(?:[^a]|a[^u]|au[^d])[^ ]*)', '', 'g')), ''), 'no --audit-* arguments')
    END AS audit_arguments,
    actor,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM signs
ORDER BY stage_timestamp, sign, source_file, source_offset, audit_id
