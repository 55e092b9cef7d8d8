-- title = "Tokens that no pod needs"
-- question = "Which service accounts run in pods that never call the API?"
-- description = """
-- Service accounts that pods were created with, whose token is mounted, and from which the log has
-- not a single request: automountServiceAccountToken can be false. pods counts the pods created;
-- namespace and service_account name the account."""
-- severity = "info"
-- level = "Request"
-- controls = ["CIS 5.1.6", "CIS 5.1.5", "PCI-DSS 7.2.5", "NIST AC-6", "NSA/CISA hardening guide"]
-- attack = ["T1528"]
-- false_positives = "Workloads that call the API seldom: the log should cover at least one of each of their tasks."
-- limits = "A log of a short time shows too many. Audit policies that leave out requests of service accounts make this wrong: see log-level-coverage. Pods whose service account the log does not show (Metadata, or Request without defaults) count as default."
-- message = "the service account {service_account} in {namespace} made no request: its token is mounted in {pods} pods"
-- columns.key = ["namespace", "service_account"]
-- columns.detail = ["pods", "first_created_at", "last_created_at"]
-- tables = ["system_namespaces"]
-- triage = ["default-service-account-usage", "object-history resource=serviceaccounts namespace={namespace} name={service_account}"]
-- [[needs]]
-- verbs = ["create", "patch", "update"]
-- resources = ["pods"]
-- level = "Request"
-- columns = ["request_object"]
-- [[needs]]
-- resources = ["*"]
-- from = "service-accounts"
WITH mounted AS (
    SELECT
        namespace,
        coalesce(nullif(body_text(pod_spec, 'serviceAccountName'), ''), nullif(body_text(pod_spec, 'serviceAccount'), ''), 'default') AS service_account,
        count(*) AS pods,
        min(stage_timestamp) AS first_created_at,
        max(stage_timestamp) AS last_created_at
    FROM pod_specs
    WHERE resource = 'pods'
      AND created
      AND pod_spec IS NOT NULL
      AND (body_text(pod_spec, 'automountServiceAccountToken') = 'false') IS NOT TRUE
      AND NOT listed('system_namespaces', namespace)
    GROUP BY namespace, service_account
),
active AS (
    SELECT username AS active_account
    FROM events
    WHERE username LIKE 'system:serviceaccount:%'
    GROUP BY username
)
SELECT
    namespace,
    service_account,
    pods,
    first_created_at,
    last_created_at
FROM mounted
LEFT JOIN active
    ON active_account = 'system:serviceaccount:' || namespace || ':' || service_account
WHERE active_account IS NULL
ORDER BY pods DESC, namespace, service_account
