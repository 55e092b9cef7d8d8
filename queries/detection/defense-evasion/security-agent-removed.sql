-- title = "Security agents removed"
-- question = "Who deleted, stopped or moved away the workloads that watch the cluster?"
-- description = """
-- Deployments, DaemonSets and StatefulSets of the list security_agents that were deleted, scaled to zero,
-- or given another node selector (a DaemonSet that fits no node runs nowhere), and namespaces of such
-- agents that were deleted. The list has the usual runtime security agents, policy engines, scanners and
-- log shippers."""
-- severity = "high"
-- level = "Request"
-- attack = ["T1562.001", "T1489"]
-- controls = ["PCI-DSS 10.7.2", "NIST SI-4", "SOC 2 CC7.1"]
-- tables = ["security_agents", "system_principals", "expected"]
-- false_positives = "Upgrades that recreate a workload, and a change of vendor."
-- tuning = "Add your agents to the list security_agents, and the tools that deploy them to the list expected, with the activity deletes."
-- limits = "At level Metadata only deletes are found. Agents that are not in the list are not watched. An agent can also be blinded through its configuration, its service account or a network policy, or by deleting its pods again and again."
-- message = "{actor}: {found} {resource} [{namespace}/][{name}|*] ({outcome})"
-- columns.key = ["actor", "principal", "found", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- differs = "Scaling to zero and unschedulable DaemonSets are covered, not only deletes."
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-fate namespace={namespace}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["namespaces", "deployments.apps", "daemonsets.apps", "statefulsets.apps"]
-- [[needs]]
-- verbs = ["update", "patch"]
-- resources = [
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "deployments.apps/scale", "statefulsets.apps/scale",
-- ]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    found,
    actor,
    principal,
    operation,
    resource,
    subresource,
    namespace,
    name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, subresource, namespace, name, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        CASE
            WHEN verb IN ('delete', 'deletecollection') THEN 'deleted'
            -- A Scale leaves out nought replicas.
            WHEN write_kind = 'scale' AND body_kind(object) = 'Scale' AND coalesce(body_text(object, 'spec.replicas'), '0') = '0'
                THEN 'scaled to zero'
            WHEN resource <> 'daemonsets' AND body_text(object, 'spec.replicas') = '0'
                AND (verb = 'update' OR request_object LIKE '%replicas%') THEN 'scaled to zero'
            WHEN verb = 'patch' AND write_kind = 'object' AND (
                coalesce(
                    body_text(request_object, 'spec.template.spec.nodeSelector'),
                    body_text(request_object, 'spec.template.spec.affinity.nodeAffinity')
                ) IS NOT NULL
                OR regexp_like(request_object, '^\s*\[.*"/spec/template/spec/(?:nodeSelector|affinity)')
            ) THEN 'node selector changed'
        END AS found
    FROM write_requests
    WHERE verb IN ('delete', 'deletecollection', 'update', 'patch')
      AND operation <> 'create'
      AND subresource IN ('', 'scale')
      AND (
          resource IN ('deployments', 'daemonsets', 'statefulsets') AND api_group IN ('apps', 'extensions')
              AND listed('security_agents', namespace, name)
          OR resource = 'namespaces' AND api_group = '' AND verb = 'delete' AND listed('security_agents', name, NULL)
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'deletes', namespace)
) AS stopped
WHERE found IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
