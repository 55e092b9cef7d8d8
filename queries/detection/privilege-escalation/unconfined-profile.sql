-- title = "Confinement switched off"
-- question = "Who ran, or tried to run, containers without seccomp, AppArmor or SELinux?"
-- description = """
-- Pods and templates of workloads that switch confinement off, for the pod or a container: a seccomp
-- or AppArmor profile Unconfined, the SELinux type spc_t, or procMount Unmasked; the AppArmor
-- annotation of older versions too. Not setting a profile is not found. Refused attempts, failures and
-- dry runs are included (outcome)."""
-- severity = "medium"
-- level = "Request"
-- controls = ["CIS 5.7.2", "SOC 2 CC6.8", "NIST CM-7", "NSA/CISA hardening guide"]
-- attack = ["T1611", "T1562.001"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Debuggers, profilers, and software that builds or runs containers in containers."
-- limits = "At level Metadata the log does not show the pod spec, so no rows does not mean no such pods. The same applies to truncated events, JSON patches at level Request, and requests refused before their body was read. Static pods, and pods created before the log begins, are not included. A patch that the apiserver failed to log leaves only what controllers make of it, which is left out."
-- tuning = "Add controllers, add-ons and people who run such pods to the list expected, with activity privileged-pods and their namespace."
-- triage = [
--     "pod-fate namespace={namespace} name={name}", "pod-exec-sessions namespace={namespace}",
--     "principal-timeline principal={principal}",
-- ]
-- message = "{actor} ran {resource} [{namespace}/][{name}|without a name] with {found} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "resource", "namespace", "name", "found"]
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
    graded('medium', outcome(response_code, dry_run)) AS severity,
    outcome(response_code, dry_run) AS outcome,
    actor,
    principal,
    verb,
    resource,
    namespace,
    object_name AS name,
    array_to_string(array_sort(array_agg(found)), '; ') AS found,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, actor, principal, verb, resource, namespace, object_name, response_code, dry_run, client_ip,
        peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        coalesce(body_text(container, 'name') || ': ', '') || concat_ws(
            ', ',
            CASE WHEN body_text(container, 'securityContext.seccompProfile.type') = 'Unconfined' THEN 'seccomp Unconfined' END,
            CASE WHEN body_text(container, 'securityContext.appArmorProfile.type') = 'Unconfined' THEN 'AppArmor Unconfined' END,
            CASE WHEN body_text(container, 'securityContext.seLinuxOptions.type') = 'spc_t' THEN 'SELinux spc_t' END,
            CASE WHEN body_text(container, 'securityContext.procMount') = 'Unmasked' THEN 'procMount Unmasked' END
        ) AS found
    FROM (
        SELECT
            stage_timestamp, actor, principal, verb, resource, namespace, object_name, response_code, dry_run, client_ip,
            peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
            unnest(array_concat(
                coalesce(json_elements(body_text(pod_spec, 'containers')), make_array()),
                coalesce(json_elements(body_text(pod_spec, 'initContainers')), make_array()),
                coalesce(json_elements(body_text(pod_spec, 'ephemeralContainers')), make_array())
            )) AS container
        FROM pod_specs
        WHERE pod_spec IS NOT NULL
        -- A patch of something else, such as labels or replicas, leaves the pod as it was.
        AND (
            verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
            OR pod_spec(resource, request_object) IS NOT NULL
        )
        AND NOT listed('system_principals', principal)
        AND NOT listed('expected', principal, 'privileged-pods', namespace)
    ) AS contained
    UNION ALL
    SELECT
        stage_timestamp, actor, principal, verb, resource, namespace, object_name, response_code, dry_run, client_ip,
        peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        'pod: ' || concat_ws(
            ', ',
            CASE WHEN body_text(pod_spec, 'securityContext.seccompProfile.type') = 'Unconfined' THEN 'seccomp Unconfined' END,
            CASE WHEN body_text(pod_spec, 'securityContext.appArmorProfile.type') = 'Unconfined' THEN 'AppArmor Unconfined' END,
            CASE WHEN body_text(pod_spec, 'securityContext.seLinuxOptions.type') = 'spc_t' THEN 'SELinux spc_t' END,
            CASE WHEN regexp_like(
                coalesce(
                    body_text(request_object, 'spec.jobTemplate.spec.template.metadata.annotations'),
                    body_text(request_object, 'spec.template.metadata.annotations'), body_text(request_object, 'metadata.annotations')
                ),
                '"container\.apparmor\.security\.beta\.kubernetes\.io/[^"]*"\s*:\s*"unconfined"'
            ) THEN 'AppArmor annotation unconfined' END
        ) AS found
    FROM pod_specs
    WHERE subresource = ''
    -- A patch of something else, such as labels or replicas, leaves the pod as it was.
    AND (
        verb <> 'patch' OR spec_source = 'request' OR request_object IS NULL OR request_object LIKE '[%'
        OR pod_spec(resource, request_object) IS NOT NULL
    )
    AND NOT listed('system_principals', principal)
    AND NOT listed('expected', principal, 'privileged-pods', namespace)
) AS profiles
WHERE found NOT LIKE '%: '
GROUP BY
    stage_timestamp, actor, principal, verb, resource, namespace, object_name, response_code, dry_run, client_ip, peer_ip,
    user_agent, audit_id, source_file, source_line, source_offset
ORDER BY stage_timestamp, source_file, source_offset, audit_id
