-- title = "Insecure pods that were admitted"
-- question = "Which pods and workloads were admitted although they break a pod security control?"
-- description = """
-- Admitted pods and pod templates with the controls they break, as the baseline and restricted Pod
-- Security Standards have them. breaks lists: privileged, host namespaces, hostPath, hostPort,
-- capabilities, root (runAsUser 0), may be root (runAsNonRoot not set), escalation (not forbidden),
-- no seccomp. One row per object written. baseline says that one of the first five is among them
-- (low); else the row is info, and shown only with restricted."""
-- severity = "low"
-- level = "Request"
-- controls = ["CIS 5.2.1", "CIS 5.2.2", "CIS 5.2.3", "CIS 5.2.4", "CIS 5.2.5", "CIS 5.2.6", "CIS 5.2.7", "CIS 5.2.8", "CIS 5.2.9", "CIS 5.2.12", "CIS 5.2.13", "CIS 5.7.2", "CIS 5.7.3", "SOC 2 CC6.8", "NIST CM-6", "NIST CM-7", "ISO 27001 A.8.9", "NSA/CISA hardening guide"]
-- attack = ["T1610", "T1611"]
-- false_positives = "Network and storage plugins and node agents: name their installers in expected with activity privileged-pods."
-- limits = "Pods that were created before the log begins do not show; neither do static pods, nor anything at level Metadata. A patch shows only the part that it names."
-- message = "{actor}: {resource} {namespace}/{name} breaks {breaks}"
-- columns.key = ["actor", "resource", "namespace", "name", "breaks"]
-- columns.detail = ["images", "stage_timestamp", "user_agent"]
-- tables = ["system_principals", "expected"]
-- tuning = "Rows of expected with activity privileged-pods."
-- triage = ["privileged-pods-created namespace={namespace}", "pod-security-violations", "object-history resource={resource} namespace={namespace} name={name}"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates", "deployments.apps", "daemonsets.apps",
--     "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.restricted]
-- type = "boolean"
-- default = false
-- doc = "Include what only the restricted standard forbids: root, escalation, seccomp."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only this namespace."
WITH admitted AS (
    SELECT
        stage_timestamp, actor, principal, resource, namespace, object_name, image, pod_spec,
        privileged, allow_privilege_escalation, run_as_user, run_as_non_root, capabilities_added, capabilities_dropped, host_ports, seccomp_profile,
        response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        verb <> 'patch' OR spec_source = 'response' AS whole
    FROM containers
    WHERE response_code BETWEEN 200 AND 299
      AND (dry_run LIKE '%All%') IS NOT TRUE
      AND subresource IN ('', 'ephemeralcontainers')
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'privileged-pods', namespace)
      AND ($namespace IS NULL OR namespace = $namespace)
),
judged AS (
    SELECT
        stage_timestamp, actor, principal, resource, namespace, object_name, response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        array_agg(DISTINCT image ORDER BY image) FILTER (WHERE image IS NOT NULL) AS images,
        bool_or(privileged) AS privileged,
        bool_or(body_text(pod_spec, 'hostPID') = 'true' OR body_text(pod_spec, 'hostIPC') = 'true' OR body_text(pod_spec, 'hostNetwork') = 'true') AS host_namespaces,
        bool_or(regexp_like(body_text(pod_spec, 'volumes'), '"hostPath"\s*:')) AS host_path,
        bool_or(cardinality(host_ports) > 0) AS host_port,
        bool_or(cardinality(array_except(capabilities_added, make_array('AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'))) > 0) AS capabilities,
        bool_or(run_as_user = 0) AS root,
        bool_or(whole AND run_as_non_root IS NOT TRUE AND run_as_user IS NULL) AS may_be_root,
        bool_or(whole AND allow_privilege_escalation IS NULL OR allow_privilege_escalation) AS escalation,
        bool_or(whole AND seccomp_profile IS NULL OR seccomp_profile = 'Unconfined') AS no_seccomp
    FROM admitted
    GROUP BY stage_timestamp, actor, principal, resource, namespace, object_name, response_code, client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
),
named AS (
    SELECT
        judged.*,
        (privileged OR host_namespaces OR host_path OR host_port OR capabilities) IS TRUE AS baseline,
        concat_ws(
            ', ',
            CASE WHEN privileged THEN 'privileged' END,
            CASE WHEN host_namespaces THEN 'host namespaces' END,
            CASE WHEN host_path THEN 'hostPath' END,
            CASE WHEN host_port THEN 'hostPort' END,
            CASE WHEN capabilities THEN 'capabilities' END,
            CASE WHEN $restricted AND root THEN 'root' END,
            CASE WHEN $restricted AND may_be_root THEN 'may be root' END,
            CASE WHEN $restricted AND escalation THEN 'escalation' END,
            CASE WHEN $restricted AND no_seccomp THEN 'no seccomp' END
        ) AS breaks
    FROM judged
)
SELECT
    stage_timestamp,
    CASE WHEN baseline THEN 'low' ELSE 'info' END AS severity,
    actor,
    principal,
    resource,
    namespace,
    object_name AS name,
    breaks,
    images,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM named
WHERE breaks <> ''
ORDER BY stage_timestamp, source_file, source_offset, audit_id
