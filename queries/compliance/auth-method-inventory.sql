-- title = "Ways of authentication"
-- question = "How do people and machines authenticate, and are there weak ways among them?"
-- description = """
-- Requests by way of authentication and kind of user: client certificate, token bound to a pod,
-- issued token (TokenRequest, bound to no pod), service account token (no id: an old apiserver or a
-- legacy one), legacy token, bootstrap token, AWS IAM, Microsoft Entra ID, Google Cloud IAM, OpenID
-- Connect, anonymous, failed authentication, or not shown (static token, webhook, proxy, OpenID
-- Connect without an id). remark says what is weak: such rows are low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["CIS 3.1.1", "CIS 3.1.2", "CIS 3.1.3", "PCI-DSS 8.3.1", "SOC 2 CC6.1", "NIST IA-2", "NIST IA-5", "ISO 27001 A.8.5", "HIPAA 164.312(d)"]
-- attack = ["T1078", "T1552"]
-- false_positives = "Administrators' certificates kept for an emergency."
-- limits = "The way is told from what the apiserver records of a user (credential-id since Kubernetes 1.32, user.extra, annotations), not from the login. A second factor is not shown: see single-factor-sessions."
-- message = "{method}: {users} users ({user_kind}), requests {requests}[: {remark}]"
-- columns.key = ["method", "user_kind"]
-- columns.detail = ["users", "requests", "first_user", "last_user", "remark", "last_seen"]
-- tables = ["system_principals"]
-- triage = ["single-factor-sessions", "credential-age", "failed-authentication"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
WITH told AS (
    SELECT
        CASE
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
        END AS method,
        CASE
            WHEN username IS NULL THEN 'nobody'
            WHEN username IN ('system:anonymous') THEN 'anonymous'
            WHEN username LIKE 'system:serviceaccount:%' THEN 'service account'
            WHEN username LIKE 'system:node:%' THEN 'node'
            WHEN username LIKE 'system:%' OR listed('system_principals', username) THEN 'system'
            ELSE 'person or client'
        END AS user_kind,
        username, request_received_timestamp, stage_timestamp, response_code
    FROM requests
)
SELECT
    CASE
        WHEN method = 'client certificate' AND user_kind = 'person or client' THEN 'low'
        WHEN method IN ('legacy token', 'bootstrap token') THEN 'low'
        ELSE 'info'
    END AS severity,
    method,
    user_kind,
    CASE
        WHEN method = 'client certificate' AND user_kind = 'person or client' THEN 'certificates of people cannot be revoked'
        WHEN method = 'legacy token' THEN 'a token without an end, kept in a Secret'
        WHEN method = 'bootstrap token' THEN 'meant for joining nodes only'
        WHEN method = 'not shown' AND user_kind = 'person or client' THEN 'may be a static token: the log does not say'
    END AS remark,
    count(DISTINCT username) AS users,
    count(*) AS requests,
    min(username) AS first_user,
    max(username) AS last_user,
    count(*) FILTER (WHERE response_code IN (401, 403)) AS refused,
    min(request_received_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM told
GROUP BY method, user_kind
ORDER BY CASE user_kind WHEN 'person or client' THEN 0 WHEN 'service account' THEN 1 ELSE 2 END, requests DESC, method, user_kind
