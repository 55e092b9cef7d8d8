-- title = "Pod Security violations"
-- question = "Which namespaces have pods that break a Pod Security level, audited or enforced, and whose are they?"
-- description = """
-- What Pod Security decided, by namespace, level, resource and actor. mode is enforced (the request
-- was refused), audited (the request went through, and breaks the level that the namespace audits),
-- exempt (not checked at all; level says why: namespace, user or runtimeClass) or error (it could
-- not be checked). violations are the distinct messages, without what the apiserver puts before
-- them. A workload and the pods that a controller makes of it are rows of their own."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 5.2.1", "NIST CM-7", "SOC 2 CC6.8", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1610"]
-- false_positives = "Namespaces of node agents and storage or network plugins, which need privileges."
-- limits = "Pod Security checks workloads for its audit mode only, and pods for both. A namespace whose labels set no level has no rows, whatever runs in it. Warnings that only the client saw are not in the log. Pods that were there before the labels are not checked."
-- message = "{requests} requests of {actor} [for {resource} ]in {namespace}: {mode}[, {level}]"
-- columns.key = ["namespace", "mode", "level", "resource", "actor", "principal"]
-- columns.detail = ["violations", "objects", "first_seen", "last_seen"]
-- tables = ["system_principals"]
-- triage = [
--     "denied-requests actor={actor} namespace={namespace}", "principal-timeline principal={principal}",
-- ]
-- tuning = "Give namespace or mode; set controllers to false to leave out the pods that controllers make."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps",
--     "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- columns = ["annotations"]
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace."
-- [parameters.mode]
-- type = "string"
-- doc = "Only this mode: enforced, audited, exempt or error."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.controllers]
-- type = "boolean"
-- default = true
-- doc = "Also the pods that controllers make of workloads."
WITH decided AS (
    SELECT
        stage_timestamp, audit_id, source_file, source_line, cluster, namespace, resource, actor, principal, object_name, controller,
        CASE decision WHEN 'denied' THEN 'enforced' WHEN 'violation' THEN 'audited' ELSE decision END AS mode,
        -- Of a refusal and of a violation, what comes after the level.
        coalesce(regexp_match(message, 'violate[s]? PodSecurity "[^"]+": (.*)$')[1], message) AS violation
    FROM admission_decisions
    WHERE mechanism = 'pod-security'
      AND decision IN ('denied', 'violation', 'exempt', 'error')
      AND ($namespace IS NULL OR namespace = $namespace)
      AND ($actor IS NULL OR $actor IN (actor, principal))
      AND ($controllers OR NOT listed('system_principals', principal))
)
SELECT
    max(stage_timestamp) AS stage_timestamp,
    CASE mode WHEN 'enforced' THEN 'info' WHEN 'exempt' THEN 'info' ELSE 'low' END AS severity,
    namespace,
    mode,
    controller AS level,
    resource,
    actor,
    principal,
    count(*) AS requests,
    count(DISTINCT object_name) AS objects,
    array_agg(DISTINCT violation ORDER BY violation) FILTER (WHERE violation IS NOT NULL) AS violations,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    last_value(audit_id ORDER BY stage_timestamp, audit_id) AS audit_id,
    last_value(source_file ORDER BY stage_timestamp, audit_id) AS source_file,
    last_value(source_line ORDER BY stage_timestamp, audit_id) AS source_line
FROM decided
WHERE $mode IS NULL OR mode = $mode
GROUP BY cluster, namespace, mode, controller, resource, actor, principal
ORDER BY namespace, mode, level, resource, actor, principal, audit_id
