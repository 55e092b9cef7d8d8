-- title = "Built-in role changed"
-- question = "Who changed or deleted a role that Kubernetes or the provider brings along?"
-- description = """
-- Writes to roles and cluster roles whose names are reserved: system:… and eks:…, and the cluster
-- roles cluster-admin, admin, edit and view; except by the control plane. High for a change or
-- deletion of a role that Kubernetes itself brings; low for other names with these prefixes, which
-- add-ons such as metrics-server create. Refused attempts, failures and dry runs are included
-- (outcome)."""
-- severity = "high"
-- level = "Metadata"
-- controls = ["PCI-DSS 7.2.5", "SOC 2 CC6.3", "NIST AC-6", "ISO 27001 A.8.2"]
-- attack = ["T1098.006"]
-- tables = ["system_principals", "expected"]
-- covers = ["Falco: System ClusterRole Modified/Deleted", "Panther: Kubernetes System Role Modified"]
-- false_positives = "Upgrades of add-ons that own roles named system:…."
-- limits = "At level Metadata the log does not show what was changed. Rights that reach admin, edit and view through aggregation are in role-aggregation-injected."
-- tuning = "Add pipelines and controllers that manage RBAC to the list expected, with activity rbac."
-- triage = ["object-history namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- message = "{actor}: {operation} built-in {object_kind} [{namespace}/]{name} ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "operation", "object_kind", "namespace", "name"]
-- columns.detail = ["response_code", "peer_ip", "user_agent"]
-- [[needs]]
-- resources = ["roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN operation <> 'create' AND regexp_like(
                object_name,
                '^(?:cluster-admin|admin|edit|view|eks:.+|system:(?:controller:.+|aggregate-to-.+|kube-.+|node(?:-bootstrapper|-proxier)?|certificates\.k8s\.io:.+'
                    || '|auth-delegator|basic-user|discovery|heapster|kubelet-api-admin|monitoring|persistent-volume-provisioner'
                    || '|public-info-viewer|service-account-issuer-discovery|volume-scheduler|:leader-locking-.+))$'
            ) THEN 'high'
            ELSE 'low'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    object_kind,
    namespace,
    object_name AS name,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM rbac_requests
WHERE resource IN ('roles', 'clusterroles')
  AND (
      object_name LIKE 'system:%' OR object_name LIKE 'eks:%'
      OR resource = 'clusterroles' AND object_name IN ('cluster-admin', 'admin', 'edit', 'view')
  )
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'rbac', namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
