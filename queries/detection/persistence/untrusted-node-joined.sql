-- title = "Unknown node joined"
-- question = "Which nodes joined the cluster that are not in the list of known nodes?"
-- description = """
-- Nodes that were created and whose names are not in the list known_nodes. registered_itself tells a kubelet that
-- joins from somebody who creates a Node object in its name."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["NIST IA-3", "SOC 2 CC6.1"]
-- attack = ["T1200", "T1078"]
-- covers = ["Falco: Untrusted Node Successfully Joined the Cluster"]
-- false_positives = "New nodes, until they are in the list."
-- limits = "Needs the list: without it, every node would be unknown. A kubelet with the name of a known node is not seen."
-- tuning = "Give the patterns of your provider's node names in known_nodes."
-- triage = ["principal-timeline principal={principal}", "object-history resource={resource} name={name}"]
-- tables = ["known_nodes"]
-- message = "node {name} joined[, registered by {actor}]"
-- columns.key = ["actor", "name"]
-- columns.detail = ["registered_itself", "provider_id", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["nodes"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    'high' AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    principal = concat('system:node:', object_name) AS registered_itself,
    body_text(object, 'spec.providerID') AS provider_id,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'nodes'
  AND subresource = ''
  AND operation = 'create'
  AND NOT listed('known_nodes', object_name)
  AND outcome = 'succeeded'
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
