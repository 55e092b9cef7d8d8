-- title = "Incident timeline"
-- question = "What happened, in order: sessions, secrets, refusals, rights, admission, deletions?"
-- description = """
-- One timeline of what matters in an incident, oldest first. category is session (exec, attach, port
-- forwarding, proxies), secrets (reads), refusal (401, 403, and what admission refused), rights
-- (roles and bindings), admission (webhooks and policies), credentials (tokens and certificates),
-- impersonation, workload (pods and workloads created or changed), configuration (services, network
-- policies, API services, CRDs, secrets and the ConfigMaps of the system, created or changed) or
-- deletion. Requests of the same kind that follow each other within pause are one row, with their
-- number. Controllers, nodes and the control plane, and what the list expected names, are left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST IR-4", "NIST AU-6", "SOC 2 CC7.3", "ISO 27001 A.5.28", "PCI-DSS 10.4.1"]
-- attack = []
-- false_positives = "None: this is an inventory; most rows are daily work."
-- limits = "What a controller did in consequence, reads of anything but secrets, and what the audit policy leaves out are not included. Without a user (401) only the address is known. client_ip can be forged."
-- message = "{category}: [{principal}|somebody][ as {acted_as}] {verb}[ {resource}| {path}][/{subresource}][ in {namespace}][, {name}][: {command}] ({outcome}, {requests}×)"
-- columns.key = [
--     "category", "principal", "actor", "verb", "api_group", "resource", "subresource", "namespace", "name", "path", "outcome",
--     "client_ip",
-- ]
-- columns.detail = ["command", "cause", "last_seen", "peer_ip", "user_agent"]
-- tables = ["expected", "system_principals", "system_namespaces"]
-- triage = [
--     "principal-timeline principal={principal}", "still-there actor={principal}",
--     "object-history resource={resource} namespace={namespace} name={name}",
-- ]
-- tuning = "Give actor or namespace, and the time window of the incident. Raise pause for a shorter timeline. Operators and CI belong into the list expected."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace, and those outside of all namespaces."
-- [parameters.category]
-- type = "string"
-- doc = "Only this category."
-- [parameters.pause]
-- type = "duration"
-- default = "1m"
-- doc = "Requests of the same kind with a shorter pause between them are one row."
WITH noted AS (
    SELECT
        'session' AS category, stage_timestamp, audit_id, cluster, actor, principal, verb, api_group, resource, subresource,
        namespace, object_name, CAST(NULL AS VARCHAR) AS path, command, CAST(NULL AS VARCHAR) AS cause,
        outcome(response_code, dry_run) AS outcome, response_code, client_ip, peer_ip, user_agent, source_file, source_line,
        source_offset
    FROM exec_sessions
    UNION ALL
    SELECT
        CASE
            WHEN subresource = 'proxy' THEN 'session'
            WHEN api_group = '' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch') THEN 'secrets'
            WHEN api_group = 'rbac.authorization.k8s.io' THEN 'rights'
            WHEN api_group = 'admissionregistration.k8s.io' OR api_group IN ('constraints.gatekeeper.sh', 'templates.gatekeeper.sh', 'kyverno.io') THEN 'admission'
            WHEN subresource = 'token' OR api_group = 'certificates.k8s.io' THEN 'credentials'
            WHEN verb IN ('delete', 'deletecollection') OR subresource = 'eviction' THEN 'deletion'
            WHEN impersonated_username IS NOT NULL AND principal <> actor AND verb IN ('get', 'list', 'watch') THEN 'impersonation'
            WHEN resource IN (
                'services', 'secrets', 'configmaps', 'networkpolicies', 'ingresses', 'apiservices', 'customresourcedefinitions'
            ) THEN 'configuration'
            ELSE 'workload'
        END AS category,
        stage_timestamp, audit_id, cluster, actor, principal, verb, api_group, resource, subresource, namespace, object_name,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        CAST(NULL AS VARCHAR) AS command, CAST(NULL AS VARCHAR) AS cause,
        outcome(response_code, dry_run) AS outcome, response_code, client_ip, peer_ip, user_agent, source_file, source_line,
        source_offset
    FROM requests
    WHERE response_code < 400
      AND (
          subresource = 'proxy'
          OR api_group = '' AND resource = 'secrets' AND verb IN ('get', 'list', 'watch')
          OR impersonated_username IS NOT NULL AND principal <> actor
          OR subresource IN ('token', 'eviction', 'approval')
          OR verb IN ('delete', 'deletecollection')
          OR verb IN ('create', 'update', 'patch') AND subresource IN ('', 'ephemeralcontainers', 'scale') AND (
              api_group IN ('rbac.authorization.k8s.io', 'admissionregistration.k8s.io', 'certificates.k8s.io',
                  'constraints.gatekeeper.sh', 'templates.gatekeeper.sh', 'kyverno.io', 'batch')
              OR api_group = 'apps' AND resource IN ('deployments', 'daemonsets', 'statefulsets', 'replicasets')
              OR api_group = '' AND resource IN (
                  'pods', 'replicationcontrollers', 'serviceaccounts', 'namespaces', 'nodes', 'services', 'secrets'
              )
              OR api_group = '' AND resource = 'configmaps' AND listed('system_namespaces', namespace)
              OR api_group = 'networking.k8s.io' AND resource IN ('networkpolicies', 'ingresses')
              OR api_group IN ('apiregistration.k8s.io', 'apiextensions.k8s.io')
          )
      )
      AND (subresource IN ('exec', 'attach', 'portforward')) IS NOT TRUE
    UNION ALL
    SELECT
        'refusal' AS category, stage_timestamp, audit_id, cluster, actor, principal, verb, api_group, resource, subresource,
        namespace, object_name, CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        CAST(NULL AS VARCHAR) AS command, cause, outcome(response_code, dry_run) AS outcome, response_code, client_ip, peer_ip,
        user_agent, source_file, source_line, source_offset
    FROM denials
    WHERE cause NOT IN ('priority-and-fairness', 'throttling', 'invalid')
      AND (subresource IN ('exec', 'attach', 'portforward')) IS NOT TRUE
),
spaced AS (
    SELECT
        noted.*,
        (
            CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER alike AS BIGINT) <= $pause * 1000
        ) IS NOT TRUE AS begins
    FROM noted
    WHERE ($category IS NULL OR category = $category)
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($namespace IS NULL OR coalesce(namespace, '') IN ('', $namespace))
      AND NOT listed('system_principals', principal)
      AND NOT (
          category = 'secrets' AND listed('expected', principal, 'secrets', namespace)
          OR category = 'rights' AND listed('expected', principal, 'rbac', namespace)
          OR category = 'session' AND listed('expected', principal, 'exec', namespace)
          OR category = 'deletion' AND listed('expected', principal, 'deletes', namespace)
          OR category = 'workload' AND listed('expected', principal, 'workloads', namespace)
          OR category = 'credentials' AND listed('expected', principal, 'tokens', namespace)
          OR category = 'impersonation' AND listed('expected', principal, 'impersonation', namespace)
      )
    WINDOW alike AS (
        PARTITION BY
            cluster, category, principal, actor, verb, api_group, resource, subresource, namespace, path, command, cause,
            outcome, client_ip, peer_ip, user_agent
        ORDER BY stage_timestamp, audit_id, source_file, source_offset
    )
),
numbered AS (
    SELECT
        spaced.*,
        count(CASE WHEN begins THEN 1 END) OVER (
            PARTITION BY
                cluster, category, principal, actor, verb, api_group, resource, subresource, namespace, path, command, cause,
                outcome, client_ip, peer_ip, user_agent
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM spaced
)
SELECT
    min(stage_timestamp) AS stage_timestamp,
    max(stage_timestamp) AS last_seen,
    'info' AS severity,
    category,
    outcome,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    CASE WHEN count(DISTINCT object_name) = 1 THEN min(object_name) END AS name,
    count(DISTINCT object_name) AS names,
    path,
    command,
    cause,
    count(*) AS requests,
    min(response_code) AS response_code,
    client_ip,
    peer_ip,
    user_agent,
    first_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    first_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM numbered
GROUP BY
    cluster, category, outcome, principal, actor, verb, api_group, resource, subresource, namespace, path, command, cause,
    client_ip, peer_ip, user_agent, burst
ORDER BY stage_timestamp, category, principal, actor, verb, resource, subresource, namespace, name, path, audit_id
