-- title = "Service accounts that do something new"
-- question = "Which service accounts used a verb on a resource that they never used before?"
-- description = """
-- Operations (verb, resource, subresource) of service accounts that were active before, and did not do this then. A pod that
-- was taken over does what its program never did. medium for secrets, exec, tokens, RBAC, webhooks, certificates, nodes and
-- deletes that were allowed, graded down for attempts; low for anything else. One row per service account and operation."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1078", "T1550"]
-- controls = ["NIST SI-4", "SOC 2 CC7.2"]
-- tables = ["system_principals", "expected"]
-- baseline = "14d"
-- false_positives = "Releases that bring a new feature, and work that is done once a month."
-- tuning = "A longer baseline finds less. Raise min_earlier. Add operators to the list expected, with the activity that they are for, or with none."
-- limits = "Service accounts with fewer earlier requests than min_earlier are not looked at: everything would be new."
-- message = "{principal}: {verb} {resource}[/{subresource}] for the first time, {requests}×[ in {namespaces}] ({outcome})"
-- columns.key = ["principal", "verb", "api_group", "resource", "subresource", "outcome"]
-- columns.detail = ["namespaces", "names", "user_agents", "peer_ips", "first_seen", "last_seen"]
-- covers = ["D: ServiceAccountRareOperation"]
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "secrets-read actor={principal}"]
-- [[needs]]
-- resources = ["*"]
-- from = "service-accounts"
-- [parameters.min_earlier]
-- type = "integer"
-- default = 20
-- doc = "Only service accounts with so many requests in the baseline."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded(
        CASE
            WHEN done.resource IN ('secrets', 'roles', 'clusterroles', 'rolebindings', 'clusterrolebindings', 'nodes', 'certificatesigningrequests', 'validatingwebhookconfigurations', 'mutatingwebhookconfigurations')
                OR done.subresource IN ('exec', 'attach', 'portforward', 'proxy', 'token', 'ephemeralcontainers', 'approval')
                OR done.verb IN ('delete', 'deletecollection', 'impersonate') THEN 'medium'
            ELSE 'low'
        END,
        done.outcome
    ) AS severity,
    done.outcome,
    done.principal,
    done.verb,
    done.api_group,
    done.resource,
    done.subresource,
    count(*) AS requests,
    array_agg(DISTINCT namespace ORDER BY namespace) AS namespaces,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM (
    SELECT
        stage_timestamp, outcome(response_code, dry_run) AS outcome, principal, verb, api_group, resource, subresource, namespace,
        name, user_agent, peer_ip
    FROM requests
    WHERE principal LIKE 'system:serviceaccount:%'
      AND resource IS NOT NULL
      AND principal IN (SELECT principal FROM earlier_requests GROUP BY principal HAVING count(*) >= $min_earlier)
      AND NOT listed('system_principals', principal)
      AND NOT listed(
          'expected',
          principal,
          CASE
              WHEN resource = 'secrets' THEN 'secrets'
              WHEN api_group = 'rbac.authorization.k8s.io' THEN 'rbac'
              WHEN subresource IN ('exec', 'attach') THEN 'exec'
              WHEN subresource IN ('proxy', 'portforward') THEN 'proxy'
              WHEN subresource = 'token' THEN 'tokens'
              WHEN api_group = 'admissionregistration.k8s.io' THEN 'webhooks'
              WHEN resource = 'certificatesigningrequests' THEN 'csr'
              WHEN resource = 'nodes' THEN 'nodes'
              WHEN verb IN ('delete', 'deletecollection') THEN 'deletes'
              WHEN verb IN ('get', 'list', 'watch') THEN 'recon'
              ELSE 'workloads'
          END,
          namespace
      )
) AS done
LEFT ANTI JOIN (
    SELECT DISTINCT principal, verb, api_group, resource, subresource
    FROM earlier_requests
    WHERE principal LIKE 'system:serviceaccount:%' AND resource IS NOT NULL
) AS known
    ON done.principal = known.principal AND done.verb = known.verb AND done.api_group = known.api_group
    AND done.resource = known.resource AND done.subresource = known.subresource
GROUP BY done.outcome, done.principal, done.verb, done.api_group, done.resource, done.subresource
ORDER BY first_seen, principal, resource, subresource, verb, api_group, outcome
