-- title = "Node could not join"
-- question = "Which nodes tried to join and were turned down?"
-- description = """
-- Creates of Node objects that were refused or failed. A kubelet that restarts finds its node (409): that is left
-- out. With rows in the list known_nodes, a node of the list that registers itself is low. A refused attempt, a
-- failed one and a dry run have a row, too, one step less severe: see outcome."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["NIST IA-3"]
-- attack = ["T1200", "T1078"]
-- covers = ["Falco: Untrusted Node Unsuccessfully Tried to Join the Cluster"]
-- false_positives = "Nodes with a wrong name or an expired bootstrap token."
-- limits = "A node that is turned down before it has a user (401) is in authentication-failures. The name is missing if the request was refused before its body was read."
-- tuning = "Give the patterns of your provider's node names in known_nodes."
-- triage = ["denied-requests actor={actor}", "principal-timeline principal={principal}"]
-- message = "{actor} could not register node [{name}|without a name] ({response_code}[: {response_message}])"
-- columns.key = ["actor", "principal", "name", "response_code"]
-- columns.detail = ["response_message", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["nodes"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    CASE
        WHEN outcome = 'failed' THEN 'low'
        WHEN principal = concat('system:node:', name) AND listed('known_nodes', name) THEN 'low'
        ELSE 'medium'
    END AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    response_message,
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
  AND verb = 'create'
  AND outcome IN ('refused', 'failed')
  AND response_code <> 409
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
