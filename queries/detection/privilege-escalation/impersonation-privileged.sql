-- title = "Acting as a system identity"
-- question = "Who acted, or tried to act, as an administrator or a part of the cluster?"
-- description = """
-- Impersonation of the control plane, of nodes, of service accounts of system namespaces, of
-- well-known administrators, or with groups such as system:masters. Grouped by who did it and whom
-- they acted as. Refused attempts are included where the answer names the target (outcome)."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.2"]
-- attack = ["T1134", "T1078"]
-- tables = ["system_principals", "system_namespaces", "expected"]
-- covers = ["Elastic: Kubernetes Suspicious Impersonation of Privileged Identity"]
-- false_positives = "Break-glass procedures, and operators that act as other components."
-- limits = "The stage RequestReceived does not show impersonation. What a proxy with its own login passes on, such as Rancher or Teleport, counts as done by the person, and is not in here. With constrained impersonation (Kubernetes 1.35) a refusal does not name the target: see impersonation-denied."
-- tuning = "Add help desks, dashboards and controllers that act for others to the list expected, with activity impersonation."
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}"]
-- message = "{principal} acted as [{impersonated}|somebody][ in {impersonated_groups}] ({requests} requests[: {what}], {outcome})"
-- columns.key = ["principal", "impersonated", "impersonated_groups", "outcome"]
-- columns.detail = ["requests", "what", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    principal,
    impersonated,
    impersonated_groups,
    count(*) AS requests,
    count(*) FILTER (WHERE verb NOT IN ('get', 'list', 'watch')) AS writes,
    array_to_string(array_sort(array_agg(DISTINCT verb || ' ' || coalesce(resource, request_uri))), ', ') AS what,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM (
    SELECT
        stage_timestamp, principal, verb, resource, request_uri, namespace, client_ip, peer_ip, user_agent, audit_id, source_file,
        source_line,
        impersonated_username AS impersonated,
        array_to_string(array_sort(impersonated_groups), ', ') AS impersonated_groups,
        impersonated_groups AS group_list,
        -- Whatever came of the request: the impersonation itself was allowed.
        'succeeded' AS outcome
    FROM requests
    WHERE impersonated_username IS NOT NULL
      -- A proxy that authenticates people passes on what they do: they are the principal then.
      AND principal = username
    UNION ALL
    SELECT
        stage_timestamp, principal, verb, resource, request_uri, namespace, client_ip, peer_ip, user_agent, audit_id, source_file,
        source_line,
        CASE body_text(response_details, 'kind')
            WHEN 'users' THEN body_text(response_details, 'name')
            WHEN 'serviceaccounts' THEN concat(
                'system:serviceaccount:', regexp_match(response_message, ' in the namespace "([^"]+)"$')[1], ':',
                body_text(response_details, 'name')
            )
        END AS impersonated,
        CASE body_text(response_details, 'kind') WHEN 'groups' THEN body_text(response_details, 'name') END AS impersonated_groups,
        CASE body_text(response_details, 'kind') WHEN 'groups' THEN make_array(body_text(response_details, 'name')) END AS group_list,
        'refused' AS outcome
    FROM denials
    WHERE cause = 'impersonation'
      AND body_text(response_details, 'kind') IN ('users', 'groups', 'serviceaccounts')
) AS acted
WHERE (
      listed('system_principals', impersonated)
      OR listed('system_namespaces', regexp_match(impersonated, '^system:serviceaccount:([^:]+):')[1])
      OR impersonated IN ('system:admin', 'kubernetes-admin', 'kubernetes-super-admin', 'cluster-admin', 'kube-admin', 'masterclient')
      OR array_has_any(
          group_list,
          make_array('system:masters', 'system:nodes', 'kubeadm:cluster-admins', 'system:cluster-admins', 'cluster-admins')
      )
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'impersonation', namespace)
GROUP BY principal, impersonated, impersonated_groups, outcome
ORDER BY first_seen, principal, impersonated, impersonated_groups, outcome
