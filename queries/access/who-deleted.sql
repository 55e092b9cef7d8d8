-- title = "Who deleted"
-- question = "Who deleted this object, when, and from where?"
-- description = """
-- Requests to delete objects or whole collections, and evictions of pods, refused and failed ones
-- included: see outcome. With namespace, the deletion of that namespace has a row, too, and with
-- name, so have the deletions of collections that may have held the object (may_include).
-- Deletions by controllers, the garbage collector and kubelets are left out, unless name is given
-- or controllers is true: they carry out what somebody else decided. way says what the deletion
-- was."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.7", "SOC 2 CC7.2", "NIST AU-12", "ISO 27001 A.8.15"]
-- attack = ["T1485", "T1489"]
-- false_positives = "None: this is an inventory."
-- limits = "The deletion of an owner or a namespace deletes what belongs to it: ask for the owner if the garbage collector, a controller or a kubelet deleted the object. An object with finalizers, and a pod with a grace period, live on for a while after the request. At level Metadata a dry run that only the body of the request asks for looks like a deletion."
-- message = "{principal}[ as {acted_as}]: {way} {resource}[ in {namespace}][, {name}] ({outcome})"
-- columns.key = ["principal", "actor", "way", "api_group", "resource", "namespace", "name", "outcome"]
-- columns.detail = ["selector", "options", "peer_ip", "user_agent"]
-- tables = ["system_principals"]
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Set controllers to true to see what the garbage collector, controllers and kubelets deleted; add your own control plane's accounts to the list system_principals."
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["*"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["pods/eviction"]
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as deployments or deployments.apps."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace, and the namespace itself."
-- [parameters.name]
-- type = "string"
-- doc = "Only the object of this name, and collections that may have held it."
-- [parameters.actor]
-- type = "string"
-- doc = "Only deletions by this actor or principal."
-- [parameters.controllers]
-- type = "boolean"
-- default = false
-- doc = "Also without name: deletions by controllers, the garbage collector and kubelets."
SELECT
    stage_timestamp,
    'info' AS severity,
    outcome,
    CASE
        WHEN write_kind = 'eviction' THEN 'eviction'
        WHEN operation = 'deletecollection' THEN 'deletion of all'
        WHEN principal = 'system:serviceaccount:kube-system:generic-garbage-collector' THEN 'garbage collection'
        WHEN principal LIKE 'system:node:%' AND resource = 'pods' AND api_group = '' THEN 'removal by the kubelet'
        ELSE 'deletion'
    END AS way,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    operation,
    api_group,
    resource,
    namespace,
    object_name AS name,
    $name IS NOT NULL AND object_name IS NULL AS may_include,
    CASE
        WHEN operation = 'deletecollection'
            THEN nullif(concat_ws(' ', query_param(request_uri, 'labelSelector'), query_param(request_uri, 'fieldSelector')), '')
    END AS selector,
    CASE
        WHEN operation = 'deletecollection' AND outcome = 'succeeded'
            THEN array_length(json_elements(body_text(response_object, 'items')))
    END AS deleted_objects,
    coalesce(
        CASE WHEN write_kind = 'eviction' THEN body_text(request_object, 'deleteOptions') ELSE request_object END,
        nullif(concat_ws(
            ' ',
            'gracePeriodSeconds=' || query_param(request_uri, 'gracePeriodSeconds'),
            'propagationPolicy=' || query_param(request_uri, 'propagationPolicy')
        ), '')
    ) AS options,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE (operation IN ('delete', 'deletecollection') AND subresource = '' OR write_kind = 'eviction')
  AND (
      (
          ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
          AND (
              $namespace IS NULL
              OR namespace = $namespace
              -- A collection across all namespaces.
              OR operation = 'deletecollection' AND namespace = ''
          )
          AND ($name IS NULL OR object_name = $name OR operation = 'deletecollection')
      )
      OR (resource = 'namespaces' AND api_group = '' AND name = $namespace)
  )
  AND ($actor IS NULL OR $actor IN (actor, principal))
  AND ($controllers OR $name IS NOT NULL OR NOT listed('system_principals', principal))
ORDER BY stage_timestamp, source_file, source_offset, audit_id
