-- title = "Manual edits of GitOps objects"
-- question = "Who changed by hand what a GitOps controller manages?"
-- description = """
-- Updates, patches, scalings and deletes by people of objects that a controller of the list
-- gitops_controllers wrote before. What Git says is not what runs then, until the controller notices.
-- owned_by is log (the controller's write is in the input) or marks (the object has Argo CD's or Flux'
-- labels or annotations)."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1562"]
-- controls = ["NIST CM-3", "SOC 2 CC8.1", "PCI-DSS 6.5.1"]
-- tables = ["gitops_controllers"]
-- false_positives = "Emergencies, and controllers that are told to ignore a field, such as replicas."
-- tuning = "Add your controllers to the list gitops_controllers; leave out people who are on call with ignored_actors."
-- limits = "At level Metadata, or where a patch does not show the object, ownership is known only if the controller wrote the object within the input. Service accounts are not looked at: see changes-outside-pipeline."
-- message = "{actor}: {operation} {resource} [{namespace}/]{name}, which a GitOps controller manages ({outcome})"
-- columns.key = ["actor", "principal", "operation", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["owned_by", "controller", "response_code", "peer_ip", "user_agent"]
-- triage = ["field-changes resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "changes-outside-pipeline"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete"]
-- resources = ["*"]
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out changes by these actors."
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    owned_by,
    controller,
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
        histories.*,
        CASE
            WHEN controller IS NOT NULL THEN 'log'
            WHEN marked THEN 'marks'
        END AS owned_by
    FROM (
        SELECT
            written.*,
            last_value(CASE WHEN by_gitops THEN principal END) IGNORE NULLS OVER (
                PARTITION BY cluster, api_group, resource, namespace, name
                ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS controller
        FROM (
            SELECT
                cluster, stage_timestamp, outcome, actor, actor_kind, principal, verb, operation, api_group, resource,
                subresource, namespace, object_name AS name, response_code, client_ip, peer_ip, user_agent, audit_id,
                source_file, source_line, source_offset,
                listed('gitops_controllers', principal) AND outcome = 'succeeded' AS by_gitops,
                regexp_like(
                    concat_ws(' ', body_text(object, 'metadata.labels'), body_text(object, 'metadata.annotations')),
                    '"(?:argocd\.argoproj\.io/(?:tracking-id|instance)|(?:kustomize|helm)\.toolkit\.fluxcd\.io/name)":'
                ) AS marked
            FROM write_requests
            WHERE verb IN ('create', 'update', 'patch', 'delete')
              AND write_kind IN ('object', 'scale')
              AND object_name <> ''
              AND resource NOT IN ('events', 'leases', 'applications')
              AND (actor_kind = 'human' OR listed('gitops_controllers', principal))
        ) AS written
    ) AS histories
) AS owned
WHERE owned_by IS NOT NULL
  AND actor_kind = 'human'
  AND operation <> 'create'
  AND NOT by_gitops
  AND ($ignored_actors IS NULL OR (actor = ANY($ignored_actors)) IS NOT TRUE)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
