-- title = "Credentials in a config map"
-- question = "Who wrote credentials into a config map?"
-- description = """
-- Writes of config maps whose data look like credentials: private keys, keys of AWS, Google, GitHub,
-- GitLab, Slack and Stripe, JSON web tokens (medium), or assignments to names such as password, secret
-- or token (low). found says what; the value is never shown. Config maps are not encrypted, and many
-- more people may read them than secrets. The control plane is left out, and the accounts in the list
-- expected."""
-- severity = "medium"
-- level = "Request"
-- controls = ["CIS 5.4.1", "PCI-DSS 8.6.2", "SOC 2 CC6.1", "NIST IA-5(7)"]
-- attack = ["T1552.001"]
-- false_positives = "Templates, examples and placeholders; names of settings such as password_policy."
-- limits = "At level Metadata the log does not show the data. At level Request a patch shows only what it names. Only the first 100,000 characters are searched. Values in other encodings are not seen."
-- message = "{principal}[ as {acted_as}] wrote {found} to the config map {namespace}/[{name}|without a name] ({outcome})"
-- columns.key = ["principal", "actor", "namespace", "name", "found", "outcome"]
-- columns.detail = ["operation", "client_ip", "peer_ip", "user_agent"]
-- tables = ["system_principals", "expected"]
-- triage = ["object-history resource=configmaps namespace={namespace} name={name}", "namespace-access namespace={namespace}"]
-- tuning = "Add writers of known templates to expected, activity configmaps."
-- covers = ["Falco: Create/Modify Configmap With Private Credentials"]
-- differs = "Falco looks for words such as password anywhere in the config map; here a word alone is low, and values that have the form of a credential count."
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["configmaps"]
-- level = "Request"
-- columns = ["request_object"]
SELECT
    stage_timestamp,
    CASE WHEN found LIKE 'an assignment%' THEN graded('low', outcome) ELSE graded('medium', outcome) END AS severity,
    outcome,
    found,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    actor_kind,
    operation,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        written.*,
        CASE
            WHEN regexp_like(content, '-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----') THEN 'a private key'
            WHEN regexp_like(content, '\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|(?i)aws_?(?:s3_)?secret_?access_?key\W{1,8}[A-Za-z0-9/+]{30,}') THEN 'an AWS key'
            WHEN regexp_like(content, '\bAIza[A-Za-z0-9_-]{35}|"private_key_id\W') THEN 'a Google key'
            WHEN regexp_like(content, '\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{18,}') THEN 'a Git token'
            WHEN regexp_like(content, '\bxox[abpors]-[A-Za-z0-9-]{10,}|\bsk_live_[A-Za-z0-9]{16,}') THEN 'a service token'
            WHEN regexp_like(content, '\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}') THEN 'a JSON web token'
            WHEN regexp_like(content, '[a-z][a-z0-9+]+://[^\s/:@"\\]+:[^\s/@"\\$<{%]{3,}@') THEN 'a URL with a password'
            WHEN regexp_like(content, '(?i)(?:passwd|password|passphrase|api_?key|access_?key|secret_?key|client_?secret|auth_?token)\\?"?\s*[:=]\s*\\?["'']?[^\s"''\\$<{%,}]{6,}') THEN 'an assignment to a name like password'
        END AS found
    FROM (
        SELECT
            write_requests.*,
            left(coalesce(body_text(object, 'data'), CASE WHEN ltrim(object) LIKE '[%' THEN object END), 100000) AS content
        FROM write_requests
        WHERE api_group = ''
          AND resource = 'configmaps'
          AND subresource = ''
          AND verb IN ('create', 'update', 'patch')
          AND object IS NOT NULL
          AND NOT listed('system_principals', principal)
          AND NOT listed('expected', principal, 'configmaps', namespace)
    ) AS written
) AS judged
WHERE found IS NOT NULL
ORDER BY stage_timestamp, source_file, source_offset, audit_id
