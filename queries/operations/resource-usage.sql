-- title = "Resource usage"
-- question = "Who uses this resource or API version, and can it be removed?"
-- description = """
-- Requests by API group, version, resource and client: how many, which verbs, how many writes, and
-- from when to when. Without parameters, only custom resources: groups that Kubernetes does not have
-- itself. Open watches count, refused requests too (refused). The control plane (garbage collection,
-- discovery, quotas) is left out unless system is true."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["NIST CM-7", "NIST CM-8"]
-- attack = []
-- false_positives = "None: this is an inventory. Backups, GitOps and dashboards read each resource there is."
-- limits = "Only calls in the log are visible: not objects that are stored under an old version, nor manifests that have not been applied. A client that reads from its cache calls rarely. Conversions between versions are not in this log."
-- message = "{principal} uses {resource}.{api_group}/{api_version} ({requests}×)"
-- columns.key = ["api_group", "api_version", "resource", "principal", "user_agent"]
-- columns.detail = ["verbs", "writes", "namespaces", "first_seen", "last_seen"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={principal}", "deprecated-api-usage"]
-- tuning = "Give resource and api_version before you remove one; name backups and GitOps in ignored_actors."
-- [[needs]]
-- resources = ["*"]
-- stage = "any"
-- [parameters.resource]
-- type = "string"
-- doc = "Only this resource, such as crontabs or crontabs.stable.example.com."
-- [parameters.api_group]
-- type = "string"
-- doc = "Only this API group, such as stable.example.com."
-- [parameters.api_version]
-- type = "string"
-- doc = "Only this version, such as v1beta1."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also the control plane's own components, controllers and nodes."
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out these actors or principals."
WITH calls AS (
    SELECT
        stage_timestamp, audit_id, cluster, actor, principal, verb, api_group, api_version, resource, subresource, namespace,
        response_code, dry_run, user_agent, request_received_timestamp, source_file, source_line
    FROM requests
    WHERE resource IS NOT NULL
    UNION ALL
    SELECT
        stage_timestamp, audit_id, cluster, actor, principal, verb, api_group, api_version, resource, subresource, namespace,
        response_code, dry_run, user_agent, request_received_timestamp, source_file, source_line
    FROM unfinished_requests
    WHERE resource IS NOT NULL
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    'info' AS severity,
    api_group,
    api_version,
    resource,
    principal,
    user_agent,
    count(*) AS requests,
    count(*) FILTER (
        WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND outcome(response_code, dry_run) = 'succeeded'
    ) AS writes,
    count(*) FILTER (WHERE outcome(response_code, dry_run) = 'refused') AS refused,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT subresource ORDER BY subresource) FILTER (WHERE subresource <> '') AS subresources,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM calls
WHERE ($resource IS NULL OR resource = $resource OR resource || '.' || api_group = $resource)
  AND ($api_group IS NULL OR api_group = $api_group)
  AND ($api_version IS NULL OR api_version = $api_version)
  AND (
      $resource IS NOT NULL
      OR $api_group IS NOT NULL
      OR api_group LIKE '%.%' AND api_group NOT LIKE '%.k8s.io'
      -- Groups of this name that are custom resources.
      OR api_group LIKE '%.x-k8s.io' OR api_group LIKE '%.sigs.k8s.io'
      OR api_group IN ('gateway.networking.k8s.io', 'snapshot.storage.k8s.io', 'metrics.k8s.io', 'custom.metrics.k8s.io',
          'external.metrics.k8s.io', 'node.k8s.aws')
  )
  AND ($system OR NOT listed('system_principals', principal))
  AND (actor = ANY($ignored_actors) OR principal = ANY($ignored_actors)) IS NOT TRUE
GROUP BY cluster, api_group, api_version, resource, principal, user_agent
ORDER BY api_group, resource, api_version, requests DESC, principal, user_agent, audit_id
