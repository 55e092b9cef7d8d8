-- title = "Client versions"
-- question = "Which versions of which programs use the cluster, and which are too old or too new for it?"
-- description = """
-- Programs and versions by user agent, with how far those of Kubernetes itself are from the server,
-- in minor releases. server is the newest kube-apiserver that the log shows in a user agent, or
-- server_version. remark says what the version skew policy does not support: kubectl more than one
-- release away, kubelets and kube-proxy newer than the apiserver or more than three older, other
-- parts of the control plane newer or more than one older. Such rows are low, any other info."""
-- severity = "low"
-- level = "Metadata"
-- controls = ["SOC 2 A1.1", "NIST SI-2", "PCI-DSS 6.3.3", "CIS 4.1.1"]
-- attack = []
-- false_positives = "Programs that call themselves kubectl."
-- limits = "The user agent is what the client claims. client-go of other programs has a version of its own, which says nothing about Kubernetes."
-- message = "{program} {version}: actors {actors}, requests {requests}[ ({remark})]"
-- columns.key = ["program", "version"]
-- columns.detail = ["skew", "server", "remark", "actors", "first_actor", "last_seen"]
-- triage = ["deprecated-api-usage", "top-clients", "auth-method-inventory"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["user_agent"]
-- [parameters.server_version]
-- type = "string"
-- doc = "Version of the apiserver, such as 1.36, if the log does not show it."
WITH versioned AS (
    SELECT
        split_part(user_agent, '/', 1) AS program,
        regexp_match(user_agent, '^[^/ ]+/v?([0-9][^ ]*)')[1] AS version,
        TRY_CAST(regexp_match(user_agent, '^[^/ ]+/v?([0-9]+)\.([0-9]+)')[1] AS BIGINT) AS major,
        TRY_CAST(regexp_match(user_agent, '^[^/ ]+/v?([0-9]+)\.([0-9]+)')[2] AS BIGINT) AS minor,
        actor, request_received_timestamp, stage_timestamp
    FROM requests
    WHERE user_agent IS NOT NULL
),
counted AS (
    SELECT
        program, version, major, minor,
        count(*) AS requests,
        count(DISTINCT actor) AS actors,
        min(actor) AS first_actor,
        min(request_received_timestamp) AS first_seen,
        max(stage_timestamp) AS last_seen
    FROM versioned
    GROUP BY program, version, major, minor
),
compared AS (
    SELECT
        counted.*,
        coalesce(
            TRY_CAST(split_part($server_version, '.', 2) AS BIGINT),
            max(CASE WHEN program = 'kube-apiserver' AND major = 1 THEN minor END) OVER ()
        ) AS server_minor
    FROM counted
),
judged AS (
    SELECT
        compared.*,
        CASE
            WHEN major = 1 AND program IN ('kubectl', 'kubelet', 'kube-proxy', 'kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager', 'kubeadm', 'kube-apiserver')
                THEN minor - server_minor
        END AS skew
    FROM compared
),
remarked AS (
    SELECT
        judged.*,
        CASE
            WHEN program = 'kubectl' AND abs(skew) > 1 THEN 'kubectl may be one release away'
            WHEN program IN ('kubelet', 'kube-proxy') AND skew > 0 THEN 'newer than the apiserver'
            WHEN program IN ('kubelet', 'kube-proxy') AND skew < -3 THEN 'more than three releases older than the apiserver'
            WHEN program IN ('kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager') AND skew > 0 THEN 'newer than the apiserver'
            WHEN program IN ('kube-controller-manager', 'kube-scheduler', 'cloud-controller-manager') AND skew < -1 THEN 'more than one release older than the apiserver'
        END AS remark
    FROM judged
)
SELECT
    CASE WHEN remark IS NULL THEN 'info' ELSE 'low' END AS severity,
    program,
    version,
    '1.' || server_minor AS server,
    skew,
    remark,
    requests,
    actors,
    first_actor,
    first_seen,
    last_seen
FROM remarked
ORDER BY CASE WHEN remark IS NULL THEN 1 ELSE 0 END, program, version
