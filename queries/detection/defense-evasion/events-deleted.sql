-- title = "Events deleted"
-- question = "Who deleted, or tried to delete, Event objects?"
-- description = """
-- Deletes of Events, one by one or all at once (deletecollection). The apiserver expires Events by
-- itself, after an hour by default, so hardly anyone has a reason to delete them; an attacker does,
-- because Events tell what happened to pods. One row per client, namespace and outcome, and per burst:
-- deletes that follow each other within `gap` belong to one."""
-- severity = "medium"
-- level = "Metadata"
-- attack = ["T1070"]
-- controls = ["PCI-DSS 10.3.2", "NIST AU-9"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Cleanup jobs and tests that remove everything from a namespace. Namespace deletion is left out: a controller deletes the Events then."
-- tuning = "Add cleanup jobs to the list expected, with the activity events. A larger gap makes fewer, longer bursts."
-- limits = "What the deleted Events said is not in the audit log. GKE's audit policy leaves out requests for Events of the core group; only those of events.k8s.io are found there."
-- message = "{actor} deleted Events in [{namespace}|all namespaces] ({outcome}, {deletes}×)"
-- columns.key = ["actor", "principal", "namespace", "outcome", "user_agent"]
-- columns.detail = ["names", "first_seen", "last_seen", "peer_ip"]
-- covers = ["S: Kubernetes Events Deleted", "E: Kubernetes Events Deleted", "EA: Events Deleted", "D: DeleteEvents", "TM: Delete K8S events (MS-TA9022)", "Kubescape: C-0031"]
-- differs = "Sigma's and Elastic's rules look at the verb delete only and miss deletecollection, which removes all Events of a namespace at once. Both API groups are covered, and attempts are told apart."
-- triage = ["principal-timeline principal={principal}", "pod-fate namespace={namespace}", "who-deleted resource=events namespace={namespace}"]
-- [[needs]]
-- verbs = ["delete", "deletecollection"]
-- resources = ["events", "events.events.k8s.io"]
-- [parameters.gap]
-- type = "duration"
-- default = "10m"
-- doc = "A pause longer than this begins a new burst."
SELECT
    max(stage_timestamp) AS stage_timestamp,
    graded('medium', outcome) AS severity,
    outcome,
    actor,
    principal,
    namespace,
    count(*) AS deletes,
    count(*) FILTER (WHERE verb = 'deletecollection') AS collections,
    array_agg(DISTINCT name ORDER BY name) FILTER (WHERE name <> '') AS names,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    client_ip,
    peer_ip,
    user_agent
FROM (
    SELECT
        paced.*,
        count(CASE WHEN idle_ms IS NULL OR idle_ms > $gap THEN 1 END) OVER (
            PARTITION BY cluster, principal, actor, namespace, outcome, client_ip, peer_ip, user_agent
            ORDER BY stage_timestamp, audit_id, source_file, source_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS burst
    FROM (
        SELECT
            cluster, stage_timestamp, outcome, actor, principal, verb, namespace, name, client_ip, peer_ip, user_agent,
            audit_id, source_file, source_offset,
            CAST(
                CAST(stage_timestamp AS BIGINT) - CAST(lag(stage_timestamp) OVER (
                    PARTITION BY cluster, principal, actor, namespace, outcome, client_ip, peer_ip, user_agent
                    ORDER BY stage_timestamp, audit_id, source_file, source_offset
                ) AS BIGINT) AS DOUBLE
            ) / 1000 AS idle_ms
        FROM write_requests
        WHERE verb IN ('delete', 'deletecollection')
          AND resource = 'events'
          AND api_group IN ('', 'events.k8s.io')
          AND subresource = ''
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'events', namespace)
    ) AS paced
) AS bursts
GROUP BY cluster, principal, actor, namespace, outcome, client_ip, peer_ip, user_agent, burst
ORDER BY first_seen, actor, namespace, outcome, user_agent
