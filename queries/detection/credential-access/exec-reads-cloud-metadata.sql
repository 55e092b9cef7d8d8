-- title = "Cloud metadata read with exec"
-- question = "Who asked the metadata service of the cloud from inside a pod?"
-- description = """
-- Commands of exec that name the metadata service of a cloud provider, whose answer can hold the
-- credentials of the node or of the pod's identity: 169.254.169.254 also as a decimal, octal,
-- hexadecimal or IPv6 address, the container credentials of AWS (169.254.170.2 and .23), Alibaba's and
-- Oracle's addresses, metadata.google.internal, and the paths of the APIs. Attempts that were refused
-- have a lower severity."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1552.005", "T1609"]
-- false_positives = "Debugging of workload identity inside a pod."
-- limits = "Input typed into a shell is not logged, and a command that is encoded, or in a script, is not seen through. On GKE the command is in a label of the log entry."
-- message = "{principal}[ as {acted_as}] asked the cloud metadata service in {namespace}/{name}: {command} ({outcome})"
-- columns.key = ["principal", "actor", "namespace", "name", "command", "outcome"]
-- columns.detail = ["what", "container", "client_ip", "peer_ip", "user_agent"]
-- tables = ["expected"]
-- triage = ["pod-exec-sessions namespace={namespace}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}"]
-- tuning = "Add controllers that run such commands to expected, activity exec."
-- covers = ["Elastic: credential_access_kubernetes_pod_exec_cloud_instance_metadata", "Microsoft: Instance Metadata API"]
-- differs = "Elastic matches the encoded URI; here the command is decoded first, and other spellings of the address count."
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
SELECT
    started_at AS stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    what,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    verb,
    namespace,
    name,
    container,
    command,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        exec_sessions.*,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN regexp_like(
                command,
                '(?i)169\.254\.169\.254|\b2852039166\b|\b0x?a9fea9fe\b|\b0xa9\.0xfe\.0xa9\.0xfe\b|\b0?0?251\.0?376\.0?251\.0?376\b|\b169\.254\.43518\b|\b169\.16689662\b|fd00:ec2::254|::ffff:a9fe:a9fe|metadata\.google\.internal|instance-data\.ec2\.internal'
            ) THEN 'metadata service'
            WHEN regexp_like(command, '169\.254\.170\.(?:2|23)\b|fd00:ec2::23\b|AWS_CONTAINER_CREDENTIALS_(?:RELATIVE|FULL)_URI') THEN 'container credentials'
            WHEN regexp_like(command, '\b100\.100\.100\.200\b|\b192\.0\.0\.192\b') THEN 'metadata service'
            WHEN regexp_like(command, '(?i)/latest/(?:meta-data|user-data|api/token|dynamic/)|/computeMetadata/|/metadata/(?:identity|instance)\b|Metadata-Flavor: *Google|X-aws-ec2-metadata-token') THEN 'metadata path'
        END AS what
    FROM exec_sessions
    WHERE kind = 'exec'
      AND command IS NOT NULL
      AND NOT listed('expected', principal, 'exec', namespace)
) AS commands
WHERE what IS NOT NULL
ORDER BY started_at, source_file, source_offset, audit_id
