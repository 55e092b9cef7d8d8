-- title = "Attack tool as a workload"
-- question = "Which workloads run tools made to attack clusters?"
-- description = """
-- Containers whose image, name, command or workload name is that of a tool made to attack or probe
-- clusters: kube-hunter, peirates, deepce, botb, kubeletctl, CDK, amicontained, Stratus Red Team, Metasploit
-- and others. Scanners that many clusters run on purpose (kube-bench, kubescape, trivy, popeye) are low.
-- One row per container, namespace and outcome; pods of controllers are in its evidence."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.8", "NIST RA-5", "NIST SI-3"]
-- attack = ["T1613", "T1610"]
-- false_positives = "Penetration tests, and scanners that run on a schedule."
-- tuning = "Give what is legitimate in ignored_images, as a regular expression; add your own words with pattern."
-- limits = "A tool under another name is not seen. At level Metadata only the name of the workload tells."
-- message = "{actor} started {tool} in {namespace}: {image} ({outcome})"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "denied-requests namespace={namespace}"]
-- covers = ["Google: Execution: Kubernetes Pod Created with Suspicious Names - Exploit", "Defender: K8S_PenTestToolsKubeHunter", "Splunk: Kubernetes Scanner Image Pulling"]
-- differs = "Splunk reads the events of image pulls, which few policies record; this reads the workload."
-- tables = ["system_principals"]
-- columns.key = ["namespace", "container_name", "image", "tool", "outcome"]
-- columns.detail = ["command_line", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.pattern]
-- type = "string"
-- doc = "Regular expression for more names."
-- [parameters.ignored_images]
-- type = "string"
-- doc = "Regular expression: leave out images that match."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded(
        CASE WHEN regexp_like(tool, '^(?:kube-bench|kubescape|trivy|popeye|kubeaudit|polaris|kubiscan|krane)$') THEN 'low' ELSE 'high' END,
        outcome
    ) AS severity,
    outcome,
    tool,
    first_value(actor ORDER BY by_system, stage_timestamp, source_offset) AS actor,
    first_value(principal ORDER BY by_system, stage_timestamp, source_offset) AS principal,
    first_value(resource ORDER BY by_system, stage_timestamp, source_offset) AS resource,
    first_value(object_name ORDER BY by_system, stage_timestamp, source_offset) AS name,
    namespace,
    container_name,
    image,
    first_value(command_line ORDER BY by_system, stage_timestamp, source_offset) AS command_line,
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
        coalesce(
            lower(regexp_match(
                concat_ws(' ', object_name, container_name, image, array_to_string(command, ' '), array_to_string(args, ' ')),
                '(?:^|[\s/_.:-])(kube-?hunter|kubehunter|peirates|deepce|botb|break-out-the-box|kubeletctl|amicontained|stratus-red-team|kubesploit|cdk-team|cdkteam'
                || '|metasploit\S*|msfconsole|meterpreter|sliver-client|cobaltstrike|mythic_\w+|pwncat|linpeas|chisel|kubedagger|mtkpi|red-kube|kubestriker|kdigger|nuclei|masscan|hydra-?attack|kali-?linux\S*|kali-rolling|parrotsec'
                || '|kube-bench|kubescape|trivy|popeye|kubeaudit|polaris|kubiscan|krane)(?:$|[\s/_.:@-])',
                'i'
            )[1]),
            CASE WHEN regexp_like(array_to_string(command, ' '), '(?:^|/)cdk\b') THEN 'cdk' END,
            CASE
                WHEN $pattern IS NOT NULL
                    THEN regexp_match(concat_ws(' ', object_name, container_name, image, array_to_string(command, ' ')), $pattern)[1]
            END
        ) AS tool,
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
) AS started
WHERE tool IS NOT NULL
  AND ($ignored_images IS NULL OR NOT regexp_like(coalesce(image, ''), $ignored_images))
GROUP BY outcome, tool, namespace, container_name, image
ORDER BY first_seen, namespace, container_name, image, tool, outcome
