-- doc = """
-- Credentials that the log knows by their id, with where they came from and where they were used: one row per service
-- account token that was issued, per certificate signing request that was approved or signed, and per credential that
-- was used but not issued in this log. The columns of the request are those of the request that issued it (who minted
-- it, from where), or of its first use. Tokens of other kinds (static, OIDC, legacy ones in secrets), which the apiserver
-- gives no id, are not included. Uses are requests that ended in this log, whatever the answer."""
-- [[column]]
-- name = "credential"
-- type = "string"
-- doc = "Id, as credential_id has it in the requests made with it: JTI=… of a token, X509SHA256=… of a certificate. NULL for an approved certificate that the log does not show (below level RequestResponse, or not signed yet): its uses cannot be told then."
-- [[column]]
-- name = "credential_kind"
-- type = "string"
-- doc = "token, certificate or other."
-- [[column]]
-- name = "issued"
-- type = "boolean"
-- doc = "Whether the row is of the request that issued the credential; false if the log shows its use alone."
-- [[column]]
-- name = "credential_user"
-- type = "string"
-- doc = "User whom the credential stands for: the service account of a token; else the user who authenticated with it. NULL for a certificate that was not used."
-- [[column]]
-- name = "uses"
-- type = "int64"
-- doc = "Requests made with it; NULL where the id is not known."
-- [[column]]
-- name = "first_used_at"
-- type = "timestamp"
-- doc = "When the first of them was received."
-- [[column]]
-- name = "last_used_at"
-- type = "timestamp"
-- doc = "When the last of them ended."
-- [[column]]
-- name = "used_from"
-- type = "list<string>"
-- doc = "Addresses that it was used from (client_ip), sorted."
-- [[column]]
-- name = "used_with"
-- type = "list<string>"
-- doc = "User agents that it was used with, sorted."
SELECT
    known.*,
    CASE
        WHEN issued AND credential_kind = 'token' AND resource = 'serviceaccounts' THEN concat('system:serviceaccount:', namespace, ':', name)
        ELSE used.username
    END AS credential_user,
    CASE WHEN credential IS NOT NULL THEN coalesce(used.uses, 0) END AS uses,
    used.first_used_at,
    used.last_used_at,
    used.used_from,
    used.used_with
FROM (
    SELECT
        requests.*,
        annotations['authentication.kubernetes.io/issued-credential-id'] AS credential,
        'token' AS credential_kind,
        true AS issued
    FROM requests
    WHERE annotations['authentication.kubernetes.io/issued-credential-id'] IS NOT NULL
    UNION ALL
    SELECT * FROM (
        SELECT
            requests.*,
            -- The approval comes before the signer's certificate; a signer may do both at once.
            coalesce(
                certificate_id(body_text(response_object, 'status.certificate')),
                lead(certificate_id(body_text(response_object, 'status.certificate'))) IGNORE NULLS OVER (
                    PARTITION BY cluster, object_name ORDER BY stage_timestamp, request_received_timestamp, audit_id
                )
            ) AS credential,
            'certificate' AS credential_kind,
            true AS issued
        FROM requests
        WHERE api_group = 'certificates.k8s.io'
          AND resource = 'certificatesigningrequests'
          AND subresource IN ('approval', 'status')
          AND verb IN ('update', 'patch')
          AND response_code BETWEEN 200 AND 299
          AND (dry_run LIKE '%All%') IS NOT TRUE
          -- A refusal is written to the same subresource.
          AND (subresource = 'approval' AND body_text(coalesce(response_object, request_object), 'status.conditions') LIKE '%"Denied"%') IS NOT TRUE
        -- The signer's write counts only if no approval of the request is in the log.
        QUALIFY subresource = 'approval'
            OR certificate_id(body_text(response_object, 'status.certificate')) IS NOT NULL
                AND lag(subresource) OVER (
                    PARTITION BY cluster, object_name ORDER BY stage_timestamp, request_received_timestamp, audit_id
                ) IS NULL
    ) AS signed
    UNION ALL
    SELECT * FROM (
        SELECT
            requests.*,
            credential_id AS credential,
            CASE
                WHEN credential_id LIKE 'JTI=%' THEN 'token'
                WHEN credential_id LIKE 'X509%' THEN 'certificate'
                ELSE 'other'
            END AS credential_kind,
            false AS issued
        FROM requests
        WHERE credential_id IS NOT NULL
        QUALIFY row_number() OVER (
            PARTITION BY cluster, credential_id ORDER BY request_received_timestamp, stage_timestamp, audit_id, source_file, source_offset
        ) = 1
    ) AS first_used
) AS known
LEFT JOIN (
    SELECT
        cluster,
        credential_id,
        min(username) AS username,
        count(*) AS uses,
        min(request_received_timestamp) AS first_used_at,
        max(stage_timestamp) AS last_used_at,
        array_agg(DISTINCT client_ip ORDER BY client_ip) FILTER (WHERE client_ip IS NOT NULL) AS used_from,
        array_agg(DISTINCT user_agent ORDER BY user_agent) FILTER (WHERE user_agent IS NOT NULL) AS used_with
    FROM requests
    WHERE credential_id IS NOT NULL
    GROUP BY cluster, credential_id
) AS used
    ON known.credential = used.credential_id AND known.cluster IS NOT DISTINCT FROM used.cluster
-- The first use has a row only where the log does not have the issue.
QUALIFY issued OR bool_or(issued) OVER (PARTITION BY known.cluster, credential) IS NOT TRUE
