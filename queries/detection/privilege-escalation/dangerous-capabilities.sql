-- title = "Dangerous capabilities"
-- question = "Who ran, or tried to run, containers with capabilities that break isolation?"
-- description = """
-- Containers of pods and of the templates of workloads that add dangerous capabilities, in either
-- spelling (SYS_ADMIN, CAP_SYS_ADMIN), init and ephemeral containers included; refused attempts,
-- failures and dry runs as well (outcome). High for those that give control over the node, medium for
-- NET_ADMIN, SYSLOG, PERFMON and unlisted ones that you add, low for NET_RAW and DAC_OVERRIDE, which
-- many runtimes give anyway. What controllers create from a template is left out."""
-- severity = "high"
-- level = "Request"
-- controls = ["CIS 5.2.8", "CIS 5.2.9", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611"]
-- tables = ["system_principals", "expected"]
-- covers = [
--     "Elastic: Kubernetes Container Created with Excessive Linux Capabilities",
--     "Panther: Kubernetes Pod With Dangerous Capabilities", "Google: GKE_DANGEROUS_CAPABILITIES",
-- ]
-- false_positives = "Network plugins, service meshes, debuggers."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace. The parameter capabilities holds what is looked for."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran container {container_name} with {capabilities} in {resource} [{namespace}/][{name}|without a name] ({outcome})"
-- columns.key = [
--     "actor", "principal", "outcome", "resource", "namespace", "name", "container_kind", "container_name",
--     "capabilities",
-- ]
-- columns.detail = ["image", "response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates",
--     "deployments.apps", "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch",
--     "cronjobs.batch",
-- ]
-- verbs = ["create", "update", "patch"]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.capabilities]
-- type = "strings"
-- default = [
--     "ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "BPF", "DAC_READ_SEARCH",
--     "PERFMON", "SYSLOG", "NET_ADMIN", "NET_RAW", "DAC_OVERRIDE",
-- ]
-- doc = "Capabilities to look for, without CAP_."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN bool_or(capability IN ('ALL', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_BOOT', 'BPF', 'DAC_READ_SEARCH'))
                THEN 'high'
            WHEN bool_and(capability IN ('NET_RAW', 'DAC_OVERRIDE')) THEN 'low'
            ELSE 'medium'
        END,
        outcome(response_code, dry_run)
    ) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    container_kind,
    container_name,
    image,
    array_to_string(array_sort(array_agg(DISTINCT capability)), ', ') AS capabilities,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, verb, resource, namespace, object_name, container_kind, container_name, image,
        response_code, dry_run, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        regexp_replace(upper(unnest(capabilities_added)), '^CAP_', '') AS capability
    FROM containers
    WHERE (subresource = '' OR container_kind = 'ephemeral')
    -- A patch of something else, such as labels or replicas, leaves the pod as it was.
    AND (
        verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
        OR pod_spec(resource, request_object) IS NOT NULL
    )
    AND NOT listed('system_principals', principal)
    AND NOT listed('expected', principal, 'privileged-pods', namespace)
) AS added
WHERE capability = ANY($capabilities)
GROUP BY
    stage_timestamp, actor, principal, verb, resource, namespace, object_name, container_kind, container_name, image,
    response_code, dry_run, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
ORDER BY stage_timestamp, source_file, source_offset, container_kind, container_name, audit_id
