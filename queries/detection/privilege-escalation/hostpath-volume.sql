-- title = "Directory of the node mounted"
-- question = "Which pods mount directories of their node?"
-- description = """
-- hostPath volumes of pods and of the templates of workloads, one row per volume; refused attempts,
-- failures and dry runs included (outcome). An inventory; those that give control over the node are in
-- sensitive-hostpath."""
-- severity = "low"
-- level = "Request"
-- controls = ["CIS 5.2.12", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Sigma: Container With A hostPath Mount Created", "Panther: Kubernetes Pod With Host Path", "TM9013",
-- ]
-- differs = "Sigma tests a key hostPath at the top of the event, where it never is."
-- false_positives = "Agents of the nodes."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} mounted {path} of the node in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "path"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    graded('low', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    body_text(volume, 'hostPath.path') AS path,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, verb, resource, namespace, object_name, pod_spec, response_code, dry_run, client_ip,
        peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        unnest(json_elements(body_text(pod_spec, 'volumes'))) AS volume
    FROM pod_specs
    WHERE subresource = ''
    -- A patch of something else, such as labels or replicas, leaves the pod as it was.
    AND (
        verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
        OR pod_spec(resource, request_object) IS NOT NULL
    )
    AND NOT listed('system_principals', principal)
    AND NOT listed('expected', principal, 'privileged-pods', namespace)
) AS mounted
WHERE body_text(volume, 'hostPath.path') IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, path, audit_id
