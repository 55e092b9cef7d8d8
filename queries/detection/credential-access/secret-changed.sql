-- title = "Secrets changed"
-- question = "Who created, changed or deleted secrets?"
-- description = """
-- Writes to secrets, one row per client, operation, secret and outcome. An inventory for
-- investigations: low if it succeeded, info if it was refused, failed, or was a dry run. Helm's
-- releases are left out, as are the control plane and the accounts in the list expected."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.5", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.3"]
-- attack = ["T1552", "T1098"]
-- false_positives = "Controllers and pipelines that are not in the list expected."
-- limits = "The log does not show values below level Request, and good policies do not record them. A delete of a collection does not say which secrets it removed."
-- message = "{principal}[ as {acted_as}]: {operation} secret[ {namespace}/{name}| in {namespace}] ({outcome}, {requests}×)"
-- columns.key = ["principal", "actor", "operation", "namespace", "name", "outcome"]
-- columns.detail = ["client_ip", "peer_ip", "user_agent", "last_seen"]
-- tables = ["system_principals", "expected"]
-- triage = ["object-history resource=secrets namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- tuning = "Add pipelines and controllers to expected, activity secrets."
-- covers = ["Sigma: Kubernetes Secrets Modified or Deleted", "Falco: K8s Secret Created", "Falco: K8s Secret Deleted"]
-- differs = "Deletes of collections and server-side apply count, which the others miss."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["secrets"]
-- columns = ["response_code"]
SELECT
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('low', outcome) AS severity,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    operation,
    namespace,
    coalesce(object_name, name) AS name,
    count(*) AS requests,
    max(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent
FROM write_requests
WHERE api_group = ''
  AND resource = 'secrets'
  AND subresource = ''
  AND coalesce(object_name, name) NOT LIKE 'sh.helm.release.v1.%'
  AND username IS NOT NULL
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'secrets', namespace)
GROUP BY outcome, principal, actor, actor_kind, operation, namespace, coalesce(object_name, name), client_ip, peer_ip, user_agent
ORDER BY first_seen, principal, actor, operation, namespace, name, outcome, client_ip, peer_ip, user_agent
