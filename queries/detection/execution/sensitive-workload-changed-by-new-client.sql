-- title = "Workload changed by a new client"
-- question = "Who changed workloads from an address or with a program that the baseline does not have for them?"
-- description = """
-- Creations and changes of deployments, daemon sets, stateful sets and cron jobs by a combination of
-- principal, network (/24, or /64 of IPv6) and program (the user agent up to the version) that wrote no
-- such workload in the baseline. One row per combination. medium in system namespaces and for daemon
-- sets, else low."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4", "NIST CM-3"]
-- attack = ["T1610", "T1078"]
-- baseline = "7d"
-- false_positives = "New colleagues, moved pipelines, new tools."
-- tuning = "Give a longer baseline; give pipelines whose address changes in the list expected, with the activity workloads."
-- limits = "The user agent is what the client claims, the address what it or a proxy claims."
-- message = "{principal} changed {workloads} workload(s) with {program} from {client_ip}, which is new ({outcome})"
-- triage = ["principal-timeline principal={principal}", "sessions principal={principal}", "changes-outside-pipeline"]
-- covers = ["Elastic: Unusual Kubernetes Sensitive Workload Modification"]
-- differs = "Networks instead of single addresses and programs instead of versions, so that a rollout is not new; all writes count, not only create and patch."
-- tables = ["system_principals", "system_namespaces", "expected"]
-- columns.key = ["principal", "network", "program", "outcome"]
-- columns.detail = ["objects", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["deployments.apps", "daemonsets.apps", "statefulsets.apps", "cronjobs.batch"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(
        CASE WHEN bool_or(resource = 'daemonsets' OR listed('system_namespaces', namespace)) THEN 'medium' ELSE 'low' END,
        outcome
    ) AS severity,
    outcome,
    principal,
    network,
    program,
    count(*) AS writes,
    count(DISTINCT concat(resource, ' ', namespace, '/', object_name)) AS workloads,
    array_agg(DISTINCT concat(resource, ' ', namespace, '/', object_name) ORDER BY concat(resource, ' ', namespace, '/', object_name)) AS objects,
    min(client_ip) AS client_ip,
    min(peer_ip) AS peer_ip,
    min(user_agent) AS user_agent
FROM (
    SELECT
        stage_timestamp,
        outcome,
        principal,
        resource,
        namespace,
        object_name,
        CASE WHEN client_ip LIKE '%:%' THEN array_to_string(array_slice(string_to_array(client_ip, ':'), 1, 4), ':') ELSE regexp_replace(client_ip, '\.[0-9]+$', '') END AS network,
        coalesce(split_part(user_agent, '/', 1), '') AS program,
        client_ip,
        peer_ip,
        user_agent
    FROM write_requests
    WHERE (
          resource IN ('deployments', 'daemonsets', 'statefulsets') AND api_group = 'apps'
          OR resource = 'cronjobs' AND api_group = 'batch'
      )
      AND subresource = ''
      AND operation IN ('create', 'update', 'patch')
      AND principal IS NOT NULL
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'workloads', namespace)
) AS changed
WHERE NOT EXISTS (
    SELECT 1
    FROM (
        SELECT principal AS who, CASE WHEN client_ip LIKE '%:%' THEN array_to_string(array_slice(string_to_array(client_ip, ':'), 1, 4), ':') ELSE regexp_replace(client_ip, '\.[0-9]+$', '') END AS from_network, coalesce(split_part(user_agent, '/', 1), '') AS with_program
        FROM earlier_requests
        WHERE verb IN ('create', 'update', 'patch')
          AND resource IN ('deployments', 'daemonsets', 'statefulsets', 'cronjobs')
          AND subresource = ''
          AND outcome(response_code, dry_run) = 'succeeded'
    ) AS earlier
    WHERE earlier.who = changed.principal
      AND earlier.from_network = changed.network
      AND earlier.with_program = changed.program
)
GROUP BY outcome, principal, network, program
ORDER BY first_seen, principal, network, program, outcome
