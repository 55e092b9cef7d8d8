-- title = "One person on both sides"
-- question = "Who approved their own request, or granted rights to themselves?"
-- description = """
-- Conflicts of duties that the log shows by itself. kind: own certificate (somebody approved the
-- certificate signing request that they had made), own grant (a binding written by one of its
-- subjects), own group (a binding written for a group that the writer is in). Principals of the
-- control plane are left out; attempts are one step less."""
-- severity = "medium"
-- level = "Request"
-- controls = ["SOC 2 CC6.3", "NIST AC-5", "ISO 27001 A.5.3", "PCI-DSS 6.5.3", "PCI-DSS 7.2.2"]
-- attack = ["T1098"]
-- false_positives = "Cluster installers that bind themselves."
-- limits = "Only what a request itself shows: that two people are one, or that one asked another, is not in the log. system:masters and groups of all users are left out. At level Metadata subjects and requests are not known."
-- message = "{actor}: {kind}, {what} ({outcome})"
-- columns.key = ["actor", "kind", "what", "outcome"]
-- columns.detail = ["stage_timestamp", "peer_ip"]
-- tables = ["system_principals", "expected"]
-- tuning = "Rows of expected with activity rbac or csr."
-- triage = ["rbac-changes actor={actor}", "principal-timeline principal={principal}", "credential-changes"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"]
-- level = "Request"
-- columns = ["request_object"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io", "certificatesigningrequests.certificates.k8s.io/approval"]
-- level = "Metadata"
WITH granted AS (
    SELECT
        rbac_requests.*,
        unnest(subjects)['kind'] AS subject_kind_granted,
        unnest(subjects)['name'] AS subject_granted,
        unnest(subjects)['namespace'] AS subject_namespace_granted
    FROM rbac_requests
    WHERE operation IN ('create', 'update', 'patch')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'rbac', namespace)
),
conflicts AS (
    SELECT
        stage_timestamp, outcome, actor, principal,
        CASE subject_kind_granted WHEN 'Group' THEN 'own group' ELSE 'own grant' END AS kind,
        concat_ws(' ', object_kind, concat_ws('/', nullif(namespace, ''), object_name), 'of', role_ref['kind'], role_ref['name'], 'to', subject_kind_granted, subject_granted) AS what,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM granted
    WHERE subject_kind_granted = 'User' AND subject_granted = actor
       OR subject_kind_granted = 'ServiceAccount' AND actor = 'system:serviceaccount:' || coalesce(nullif(subject_namespace_granted, ''), namespace) || ':' || subject_granted
       OR subject_kind_granted = 'Group' AND array_has(actor_groups, subject_granted) AND subject_granted NOT LIKE 'system:%'
    UNION ALL
    SELECT
        approval.stage_timestamp, approval.outcome, approval.actor, approval.principal, 'own certificate' AS kind,
        'certificate signing request ' || approval.object_name AS what, approval.response_code, approval.client_ip, approval.peer_ip,
        approval.user_agent, approval.audit_id, approval.source_file, approval.source_line, approval.source_offset
    FROM write_requests AS approval
    JOIN (
        SELECT object_name AS requested, actor AS requester, stage_timestamp AS requested_at
        FROM object_writes
        WHERE api_group = 'certificates.k8s.io' AND resource = 'certificatesigningrequests' AND subresource = '' AND operation = 'create'
    ) AS asked
        ON approval.object_name = asked.requested AND approval.actor = asked.requester AND asked.requested_at <= approval.stage_timestamp
    WHERE approval.api_group = 'certificates.k8s.io'
      AND approval.resource = 'certificatesigningrequests'
      AND approval.subresource = 'approval'
      AND NOT listed('system_principals', approval.principal)
      AND NOT listed('expected', approval.principal, 'csr', '')
)
SELECT
    stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    kind,
    what,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM conflicts
ORDER BY stage_timestamp, source_file, source_offset, kind, what, audit_id
