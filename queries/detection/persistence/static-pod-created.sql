-- title = "Static pod appeared"
-- question = "Which static pods do nodes run that are not the control plane's?"
-- description = """
-- Pods created by nodes. A kubelet may create only mirror pods: the image in the API of a static pod, whose
-- manifest lies on the node, out of reach of admission. Those of the control plane, by name (known_pods), are
-- info. A refused attempt, a failed one and a dry run have a row, too, one step less severe: see outcome."""
-- severity = "medium"
-- level = "Metadata"
-- controls = ["CIS 1.1", "NIST CM-7"]
-- attack = ["T1610", "T1053"]
-- covers = ["Google SCC: static pod created", "Microsoft threat matrix: Static pods"]
-- differs = "Google's rule needs the annotation of mirror pods; that a node creates the pod says the same, also at level Metadata."
-- false_positives = "Static pods of the control plane under other names."
-- limits = "The manifest on the node is not in the log; a static pod that never registers leaves no trace. Names can imitate those of known_pods: see image."
-- tuning = "Add the static pods of your nodes to known_pods."
-- triage = [
--     "object-history resource={resource} namespace={namespace} name={name}",
--     "principal-timeline principal={principal}",
-- ]
-- tables = ["system_namespaces"]
-- message = "{actor} runs static pod {namespace}/{name}[ with image {image}] ({outcome})"
-- columns.key = ["actor", "outcome", "namespace", "name"]
-- columns.detail = ["image", "mirror", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create"]
-- resources = ["pods"]
-- columns = ["response_code"]
-- [parameters.known_pods]
-- type = "strings"
-- default = [
--     "kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy", "kube-vip", "haproxy",
--     "keepalived", "cloud-controller-manager", "konnectivity-server", "kube-addon-manager",
--     "storage-provisioner", "nginx-proxy", "etcd-manager-main", "etcd-manager-events", "kube-flannel",
--     "openshift-kube-apiserver", "openshift-kube-scheduler",
-- ]
-- doc = "Names of static pods in system namespaces, without the name of the node: those are info."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
-- [parameters.namespace]
-- type = "string"
-- doc = "Only objects in this namespace."
SELECT
    stage_timestamp,
    graded(
        CASE
            WHEN listed('system_namespaces', namespace) AND regexp_like(name, concat('^(?:', array_to_string($known_pods, '|'), ')-'))
                THEN 'info'
            ELSE 'medium'
        END,
        outcome
    ) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    containers(pod_spec(resource, object))[1]['image'] AS image,
    CASE
        WHEN object IS NOT NULL
            THEN coalesce(body_text(object, 'metadata.annotations'), '') LIKE '%"kubernetes.io/config.mirror":%'
    END AS mirror,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM write_requests
WHERE api_group = ''
  AND resource = 'pods'
  AND subresource = ''
  AND operation = 'create'
  AND actor_kind = 'node'
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
  AND ($namespace IS NULL OR namespace = $namespace)
ORDER BY stage_timestamp, source_file, source_offset, audit_id
