-- title = "Impersonation with and without constraint"
-- question = "Which impersonations are constrained, and which have full power?"
-- description = """
-- An inventory: for each principal that impersonated, by which right. With constrained impersonation
-- (Kubernetes 1.35) the event names the mode, such as impersonate:user-info or
-- impersonate:serviceaccount; without a mode the right is the old verb impersonate, which gives
-- everything that the target may do."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 8.2.2", "SOC 2 CC6.1", "NIST AC-6(9)", "ISO 27001 A.8.2"]
-- attack = ["T1134"]
-- tables = ["system_principals"]
-- false_positives = "None: this is an inventory."
-- limits = "Clusters before 1.35 know only full impersonation. The stage RequestReceived does not show impersonation. What a proxy with its own login passes on, such as Rancher or Teleport, counts as done by the person, and is not in here."
-- tuning = "The list system_principals."
-- triage = ["principal-timeline principal={principal}"]
-- message = "{principal} impersonates with [{mode}|the unconstrained verb impersonate] ({requests} requests, {targets} targets)"
-- columns.key = ["principal", "mode"]
-- columns.detail = ["requests", "targets", "first_seen", "last_seen"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    'info' AS severity,
    principal,
    impersonation_constraint AS mode,
    impersonation_constraint IS NOT NULL AS constrained,
    count(*) AS requests,
    count(DISTINCT impersonated_username) AS targets,
    first_value(audit_id ORDER BY stage_timestamp) AS audit_id,
    first_value(source_file ORDER BY stage_timestamp) AS source_file,
    first_value(source_line ORDER BY stage_timestamp) AS source_line
FROM requests
WHERE impersonated_username IS NOT NULL
  AND principal = username
  AND NOT listed('system_principals', principal)
GROUP BY principal, impersonation_constraint
ORDER BY principal, mode
