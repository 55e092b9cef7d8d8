-- title = "Timeline of a principal"
-- question = "What did this person or account do, acting, acted as, and with tokens they minted?"
-- description = """
-- All requests of a user in order, with how they belong to that user. relation is self (the user sent
-- it, in their own name or as somebody else), acted as (somebody else sent it in the user's name),
-- minted token (it was sent with a token that the user minted, or with a certificate that they
-- approved), or token of a token (with one that was minted with such a token). Open sessions and
-- watches are included, with outcome succeeded if they were answered. Without a principal: all people."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.2.1.1", "PCI-DSS 10.2.1.2", "SOC 2 CC7.3", "HIPAA 164.312(b)", "NIST AU-6", "NIST IR-4", "ISO 27001 A.5.28"]
-- attack = ["T1078", "T1550.001"]
-- false_positives = "None: this is a timeline."
-- limits = "Tokens are followed by the ids of credentials: Kubernetes 1.30 and later, not GKE; certificates at level RequestResponse only. What somebody did with a stolen token that they did not mint, or in a pod after an exec, does not show as theirs."
-- message = "{principal}[ as {acted_as}] ({relation}): {verb}[ {resource}| {path}][/{subresource}][ {namespace}/{name}| {name}| in {namespace}] ({outcome})"
-- columns.key = ["relation", "principal", "actor", "verb", "resource", "subresource", "namespace", "name", "outcome"]
-- columns.detail = ["command", "response_code", "client_ip", "peer_ip", "user_agent"]
-- triage = ["sessions principal={principal}", "token-lineage principal={principal}", "object-history resource={resource} namespace={namespace} name={name}"]
-- tuning = "Name a principal; set writes_only to true to leave out reads."
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
-- [parameters.principal]
-- type = "string"
-- doc = "User name. Without it: all people."
-- [parameters.writes_only]
-- type = "boolean"
-- default = false
-- doc = "Only writes, and exec, attach, portforward and proxy."
-- [parameters.tokens]
-- type = "boolean"
-- default = true
-- doc = "Also what was done with the tokens and certificates that they minted or approved."
WITH sent AS (
    SELECT
        stage_timestamp, cluster, principal, actor, actor_kind, username, impersonated_username, verb, api_group, resource,
        subresource, namespace, coalesce(object_name, name) AS name, request_uri, response_code, dry_run, credential_id,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM requests
    WHERE username IS NOT NULL
    UNION ALL
    SELECT
        stage_timestamp, cluster, principal, actor, actor_kind, username, impersonated_username, verb, api_group, resource,
        subresource, namespace, coalesce(object_name, name) AS name, request_uri, response_code, dry_run, credential_id,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset
    FROM unfinished_requests
    WHERE username IS NOT NULL
),
issued AS (
    SELECT
        cluster AS issue_cluster,
        credential AS issued_credential,
        credential_id AS issued_with,
        coalesce(
            principal = $principal OR actor = $principal OR username = $principal,
            actor_kind = 'human' OR impersonated_username IS NOT NULL AND principal NOT LIKE 'system:%'
        ) AS by_them
    FROM credentials
    WHERE issued AND credential IS NOT NULL AND $tokens
),
first_hand AS (
    SELECT DISTINCT issue_cluster, issued_credential
    FROM issued
    WHERE by_them
),
second_hand AS (
    SELECT DISTINCT issued.issue_cluster, issued.issued_credential
    FROM issued
    JOIN first_hand
        ON issued.issued_with = first_hand.issued_credential AND issued.issue_cluster IS NOT DISTINCT FROM first_hand.issue_cluster
),
related AS (
    SELECT
        sent.*,
        CASE
            WHEN username = $principal OR principal = $principal THEN 'self'
            WHEN actor = $principal THEN 'acted as'
            WHEN $principal IS NULL AND (actor_kind = 'human' OR impersonated_username IS NOT NULL AND principal NOT LIKE 'system:%') THEN 'self'
            WHEN first_hand.issued_credential IS NOT NULL THEN 'minted token'
            WHEN second_hand.issued_credential IS NOT NULL THEN 'token of a token'
        END AS relation
    FROM sent
    LEFT JOIN first_hand
        ON credential_id = first_hand.issued_credential AND cluster IS NOT DISTINCT FROM first_hand.issue_cluster
    LEFT JOIN second_hand
        ON credential_id = second_hand.issued_credential AND cluster IS NOT DISTINCT FROM second_hand.issue_cluster
)
SELECT
    stage_timestamp,
    relation,
    principal,
    actor,
    nullif(actor, principal) AS acted_as,
    verb,
    api_group,
    resource,
    subresource,
    namespace,
    name,
    CASE WHEN resource IS NULL THEN split_part(request_uri, '?', 1) END AS path,
    CASE WHEN subresource = 'exec' THEN exec_command(request_uri) END AS command,
    outcome(response_code, dry_run) AS outcome,
    response_code,
    credential_id,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM related
WHERE relation IS NOT NULL
  AND (
      NOT $writes_only
      OR verb IN ('create', 'update', 'patch', 'delete', 'deletecollection', 'post', 'put')
      OR subresource IN ('exec', 'attach', 'portforward', 'proxy')
  )
ORDER BY stage_timestamp, source_file, source_offset, audit_id
