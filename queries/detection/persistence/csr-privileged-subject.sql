-- title = "Certificate for a privileged name requested"
-- question = "Who asked for a certificate in the name of an administrator or a system component?"
-- description = """
-- Certificate signing requests whose subject has a privileged group (O) or user (CN): everything that begins with
-- system: (system:masters, nodes, service accounts, components of the control plane) and the parameter names. The
-- subject is read from the request itself; one row per name. Nodes that ask for their own certificate are left
-- out. A refused attempt, a failed one and a dry run have a row, too, one step less severe: see outcome. Requests
-- of the control plane and of principals in the list expected (activity csr) are left out."""
-- severity = "critical"
-- level = "Request"
-- controls = ["CIS 3.1.1", "SOC 2 CC6.1", "NIST IA-5"]
-- attack = ["T1098", "T1550"]
-- covers = [
--     "Elastic GKE: certificate signing request for a privileged identity",
--     "Google SCC: CSR for master certificate",
-- ]
-- differs = "The others search the encoded text, which depends on where the name lies in it. This reads the decoded request."
-- false_positives = "kubeadm init and the recovery of a control plane."
-- limits = "Names that are not ASCII or UTF-8 strings (BMPString) are not read. At level Metadata the log does not show the request."
-- tuning = "Add what is meant to do this to expected with activity csr."
-- triage = ["object-history resource={resource} name={name}", "principal-timeline principal={principal}"]
-- tables = ["system_principals", "expected"]
-- message = "{actor} asked for a certificate for {certificate_name}, [{name}|without a name] ({outcome})"
-- columns.key = ["actor", "principal", "outcome", "name", "certificate_name"]
-- columns.detail = ["signer", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = ["certificatesigningrequests.certificates.k8s.io"]
-- level = "Request"
-- columns = ["response_code", "request_object"]
-- [parameters.names]
-- type = "strings"
-- default = [
--     "O=kubeadm:cluster-admins", "CN=kubernetes-admin", "CN=kubernetes-super-admin", "CN=cluster-admin",
-- ]
-- doc = "Groups (O=) and users (CN=) that are privileged, besides all that begin with system:."
-- [parameters.actor]
-- type = "string"
-- doc = "Only requests by this actor or principal."
SELECT
    stage_timestamp,
    graded('critical', outcome) AS severity,
    outcome,
    actor,
    principal,
    operation,
    resource,
    namespace,
    object_name AS name,
    certificate_name,
    signer,
    response_code,
    client_ip,
    peer_ip,
    user_agent,
    audit_id,
    source_file,
    source_line
FROM (
    SELECT
        attributes.*,
        concat(
            CASE left(attribute, 1) WHEN 'O' THEN 'O=' ELSE 'CN=' END,
            -- After the tag of the string type come its length, below 128, and the text.
            CASE
                WHEN regexp_like(attribute, '^[OC](?:0c|13|14|16)[0-7]')
                    THEN TRY_CAST(
                        decode(substr(attribute, 6, ascii(TRY_CAST(decode(substr(attribute, 4, 2), 'hex') AS VARCHAR)) << 1), 'hex') AS VARCHAR
                    )
            END
        ) AS certificate_name
    FROM (
        SELECT
            decoded.*,
            -- In DER a part of a name begins with the object id of O (2.5.4.10) or CN (2.5.4.3).
            unnest(string_to_array(replace(replace(der, '060355040a', ' O'), '0603550403', ' C'), ' ')) AS attribute
        FROM (
            SELECT
                armoured.*,
                body_text(object, 'spec.signerName') AS signer,
                encode(
                    decode(
                        regexp_match(regexp_replace(pem, '-----[A-Z ]+-----|\s', '', 'g'), '^(?:[A-Za-z0-9+/]{4})*')[1], 'base64'
                    ), 'hex'
                ) AS der
            FROM (
                SELECT
                    write_requests.*,
                    -- Whole groups of four only: what is no base64 would be an error.
                    TRY_CAST(
                        decode(regexp_match(body_text(object, 'spec.request'), '^(?:[A-Za-z0-9+/]{4})*')[1], 'base64') AS VARCHAR
                    ) AS pem
                FROM write_requests
                WHERE api_group = 'certificates.k8s.io'
                  AND resource = 'certificatesigningrequests'
                  AND subresource = ''
                  AND operation = 'create'
                  -- A node that joins or renews its certificate.
                  AND (
                      (
                          principal LIKE 'system:bootstrap:%'
                          OR array_has(user_groups, 'system:bootstrappers')
                          OR array_has(user_groups, 'system:nodes')
                      )
                      AND coalesce(body_text(object, 'spec.signerName'), '')
                          IN ('', 'kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving')
                  ) IS NOT TRUE
            ) AS armoured
        ) AS decoded
    ) AS attributes
) AS named
WHERE (certificate_name LIKE 'O=system:%' OR certificate_name LIKE 'CN=system:%' OR certificate_name = ANY($names))
  AND NOT listed('system_principals', principal)
  AND NOT listed('expected', principal, 'csr', namespace)
  AND ($actor IS NULL OR actor = $actor OR principal = $actor)
ORDER BY stage_timestamp, source_file, source_offset, certificate_name, audit_id
