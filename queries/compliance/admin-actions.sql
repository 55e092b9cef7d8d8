-- title = "Actions of administrators"
-- question = "What did administrators do with their rights?"
-- description = """
-- What was done with administrative rights, by actor, grant and permission. why says what makes it
-- administrative: the group system:masters, the role (cluster-admin, admin, or one in admin_roles),
-- or a person who writes in a system namespace or at cluster scope. Writes, sessions in pods and
-- reads of secrets have their own counts. The control plane is left out."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "PCI-DSS 7.2.2", "SOC 2 CC6.1", "SOC 2 CC6.3", "NIST AC-6(2)", "NIST AC-6(9)", "ISO 27001 A.8.2", "HIPAA 164.308(a)(1)(ii)(D)", "CIS 5.1.1", "CIS 5.1.7"]
-- attack = ["T1078"]
-- false_positives = "None: this is an inventory."
-- limits = "The apiserver names one grant that allows a request, so rights that several roles give are attributed to one of them. Cloud administrators (EKS access policies, GKE IAM) are found only where the log names their role."
-- message = "{actor} ({why}): {verb} {target}, requests {requests}, writes {writes}"
-- columns.key = ["actor", "username", "why", "verb", "api_group", "resource", "subresource"]
-- columns.detail = ["requests", "writes", "namespaces", "first_seen", "last_seen"]
-- tables = ["system_principals", "system_namespaces"]
-- tuning = "admin_roles: more roles that count as administrative."
-- triage = ["cluster-admin-usage actor={actor}", "principal-timeline principal={username}", "change-log"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["authz_decision"]
-- [parameters.admin_roles]
-- type = "strings"
-- default = ["cluster-admin", "admin", "system:masters"]
-- doc = "Roles that count as administrative."
-- [parameters.actor]
-- type = "string"
-- doc = "Only this actor."
WITH reasoned AS (
    SELECT
        actor, actor_kind, username, verb, api_group, resource, subresource, namespace, response_code, dry_run,
        request_received_timestamp, stage_timestamp,
        CASE
            WHEN array_has(actor_groups, 'system:masters') THEN 'group system:masters'
            WHEN role_name = ANY($admin_roles) THEN role_kind || ' ' || role_name
            WHEN actor_kind = 'human'
                AND verb IN ('create', 'update', 'patch', 'delete', 'deletecollection')
                AND resource IS NOT NULL
                AND (api_group = 'authorization.k8s.io' OR api_group = 'authentication.k8s.io') IS NOT TRUE
                AND (namespace = '' OR listed('system_namespaces', namespace))
                THEN CASE WHEN namespace = '' THEN 'writes at cluster scope' ELSE 'writes in a system namespace' END
        END AS why
    FROM requests
    WHERE authz_decision = 'allow'
      AND NOT listed('system_principals', principal)
      AND ($actor IS NULL OR actor = $actor)
)
SELECT
    actor,
    actor_kind,
    username,
    why,
    verb,
    api_group,
    resource,
    subresource,
    coalesce(nullif(concat_ws('/', concat_ws('.', resource, nullif(api_group, '')), nullif(subresource, '')), ''), 'no resource') AS target,
    count(*) AS requests,
    count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL AND outcome(response_code, dry_run) = 'succeeded') AS writes,
    count(*) FILTER (WHERE subresource IN ('exec', 'attach', 'portforward')) AS pod_sessions,
    count(*) FILTER (WHERE resource = 'secrets' AND verb IN ('get', 'list', 'watch')) AS secrets_read,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM reasoned
WHERE why IS NOT NULL
GROUP BY actor, actor_kind, username, why, verb, api_group, resource, subresource
ORDER BY writes DESC, requests DESC, actor, username, why, api_group, resource, subresource, verb
