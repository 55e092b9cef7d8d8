-- title = "Namespace deleted"
-- question = "Who deleted namespaces, with everything in them?"
-- description = """
-- Deletes of namespaces. One that the same principal created within the log, or that a service account deletes, is
-- low: preview environments come and go. One of the list system_namespaces is high. A refused attempt, a failed
-- one and a dry run have a row, too, one step less severe: see outcome. Requests of the control plane and of
-- principals in the list expected (activity namespaces, deletes) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST CM-3"]
-- attack = ["T1485"]
-- covers = ["Falco: K8s Namespace Deleted"]
-- false_positives = "People who remove an environment."
-- limits = "What the namespace held is not in this request: the namespace-controller deletes it afterwards."
-- tuning = "Add what is meant to do this to expected with activity namespaces or deletes."
-- triage = [
--     "namespace-access namespace={name}", "who-deleted resource=namespaces name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected", "system_namespaces"]
-- message = "{actor} deleted namespace {name}[ ({outcome})]"
-- columns.key = ["actor", "principal", "outcome", "name"]
-- columns.detail = ["created_by_itself", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete"]
-- resources = ["namespaces"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN listed('system_namespaces', name) THEN 'high'
            WHEN created_by_itself OR principal LIKE 'system:serviceaccount:%' THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    name,
    created_by_itself,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT deleted.*, own.own_name IS NOT NULL AS created_by_itself
    FROM (
        SELECT write_requests.*
        FROM write_requests
        WHERE api_group = '' AND resource = 'namespaces' AND subresource = '' AND operation = 'delete'
    ) AS deleted
    LEFT JOIN (
        SELECT DISTINCT
            cluster AS own_cluster, principal AS own_principal, object_name AS own_name
        FROM write_requests
        WHERE api_group = '' AND resource = 'namespaces'
          AND subresource = '' AND operation = 'create' AND outcome = 'succeeded'
    ) AS own
        ON deleted.principal = own.own_principal
        AND deleted.name = own.own_name
        AND (deleted.cluster IS NOT DISTINCT FROM own.own_cluster)
) AS namespaces
WHERE name <> ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'namespaces', namespace)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
