-- title = "Reverse shell by exec"
-- question = "Who ran a command in a pod that gives its shell away?"
-- description = """
-- exec sessions whose command opens a shell to another machine: /dev/tcp, nc -e, mkfifo with nc, socat,
-- a pty or socket in Python, Perl, Ruby, PHP, Lua, Node.js or PowerShell, openssl s_client, or a script
-- that is decoded and piped into a shell. technique says which."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["SOC 2 CC7.2", "NIST SI-4"]
-- attack = ["T1059", "T1059.004"]
-- false_positives = "Scripts that test a port through /dev/tcp; those that test localhost are left out."
-- tuning = "Leave tools whose commands look alike out with ignored_actors. The list expected does not apply: whoever execs as a job has no need of this."
-- limits = "Only the command of the request is seen: what was typed into an interactive shell, or is inside a script, is not in the log."
-- message = "{actor} ran a reverse shell ({technique}) in pod {namespace}/{pod}: {command} ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Elastic: Kubernetes Pod Exec Potential Reverse Shell"]
-- differs = "The decoded command is searched, on GKE its label, sessions by get and create, and tests of localhost are left out."
-- columns.key = ["principal", "actor", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["technique", "container", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
-- [parameters.ignored_actors]
-- type = "strings"
-- doc = "Leave out sessions of these actors or principals."
SELECT
    stage_timestamp,
    graded('high', outcome) AS severity,
    outcome,
    technique,
    actor,
    principal,
    actor_kind,
    verb,
    namespace,
    pod,
    container,
    command,
    tty,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        CASE
            WHEN regexp_like(
                regexp_replace(command, '/dev/(?:tcp|udp)/(?:localhost|127\.[0-9.]+|0\.0\.0\.0|::1)/', '', 'g'), '/dev/(?:tcp|udp)/\S'
            ) THEN '/dev/tcp'
            WHEN regexp_like(command, '(?s)\b(?:mkfifo|mknod)\b.*\b(?:nc|ncat|netcat|telnet|openssl|socat|sh|bash)\b') THEN 'mkfifo'
            WHEN regexp_like(command, '(?s)\b(?:nc|ncat|netcat)(?:\.\w+)?\s(?:.*\s)?(?:-[a-z]*[ec]|--exec|--sh-exec)\b') THEN 'nc -e'
            WHEN regexp_like(command, '(?s)\bsocat\b.*(?:\b(?:exec|system):|,pty\b)', 'i') THEN 'socat'
            WHEN regexp_like(command, '(?s)\bpython[0-9.]*\b.*(?:pty\.spawn|socket.*(?:dup2|subprocess|Popen|pty|os\.system|/bin/\w*sh)|(?:subprocess|pty|os).*socket\.socket.*connect)') THEN 'python'
            WHEN regexp_like(command, '(?s)\bperl\b.*\b(?:IO::Socket|use\s+Socket)') THEN 'perl'
            WHEN regexp_like(command, '(?s)\bruby\b.*(?:TCPSocket|-rsocket)') THEN 'ruby'
            WHEN regexp_like(command, '(?s)\bphp[0-9.]*\b.*\b(?:fsockopen|pfsockopen|stream_socket_client)') THEN 'php'
            WHEN regexp_like(command, '(?s)\blua[0-9.]*\b.*socket\.|\bnode(?:js)?\b.*(?:child_process|require\(.net.\))') THEN 'lua or node'
            WHEN regexp_like(command, '(?s)Net\.Sockets\.TCPClient', 'i') THEN 'powershell'
            WHEN regexp_like(command, '(?s)\b(?:openssl\s+s_client|telnet)\b.*\|\s*(?:/\S*/)?(?:ba|da|a|z)?sh\b|/inet/tcp/|\bzsh/net/(?:tcp|udp)\b') THEN 'other client'
            WHEN regexp_like(command, '(?s)\b(?:ba|z|k)?sh\s+-i\b.*(?:>&|<&|0>)') THEN 'shell -i'
            WHEN regexp_like(command, '(?s)\b(?:base64|base32|xxd)\s+(?:-d|-D|--decode|-r).*\|\s*(?:/\S*/)?(?:ba|da|a|z|k)?sh\b|\|\s*bash\s+-i\b') THEN 'decoded script'
        END AS technique,
        actor,
        principal,
        actor_kind,
        verb,
        namespace,
        name AS pod,
        container,
        command,
        tty,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM exec_sessions
    WHERE kind = 'exec'
      AND ($ignored_actors IS NULL OR (actor = ANY($ignored_actors) OR principal = ANY($ignored_actors)) IS NOT TRUE)
) AS examined
WHERE technique IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
