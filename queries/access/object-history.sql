-- title = "Object history"
-- question = "Who did what to this object, and when?"
-- description = """
-- One row per request that wrote to an object or its subresources, or opened a session on it (exec,
-- attach, port forwarding, proxy; open sessions, too), refused and failed ones included: see
-- outcome. With name, also the deletions of collections that may have held the object, and with
-- namespace those of the namespace. Reads are rows only if reads is true. Requests by controllers,
-- kubelets and the rest of the control plane are left out, unless name is given or controllers is
-- true."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.7", "SOC 2 CC7.2", "SOC 2 CC8.1", "NIST AU-12", "ISO 27001 A.8.15"]
-- attack = []
-- false_positives = "None: this is an inventory."
-- limits = "A list or a watch of many objects reads each of them and has a row only where no name is asked for. At level Metadata a create by generateName does not show the name. What the audit policy leaves out is missing. For the fields that changed, see field-changes."
-- message = "{principal}[ as {acted_as}]: {operation} {resource}[/{subresource}][ in {namespace}][, {name}] ({outcome})"
-- columns.key = ["principal", "actor", "operation", "api_group", "resource", "subresource", "namespace", "name", "outcome"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- tables = ["system_principals"]
-- triage = [
--     "field-changes resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Set reads and controllers to true to see all requests; add your own control plane's accounts to the list system_principals."
-- [[needs]]
-- resources = ["*"]
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
-- doc = "Only requests by this actor or principal."
-- [parameters.reads]
-- type = "boolean"
-- default = false
-- doc = "Also reads: get, list and watch."
-- [parameters.controllers]
-- type = "boolean"
-- default = false
-- doc = "Also without name: requests by controllers, kubelets and the rest of the control plane."
WITH touched AS (
    SELECT
        stage_timestamp, audit_id, actor, principal, verb, api_group, api_version, resource, subresource, namespace, name,
        object_name, request_uri, dry_run, response_code, response_message, client_ip, peer_ip, user_agent, source_file,
        source_line, source_offset
    FROM requests
    WHERE resource IS NOT NULL
    UNION ALL
    -- Sessions that are still open.
    SELECT
        stage_timestamp, audit_id, actor, principal, verb, api_group, api_version, resource, subresource, namespace, name,
        object_name, request_uri, dry_run, response_code, response_message, client_ip, peer_ip, user_agent, source_file,
        source_line, source_offset
    FROM exec_sessions
    WHERE ended_at IS NULL
)
SELECT
    stage_timestamp,
    'info' AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    verb,
    CASE
        WHEN verb IN ('update', 'patch') AND response_code = 201 THEN 'create'
        WHEN subresource IN ('exec', 'attach', 'portforward', 'proxy') THEN subresource
        ELSE verb
    END AS operation,
    api_group,
    api_version,
    resource,
    subresource,
    namespace,
    object_name AS name,
    exec_command(request_uri) AS command,
    response_code,
    response_message,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM touched
WHERE ($reads OR verb NOT IN ('get', 'list', 'watch') OR subresource IN ('exec', 'attach', 'portforward', 'proxy'))
  AND (
      (
          ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
          AND (
              $namespace IS NULL
              OR namespace = $namespace
              OR verb = 'deletecollection' AND namespace = ''
              -- The create of a namespace has no namespace.
              OR resource = 'namespaces' AND api_group = '' AND object_name = $namespace
          )
          AND ($name IS NULL OR object_name = $name OR verb = 'deletecollection')
      )
      OR (resource = 'namespaces' AND api_group = '' AND object_name = $namespace AND verb IN ('create', 'delete'))
  )
  AND ($actor IS NULL OR $actor IN (actor, principal))
  AND ($controllers OR $name IS NOT NULL OR NOT listed('system_principals', principal))
ORDER BY stage_timestamp, source_file, source_offset, audit_id
