-- title = "Package manager, scanner or host tool by exec"
-- question = "Who installed or used tools in a pod that belong to an attacker's kit?"
-- description = """
-- exec sessions whose command installs packages (apt, apk, yum, pip…), scans (nmap, masscan…), talks to
-- the cluster or the container runtime (kubectl, crictl, ctr, docker), or reaches for the host (nsenter,
-- chroot, mount, unshare, insmod, capsh). kind_of_tool says which. low for tools that debugging needs,
-- too (tcpdump, strace)."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["SOC 2 CC6.8", "NIST CM-7"]
-- attack = ["T1609", "T1613", "T1611"]
-- false_positives = "Debugging: people install a missing client into a pod."
-- tuning = "Leave tools out with ignored_tools, and tools' own principals in the list expected, with the activity exec."
-- limits = "Only the command of the request is seen, not what is typed into a shell."
-- message = "{actor} ran {tool} ({kind_of_tool}) in pod {namespace}/{pod}: {command} ({outcome})"
-- triage = ["pod-exec-sessions namespace={namespace} actor={actor}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={pod}"]
-- covers = ["Sigma: Potential Kubernetes Enumeration Activity"]
-- differs = "Sigma looks for a few words anywhere in the URI. Here a tool counts where a command can stand, not as an argument or part of a word."
-- tables = ["system_principals", "expected"]
-- columns.key = ["principal", "actor", "namespace", "pod", "command", "outcome"]
-- columns.detail = ["tool", "container", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["get", "create"]
-- resources = ["pods/exec"]
-- stage = "any"
-- [parameters.ignored_tools]
-- type = "strings"
-- doc = "Leave out these tools, such as tcpdump."
SELECT
    stage_timestamp,
    graded(CASE WHEN kind_of_tool = 'debugger' THEN 'low' ELSE 'medium' END, outcome) AS severity,
    outcome,
    tool,
    kind_of_tool,
    actor,
    principal,
    actor_kind,
    verb,
    namespace,
    pod,
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
        stage_timestamp,
        outcome,
        tool,
        CASE
            WHEN regexp_like(tool, '^(?:apt|apt-get|aptitude|dpkg|apk|yum|dnf|microdnf|zypper|pacman|rpm|pip[0-9.]*|npm|gem|go|cargo)$') THEN 'package manager'
            WHEN regexp_like(tool, '^(?:kubectl|helm|oc|crictl|ctr|nerdctl|docker|podman|runc|etcdctl|kubeletctl|k9s|calicoctl)$') THEN 'cluster tool'
            WHEN regexp_like(tool, '^(?:nsenter|chroot|unshare|mount|umount|insmod|modprobe|capsh|debugfs|mknod|pivot_root|keyctl)$') THEN 'host tool'
            WHEN regexp_like(tool, '^(?:tcpdump|tshark|strace|ltrace|gdb)$') THEN 'debugger'
            ELSE 'scanner or exploit'
        END AS kind_of_tool,
        actor,
        principal,
        actor_kind,
        verb,
        namespace,
        pod,
        container,
        command,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM (
        SELECT
            stage_timestamp,
            outcome(response_code, dry_run) AS outcome,
            -- Where a command can stand: at the start, after a shell's -c, an operator, or a program that runs another.
            regexp_replace(
                regexp_match(
                    command,
                    '(?:^|[;&|(`\n]\s*|\s-[a-z]*c\s+[''"]?|\b(?:sudo|env|exec|nohup|xargs|time|then|do|else|busybox)\s+(?:(?:-\S+|\w+=\S*)\s+)*)(?:\S*/)?'
                    || '((?:apt|apt-get|aptitude|apk|yum|dnf|microdnf|zypper|pacman|pip[0-9.]*|npm|gem|go|cargo)\b(?:\s+-\S+)*\s+(?:install|update|upgrade|add|download|get|i|-S\w*)\b'
                    || '|dpkg\s+-i\b|rpm\s+-[iU]'
                    || '|kubectl|helm|oc|crictl|ctr|nerdctl|docker|podman|runc|etcdctl|kubeletctl|k9s|calicoctl'
                    || '|nsenter|chroot|unshare|mount\s+\S+|umount|insmod|modprobe|capsh|debugfs|mknod|pivot_root|keyctl'
                    || '|tcpdump|tshark|strace|ltrace|gdb'
                    || '|nmap|masscan|zmap|rustscan|naabu|fscan|nikto|sqlmap|hydra|medusa|john|hashcat|gobuster|ffuf|nuclei|msfconsole|meterpreter|chisel|ngrok|frpc|ligolo\S*|proxychains[0-9]*|ettercap|responder'
                    || '|linpeas\S*|linenum\S*|pspy\S*|deepce\S*|amicontained|cdk\S*|peirates|botb|kube-hunter|kube-bench|kubescape|mimipenguin|truffleh\S+|xmrig|minerd'
                    || ')(?:[\s;&|)''"]|$)'
            )[1],
                '\s.*$',
                ''
            ) AS tool,
            actor,
            principal,
            actor_kind,
            verb,
            namespace,
            name AS pod,
            container,
            command,
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
          AND (NOT listed('system_principals', principal) OR listed('system_principals', principal, 'kubernetes'))
          AND NOT listed('expected', principal, 'exec', namespace)
    ) AS found
) AS named
WHERE tool IS NOT NULL
  AND ($ignored_tools IS NULL OR (tool = ANY($ignored_tools)) IS NOT TRUE)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
