-- title = "Denied again and again"
-- question = "Which permissions are missing, so that requests are denied again and again?"
-- description = """
-- Requests that authorization refused, one row per actor and permission, with how often and for how
-- long. missing_rule is the smallest rule that would allow them, as one line. also_allowed counts
-- the same requests that were allowed: if there are any, the permission is there for some objects,
-- or came or went meanwhile. Refusals by admission are left out: see policy-refusals."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.3.2", "SOC 2 CC6.1", "NIST AC-6", "NIST AU-6"]
-- attack = []
-- false_positives = "Nodes that ask for objects of pods that are just being scheduled, health checks without credentials, and tools that try what they may."
-- limits = "The log says what was asked for, not whether it should be allowed. A refused create does not show the object's name. auditql rbac denied writes the rules as YAML, and takes the RBAC objects."
-- message = "{actor} was denied {denials}×: {missing_rule}"
-- columns.key = ["actor", "principal", "verb", "api_group", "resource", "subresource", "namespace", "path"]
-- columns.detail = ["denials", "also_allowed", "first_seen", "last_seen", "user_agents"]
-- tables = ["expected", "system_principals"]
-- triage = ["denied-then-allowed actor={actor}", "principal-timeline principal={principal}"]
-- tuning = "Raise min_denials, set system to true to see nodes and controllers, and put accounts that probe into the list expected (activity recon)."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["authz_decision"]
-- [parameters.min_denials]
-- type = "integer"
-- default = 3
-- doc = "Only permissions that were denied at least this often."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only requests in this namespace."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also nodes, controllers and the rest of the control plane."
WITH decided AS (
    SELECT
        cluster, actor, principal, verb, api_group, resource, subresource, namespace, name,
        CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
        authz_decision, stage_timestamp, audit_id, client_ip, user_agent, source_file, source_line
    FROM requests
    WHERE authz_decision IN ('allow', 'forbid')
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($system OR NOT listed('system_principals', actor))
      AND NOT listed('expected', principal, 'recon', namespace)
)
SELECT
    max(stage_timestamp) FILTER (WHERE authz_decision = 'forbid') AS stage_timestamp,
    'info' AS severity,
    actor,
    principal,
    nullif(actor, principal) AS acted_as,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    path,
    CASE
        WHEN resource IS NULL THEN concat(verb, ' ', path)
        ELSE concat(
            verb, ' ', resource, CASE WHEN api_group <> '' THEN '.' || api_group ELSE '' END,
            CASE WHEN subresource <> '' THEN '/' || subresource ELSE '' END,
            CASE
                WHEN namespace <> '' AND resource <> 'namespaces' THEN ' in ' || namespace
                WHEN verb IN ('list', 'watch', 'deletecollection') THEN ' in all namespaces or the cluster'
                ELSE ' in the cluster'
            END
        )
    END AS missing_rule,
    count(*) FILTER (WHERE authz_decision = 'forbid') AS denials,
    count(*) FILTER (WHERE authz_decision = 'allow') AS also_allowed,
    count(DISTINCT nullif(name, '')) FILTER (WHERE authz_decision = 'forbid') AS names,
    min(stage_timestamp) FILTER (WHERE authz_decision = 'forbid') AS first_seen,
    max(stage_timestamp) FILTER (WHERE authz_decision = 'forbid') AS last_seen,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE authz_decision = 'forbid' AND client_ip IS NOT NULL) AS addresses,
    array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE authz_decision = 'forbid' AND user_agent IS NOT NULL) AS user_agents,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) FILTER (WHERE authz_decision = 'forbid') AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) FILTER (WHERE authz_decision = 'forbid') AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) FILTER (WHERE authz_decision = 'forbid') AS source_line
FROM decided
GROUP BY cluster, actor, principal, verb, api_group, resource, subresource, namespace, path
HAVING count(*) FILTER (WHERE authz_decision = 'forbid') >= $min_denials
ORDER BY denials DESC, actor, principal, api_group, resource, subresource, namespace, path, verb
