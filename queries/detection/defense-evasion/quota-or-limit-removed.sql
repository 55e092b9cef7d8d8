-- title = "Quotas, limits and disruption budgets removed"
-- question = "Who deleted, or tried to delete, resource quotas, limit ranges or disruption budgets?"
-- description = """
-- Deletes of ResourceQuotas, LimitRanges and PodDisruptionBudgets. Without them a workload can take as
-- much as it wants, or all pods of an application can be evicted at once."""
-- severity = "low"
-- level = "Metadata"
-- attack = ["T1562", "T1499"]
-- controls = ["CIS 5.7.1", "NIST SC-5"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Applications that are uninstalled. Namespace deletion is left out."
-- tuning = "Add deployment tools to the list expected, with the activity deletes."
-- limits = "A quota that is raised is not shown."
-- message = "{actor} deleted {resource} {namespace}/[{name}|*] ({outcome})"
-- columns.key = ["actor", "principal", "verb", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["resourcequotas", "limitranges", "poddisruptionbudgets.policy"]
SELECT
    stage_timestamp,
    graded('low', outcome) AS severity,
    outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE verb IN ('delete', 'deletecollection')
  AND (
      resource IN ('resourcequotas', 'limitranges') AND api_group = ''
      OR resource = 'poddisruptionbudgets' AND api_group = 'policy'
  )
  AND subresource = ''
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'deletes', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
