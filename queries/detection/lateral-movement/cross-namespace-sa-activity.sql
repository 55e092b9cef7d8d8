-- title = "Service accounts in other namespaces"
-- question = "Which service accounts acted in a namespace that is not theirs, for the first time?"
-- description = """
-- Requests of service accounts in a namespace other than their own, where they were not active before. Service accounts that
-- were active in at least `max_namespaces` other namespaces before are operators and left out, as are namespaces that are
-- new altogether. medium, graded down for attempts. One row per service account and namespace."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1550", "T1078"]
-- controls = ["NIST AC-4", "SOC 2 CC6.1"]
-- tables = ["system_principals", "expected"]
-- baseline = "14d"
-- false_positives = "A new integration between teams, and tools that a team installs for the cluster."
-- tuning = "Lower max_namespaces to leave out more operators, or add them to the list expected, without an activity or with recon (reads) and workloads (the rest)."
-- limits = "Requests across all namespaces (lists without a namespace) do not count. Service accounts that are new in the log are not looked at."
-- message = "{principal} acted in the namespace {namespace} for the first time ({outcome}, {requests}×, writes: {writes})"
-- columns.key = ["principal", "namespace", "outcome"]
-- columns.detail = ["verbs", "resources", "user_agents", "peer_ips", "first_seen", "last_seen"]
-- triage = ["principal-timeline principal={principal}", "namespace-access namespace={namespace}", "secrets-read actor={principal} namespace={namespace}"]
-- [[needs]]
-- resources = ["*"]
-- from = "service-accounts"
-- [parameters.max_namespaces]
-- type = "integer"
-- default = 5
-- doc = "A service account that was active in so many other namespaces is an operator."
WITH earlier AS (
    SELECT DISTINCT principal, namespace
    FROM earlier_requests
    WHERE principal LIKE 'system:serviceaccount:%' AND namespace <> ''
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded('medium', acted.outcome) AS severity,
    acted.outcome,
    acted.principal,
    acted.namespace,
    count(*) AS requests,
    count(CASE WHEN verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') THEN 1 END) AS writes,
    array_agg(DISTINCT verb ORDER BY verb) AS verbs,
    array_agg(DISTINCT resource ORDER BY resource) AS resources,
    array_agg(DISTINCT user_agent ORDER BY user_agent) AS user_agents,
    array_agg(DISTINCT peer_ip ORDER BY peer_ip) AS peer_ips,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM (
    SELECT
        stage_timestamp, outcome(response_code, dry_run) AS outcome, principal, namespace, verb, resource, user_agent, peer_ip
    FROM requests
    WHERE principal LIKE 'system:serviceaccount:%'
      AND resource IS NOT NULL
      AND namespace <> ''
      AND namespace <> split_part(principal, ':', 3)
      AND principal IN (SELECT principal FROM earlier_requests)
      AND namespace IN (SELECT namespace FROM earlier_requests)
      AND principal NOT IN (SELECT principal FROM earlier GROUP BY principal HAVING count(*) > $max_namespaces)
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, CASE WHEN verb IN ('get', 'list', 'watch') THEN 'recon' ELSE 'workloads' END, namespace)
) AS acted
LEFT ANTI JOIN earlier AS known
    ON acted.principal = known.principal AND acted.namespace = known.namespace
GROUP BY acted.outcome, acted.principal, acted.namespace
ORDER BY first_seen, principal, namespace, outcome
