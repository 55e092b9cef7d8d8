-- title = "Sessions without a second factor"
-- question = "Which people came in without a second factor, as far as the log can tell, and what did they reach?"
-- description = """
-- One row per person, way of authentication and answer. The list factors says what shows a second
-- factor: a claim in user.extra (amr, acr), a group, a form of user name. answer is \"one factor\"
-- (the identity carries a claim of that kind, and none of its values is a second factor: medium),
-- \"not in the log\" (it carries none: client certificates, static tokens, cloud IAM and exec
-- plugins, OpenID Connect whose claims are not mapped: info) or, with include_shown, \"second
-- factor\" (info). The other columns say what was reached."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.4.1", "PCI-DSS 8.4.2", "PCI-DSS 8.5.1", "SOC 2 CC6.1", "NIST IA-2(1)", "NIST IA-2(2)", "ISO 27001 A.8.5", "HIPAA 164.312(d)", "GDPR Art. 32"]
-- attack = ["T1078", "T1556.006"]
-- false_positives = "Machines whose user name does not look like one: name them in the list pipelines or expected. A provider that names its second factor otherwise: add a row to factors."
-- limits = "The apiserver sees a token or a certificate, never the login. \"not in the log\" is the answer for client certificates and for every provider whose amr or acr claim is not mapped into user.extra (claimMappings.extra of structured authentication): look in the provider's own log. A claim is what the provider says, at the time of the login; stolen tokens keep it."
-- message = "{person} by {method}: {answer}, requests {requests}, writes {writes}[, claims {claims}]"
-- columns.key = ["person", "method", "answer"]
-- columns.detail = ["claims", "requests", "writes", "secrets_read", "pod_sessions", "namespaces", "addresses"]
-- tables = ["factors", "system_principals", "pipelines"]
-- tuning = "Rows of factors for what your provider sends; rows of pipelines for machines that look like people."
-- triage = ["principal-timeline principal={person}", "auth-method-inventory", "shared-accounts"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- from = "people"
-- [parameters.include_shown]
-- type = "boolean"
-- default = false
-- doc = "Include people whose second factor is shown."
WITH people AS (
    SELECT
        principal AS person,
        CASE WHEN principal <> username THEN 'proxy that impersonates' ELSE CASE
            WHEN username IS NULL THEN 'failed authentication'
            WHEN username = 'system:anonymous' THEN 'anonymous'
            WHEN username LIKE 'system:bootstrap:%' THEN 'bootstrap token'
            WHEN credential_id LIKE 'X509%' THEN 'client certificate'
            WHEN annotations['authentication.k8s.io/legacy-token'] IS NOT NULL THEN 'legacy token'
            WHEN username LIKE 'system:serviceaccount:%' AND pod_name IS NOT NULL THEN 'token bound to a pod'
            WHEN username LIKE 'system:serviceaccount:%' AND credential_id LIKE 'JTI=%' THEN 'issued token'
            WHEN username LIKE 'system:serviceaccount:%' THEN 'service account token'
            WHEN array_has(map_keys(user_extra), 'arn') OR array_has(map_keys(user_extra), 'sessionName') THEN 'AWS IAM'
            WHEN array_has(map_keys(user_extra), 'oid') THEN 'Microsoft Entra ID'
            WHEN format = 'gke' THEN 'Google Cloud IAM'
            WHEN credential_id LIKE 'JTI=%' OR username LIKE 'https://%#%' THEN 'OpenID Connect'
            ELSE 'not shown'
        END END AS method,
        CASE WHEN principal <> username THEN impersonated_extra ELSE user_extra END AS extra,
        CASE WHEN principal <> username THEN impersonated_groups ELSE user_groups END AS groups,
        verb, api_group, resource, subresource, namespace, response_code, dry_run, client_ip, user_agent,
        request_received_timestamp, stage_timestamp, cluster, audit_id, source_file, source_offset
    FROM requests
    WHERE principal NOT LIKE 'system:%'
      AND NOT listed('system_principals', principal)
      AND NOT listed('pipelines', principal)
),
claimed AS (
    -- An empty claim keeps those who have none.
    SELECT people.*, 'extra' AS source, unnest(array_append(coalesce(map_keys(extra), make_array('')), '')) AS claim
    FROM people
),
valued AS (
    SELECT
        claimed.*,
        unnest(array_append(coalesce(map_extract(extra, claim)[1], make_array('')), '')) AS value
    FROM claimed
    UNION ALL
    SELECT people.*, 'group' AS source, '' AS claim, unnest(groups) AS value
    FROM people
    UNION ALL
    SELECT people.*, 'user' AS source, '' AS claim, person AS value
    FROM people
),
judged AS (
    SELECT
        person, method, verb, api_group, resource, subresource, namespace, response_code, dry_run, client_ip, user_agent,
        request_received_timestamp, stage_timestamp, audit_id,
        -- Claims of this kind are there, whatever their value.
        bool_or(source = 'extra' AND claim <> '' AND regexp_like(claim, '(?i)(?:amr|acr|mfa|authn?_?method\w*|authnctx)$')) AS carries,
        bool_or(value <> '' AND listed('factors', source, claim, value)) AS shown,
        max(CASE WHEN source = 'extra' AND value <> '' AND regexp_like(claim, '(?i)(?:amr|acr|mfa|authn?_?method\w*|authnctx)$') THEN claim || '=' || value END) AS claims
    FROM valued
    GROUP BY
        person, method, verb, api_group, resource, subresource, namespace, response_code, dry_run, client_ip, user_agent,
        request_received_timestamp, stage_timestamp, cluster, audit_id, source_file, source_offset
),
answered AS (
    SELECT
        judged.*,
        CASE WHEN shown THEN 'second factor' WHEN carries THEN 'one factor' ELSE 'not in the log' END AS answer
    FROM judged
)
SELECT
    CASE answer WHEN 'one factor' THEN 'medium' ELSE 'info' END AS severity,
    person,
    method,
    answer,
    array_agg(DISTINCT claims ORDER BY claims) FILTER (WHERE claims IS NOT NULL) AS claims,
    count(*) AS requests,
    count(*) FILTER (WHERE verb IN ('create', 'update', 'patch', 'delete', 'deletecollection') AND resource IS NOT NULL AND outcome(response_code, dry_run) = 'succeeded') AS writes,
    count(*) FILTER (WHERE resource = 'secrets' AND verb IN ('get', 'list', 'watch') AND response_code BETWEEN 200 AND 299) AS secrets_read,
    count(*) FILTER (WHERE resource = 'pods' AND subresource IN ('exec', 'attach', 'portforward') AND response_code BETWEEN 100 AND 299) AS pod_sessions,
    count(DISTINCT nullif(namespace, '')) AS namespaces,
    array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS addresses,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM answered
WHERE $include_shown OR answer <> 'second factor'
GROUP BY person, method, answer
ORDER BY CASE answer WHEN 'one factor' THEN 0 WHEN 'not in the log' THEN 1 ELSE 2 END, writes DESC, requests DESC, person, method
