-- title = "Changes outside the pipeline"
-- question = "Who changed production by hand, past the pipeline?"
-- description = """
-- Writes by people, one row each, refused and failed ones and dry runs included: see outcome. Left
-- out are the accounts in the list pipelines (CI and GitOps), the control plane, and writes that
-- change no configuration: access reviews, tokens, events and leases. With service_accounts, other
-- service accounts count, too. Whoever acts as a pipeline's account by impersonation is a person
-- still."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 CC8.1", "PCI-DSS 6.5.1", "NIST CM-3", "NIST CM-5", "ISO 27001 A.8.32"]
-- attack = []
-- false_positives = "Pipelines that the list does not name, approved emergency changes, and evictions when somebody drains a node."
-- limits = "The log does not know which change was approved, nor whether a change that a pipeline made was started by hand. People who write with a service account's token count as that account."
-- message = "{principal}[ as {acted_as}] changed production by hand: {operation} {resource}[/{subresource}][ in {namespace}][, {name}] ({outcome})"
-- columns.key = ["principal", "actor", "operation", "api_group", "resource", "subresource", "namespace", "name", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- tables = ["pipelines", "expected", "system_principals"]
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}", "sessions principal={principal}",
-- ]
-- tuning = "Put your CI and GitOps accounts into the list pipelines, and set namespace to your production namespaces, such as prod-*. Operators that are people's tools belong into the list expected."
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["*"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace, or those that fit a pattern such as prod-*."
-- [parameters.actor]
-- type = "string"
-- doc = "Only changes by this actor or principal."
-- [parameters.service_accounts]
-- type = "boolean"
-- default = false
-- doc = "Also changes by service accounts that are not in the list."
-- [parameters.cluster_scoped]
-- type = "boolean"
-- default = true
-- doc = "Also changes of objects without a namespace; with namespace, these are left out."
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    operation,
    api_group,
    resource,
    subresource,
    namespace,
    object_name AS name,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE write_kind NOT IN ('review', 'token')
  AND NOT (resource = 'events' AND api_group IN ('', 'events.k8s.io'))
  AND NOT (resource = 'leases' AND api_group = 'coordination.k8s.io')
  AND ($namespace IS NULL OR namespace LIKE replace(replace($namespace, '*', '%'), '?', '_'))
  AND ($cluster_scoped OR namespace <> '')
  AND ($actor IS NULL OR $actor IN (actor, principal))
  AND principal NOT LIKE 'system:node:%'
  AND principal NOT IN ('system:anonymous')
  AND ($service_accounts OR principal NOT LIKE 'system:serviceaccount:%')
  AND NOT listed('system_principals', principal)
  AND NOT listed('pipelines', principal)
  AND NOT listed('expected', principal, 'workloads', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
