-- title = "Collection deleted"
-- question = "Who deleted whole collections of objects with one request?"
-- description = """
-- Requests that delete a collection: all objects of a kind in a namespace, or in all of them, that the selectors
-- match. Pods, jobs and other things that are made again are low, and so is everything that service accounts
-- delete. Events are in events-deleted. A refused attempt, a failed one and a dry run have a row, too, one step
-- less severe: see outcome. Requests of the control plane and of principals in the list expected (activity
-- deletes) are left out."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1485"]
-- covers = ["Microsoft threat matrix: Data destruction"]
-- false_positives = "Clean-up by people; kubectl itself deletes one by one."
-- limits = "Selectors are in the URI, which some deliveries drop. What was deleted is in the response, at level RequestResponse only."
-- tuning = "Add what is meant to do this to expected with activity deletes."
-- triage = [
--     "who-deleted resource={resource} namespace={namespace}", "principal-timeline principal={principal}",
-- ]
-- tables = ["system_principals", "expected"]
-- message = "{actor} deleted all {resource}[ of {namespace}][ with {label_selector}][ with {field_selector}] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "api_group", "resource", "namespace", "label_selector", "field_selector",
-- ]
-- columns.detail = ["label_selector", "field_selector", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["deletecollection"]
-- resources = ["*"]
-- columns = ["response_code"]
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN resource IN ('pods', 'jobs', 'replicasets', 'controllerrevisions', 'endpoints', 'endpointslices', 'leases')
                THEN 'low'
            WHEN principal LIKE 'system:serviceaccount:%' THEN 'low'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    api_group,
    query_param(request_uri, 'labelSelector') AS label_selector,
    query_param(request_uri, 'fieldSelector') AS field_selector,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE operation = 'deletecollection'
  AND subresource = ''
  AND resource <> 'events'
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'deletes', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
