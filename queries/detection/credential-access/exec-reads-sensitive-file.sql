-- title = "Sensitive file read with exec"
-- question = "Who read key files, password files or credentials in a pod through exec?"
-- description = """
-- Commands of exec that name files with credentials: password hashes, SSH keys, kubeconfigs and keys
-- of the kubelet and the control plane, the data of etcd, credentials of clouds, registries, Git and
-- databases, shell histories and the environment of other processes (high). Low for /etc/passwd and
-- for printing the environment (env, printenv), which people do to debug. what says which. Attempts
-- that were refused have a lower severity."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.2", "SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1552.001", "T1609"]
-- false_positives = "Debugging; maintenance of nodes through a pod; backup jobs that run commands in pods."
-- limits = "Input typed into a shell is not logged, and a command that is encoded, or in a script, is not seen through. On GKE the command is in a label of the log entry."
-- message = "{principal}[ as {acted_as}] read a sensitive file in {namespace}/{name}: {command} ({outcome})"
-- columns.key = ["principal", "actor", "namespace", "name", "command", "outcome"]
-- columns.detail = ["what", "container", "client_ip", "peer_ip", "user_agent"]
-- tables = ["expected"]
-- triage = ["pod-exec-sessions namespace={namespace}", "principal-timeline principal={principal}"]
-- tuning = "Add controllers that run such commands to expected, activity exec."
-- covers = ["Elastic: credential_access_kubernetes_pod_exec_sensitive_file_access"]
-- differs = "Elastic gives the environment the same severity as keys; developers print it daily, so it is low here."
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
SELECT
    started_at AS stage_timestamp,
    CASE WHEN what IN ('environment', 'user list') THEN graded('low', outcome) ELSE graded('high', outcome) END AS severity,
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
            WHEN regexp_like(command, '/etc/(?:shadow|gshadow|master\.passwd|sudoers)') THEN 'password hashes'
            WHEN regexp_like(command, '\.ssh/|\bid_(?:rsa|dsa|ecdsa|ed25519)\b|/etc/ssh/ssh_host_|\bauthorized_keys\b') THEN 'SSH keys'
            WHEN regexp_like(command, '/etc/kubernetes/|/var/lib/kubelet/(?:pki|config|kubeconfig|pods|bootstrap)|/etc/rancher/|/var/lib/rancher/|\.kube/config|/etc/srv/kubernetes|/home/kubernetes/|\bkubeconfig\b') THEN 'cluster credentials'
            WHEN regexp_like(command, '/var/lib/etcd') THEN 'etcd data'
            WHEN regexp_like(command, '\.aws/(?:credentials|config|sso)|\.azure/|gcloud/(?:credentials|access_tokens|application_default|legacy)|application_default_credentials|\.oci/config|/etc/kubernetes/azure\.json') THEN 'cloud credentials'
            WHEN regexp_like(command, '\.docker/config\.json|\.dockercfg|\.git-credentials|\.netrc|\.npmrc|\.pypirc|\.pgpass|\.my\.cnf|\.vault-token|\.config/gh/') THEN 'stored credentials'
            WHEN regexp_like(command, '\.(?:bash|zsh|ash|python|mysql|psql)_history') THEN 'shell history'
            WHEN regexp_like(command, '/proc/(?:\d+|\*|self|\$[\w{}]+)/environ') THEN 'environment of a process'
            WHEN regexp_like(command, '\.(?:pem|key|p12|pfx|jks|keytab)(?:[\s;|&"'')]|$)') AND regexp_like(command, '\b(?:cat|less|more|head|tail|base64|xxd|od|strings|cp|tar|scp|curl|dd|grep)\b') THEN 'key file'
            WHEN regexp_like(command, '/etc/passwd') THEN 'user list'
            WHEN regexp_like(command, '(?:^|[;&|]\s*|-c\s+["'']?)(?:/usr/bin/|/bin/)?(?:env|printenv)(?:\s*(?:$|[;|&"'']))|^(?:/usr/bin/)?printenv\b') THEN 'environment'
        END AS what
    FROM exec_sessions
    WHERE kind = 'exec'
      AND command IS NOT NULL
      AND NOT listed('expected', principal, 'exec', namespace)
) AS commands
WHERE what IS NOT NULL
ORDER BY started_at, source_file, source_offset, audit_id
