-- title = "Reverse shell in a pod spec"
-- question = "Which workload's command gives its shell away?"
-- description = """
-- Containers whose command or arguments open a shell to another machine: /dev/tcp, nc -e, mkfifo with
-- nc, socat, sockets and ptys of scripting languages, or a script that is decoded and piped into a
-- shell. One row per container, namespace and outcome; the pods that controllers made from it are in
-- its evidence. actor is who created or changed it first, people before controllers."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1059", "T1610"]
-- false_positives = "Probes that test localhost through /dev/tcp are left out; others look alike."
-- tuning = "Leave workloads out with ignored_namespaces."
-- limits = "Needs the pod spec, so level Request. A script in the image, a config map or an environment variable is not seen."
-- message = "{actor} started a reverse shell in {namespace}/{container_name} ({image}): {command_line} ({outcome})"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}"]
-- covers = ["Google: Execution: Kubernetes Pod Created with Potential Reverse Shell Arguments"]
-- differs = "Every kind of workload and container, refused attempts told apart."
-- tables = ["system_principals"]
-- columns.key = ["namespace", "container_name", "image", "command_line", "outcome"]
-- columns.detail = ["objects", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.ignored_namespaces]
-- type = "strings"
-- doc = "Leave out workloads in these namespaces."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    first_value(actor ORDER BY by_system, stage_timestamp, source_offset) AS actor,
    first_value(principal ORDER BY by_system, stage_timestamp, source_offset) AS principal,
    first_value(resource ORDER BY by_system, stage_timestamp, source_offset) AS resource,
    first_value(object_name ORDER BY by_system, stage_timestamp, source_offset) AS name,
    namespace,
    container_name,
    image,
    command_line,
    count(*) AS objects,
    first_value(response_code ORDER BY by_system, stage_timestamp, source_offset) AS response_code,
    first_value(client_ip ORDER BY by_system, stage_timestamp, source_offset) AS client_ip,
    first_value(peer_ip ORDER BY by_system, stage_timestamp, source_offset) AS peer_ip,
    first_value(user_agent ORDER BY by_system, stage_timestamp, source_offset) AS user_agent,
    first_value(audit_id ORDER BY by_system, stage_timestamp, source_offset) AS audit_id,
    first_value(source_file ORDER BY by_system, stage_timestamp, source_offset) AS source_file,
    first_value(source_line ORDER BY by_system, stage_timestamp, source_offset) AS source_line
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        listed('system_principals', principal) AS by_system,
        actor,
        principal,
        resource,
        object_name,
        namespace,
        container_name,
        image,
        concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS command_line,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM containers
    WHERE (verb <> 'patch' OR created OR pod_spec(resource, request_object) IS NOT NULL)
      AND ($ignored_namespaces IS NULL OR (namespace = ANY($ignored_namespaces)) IS NOT TRUE)
) AS started
WHERE regexp_like(
        regexp_replace(command_line, '/dev/(?:tcp|udp)/(?:localhost|127\.[0-9.]+|0\.0\.0\.0|::1)/', '', 'g'), '/dev/(?:tcp|udp)/\S'
    )
   OR regexp_like(
        command_line,
        '(?s)\b(?:mkfifo|mknod)\b.*\b(?:nc|ncat|netcat|telnet|openssl|socat)\b'
        || '|\b(?:nc|ncat|netcat)(?:\.\w+)?\s(?:[^;|&]*\s)?(?:-[a-z]*[ec]|--exec|--sh-exec)\s+\S*(?:sh|cmd|python)'
        || '|\bsocat\b.*(?:\b(?:exec|EXEC|system|SYSTEM):|,pty\b)'
        || '|\bpython[0-9.]*\b.*(?:pty\.spawn|socket.*(?:dup2|subprocess|Popen|pty|os\.system|/bin/\w*sh)|(?:subprocess|pty|os).*socket\.socket.*connect)|\bperl\b.*(?:IO::Socket|use\s+Socket)|\bruby\b.*(?:TCPSocket|-rsocket)|\bphp[0-9.]*\b.*fsockopen'
        || '|Net\.Sockets\.TCPClient|/inet/tcp/|\b(?:openssl\s+s_client|telnet)\b.*\|\s*(?:/\S*/)?(?:ba|da|a|z)?sh\b'
        || '|\b(?:ba|z|k)?sh\s+-i\b.*(?:>&|<&|0>)|\b(?:base64|base32|xxd)\s+(?:-d|-D|--decode|-r).*\|\s*(?:/\S*/)?(?:ba|da|a|z|k)?sh\b'
    )
GROUP BY outcome, namespace, container_name, image, command_line
ORDER BY first_seen, namespace, container_name, image, command_line, outcome
