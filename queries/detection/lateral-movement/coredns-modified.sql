-- title = "Cluster DNS modified"
-- question = "Who changed, or tried to change, how the cluster resolves names?"
-- description = """
-- Writes of the config maps of CoreDNS, kube-dns and NodeLocal DNSCache, and of OpenShift's DNS operator. Whoever controls
-- DNS can send traffic between services, and to the outside, through a place of their own. low for the first creation of the
-- main config map, which is part of installing a cluster. data is what the config map holds, if the log shows it."""
-- severity = "high"
-- level = "Metadata"
-- attack = ["T1557", "T1565.001", "T1584.002"]
-- controls = ["NIST SC-20", "NIST CM-3"]
-- tables = ["system_principals", "expected"]
-- false_positives = "Upgrades of the cluster, and operators or administrators who add a stub domain."
-- tuning = "Add tools that manage DNS to the list expected, with the activity dns."
-- limits = "At level Metadata the log does not show the content. The CoreDNS Deployment, the Service kube-dns and the kubelets' settings change name resolution as well, and are not looked at. GKE and EKS restore the config map by themselves."
-- message = "{actor}: {operation} of the DNS configuration {namespace}/[{name}|*] ({outcome})"
-- columns.key = ["actor", "principal", "operation", "namespace", "name", "outcome"]
-- columns.detail = ["data", "response_code", "peer_ip", "user_agent"]
-- covers = ["E: Kubernetes CoreDNS or Kube-DNS Configuration Modified", "EG: GKE CoreDNS or Kube-DNS Configuration Modified", "EA: CoreDNS or Kube-DNS Configuration Modified", "D: CoreDNS modification", "G: KUBE_DNS", "TM: CoreDNS poisoning (MS-TA9035)", "Kubescape: C-0037"]
-- differs = "coredns-custom (AKS) and node-local-dns are covered, deletes and deletecollection too, and attempts are told apart."
-- triage = ["field-changes resource=configmaps namespace={namespace} name={name}", "object-history resource=configmaps namespace={namespace} name={name}", "principal-timeline principal={principal}"]
-- [[needs]]
-- verbs = ["create", "update", "patch", "delete", "deletecollection"]
-- resources = ["configmaps", "dnses.operator.openshift.io"]
SELECT
    stage_timestamp,
    CASE
        WHEN operation = 'create' AND name IN ('coredns', 'kube-dns', 'node-local-dns') THEN 'low'
        ELSE graded('high', outcome)
    END AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    name,
    left(data, 1000) AS data,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        stage_timestamp, outcome, actor, principal, operation, resource, namespace, object_name AS name, response_code,
        client_ip, peer_ip, user_agent, audit_id, source_file, source_line, source_offset,
        CASE
            WHEN verb IN ('delete', 'deletecollection') THEN NULL
            WHEN ltrim(object) LIKE '[%' THEN object
            ELSE coalesce(body_text(object, 'data'), body_text(object, 'spec'))
        END AS data
    FROM write_requests
    WHERE subresource = ''
      AND (
          resource = 'configmaps' AND api_group = '' AND namespace IN ('kube-system', 'openshift-dns')
          AND (
              object_name IN ('coredns', 'kube-dns', 'coredns-custom', 'kube-dns-custom', 'node-local-dns', 'nodelocaldns', 'dns-default')
              OR verb = 'deletecollection'
          )
          OR resource = 'dnses' AND api_group = 'operator.openshift.io'
      )
      AND NOT listed('system_principals', principal)
      AND NOT listed('expected', principal, 'dns', namespace)
) AS changed
ORDER BY stage_timestamp, source_file, source_offset, audit_id
