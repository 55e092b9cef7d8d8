-- title = "Lineage of credentials"
-- question = "Where did this token or certificate come from, and what was it used for?"
-- description = """
-- One row per credential that the log knows by its id: who minted or approved it, when, from where and
-- with which credential of their own (minted_with leads to the row of that one), whom it stands for,
-- from which addresses and programs it was used, and for what. source is minted, approved, or used
-- only if the log does not show where it came from. Tokens that kubelets and the control plane mint
-- are left out unless system is true, or a credential or principal is named."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["CIS 5.1.13", "PCI-DSS 8.6.2", "SOC 2 CC6.1", "NIST IA-5", "NIST AU-6"]
-- attack = ["T1528", "T1550.001"]
-- false_positives = "None: this is an inventory."
-- limits = "Needs the ids of credentials in the log: Kubernetes 1.30 and later, not GKE. Static tokens, OIDC tokens and legacy tokens in secrets have no id. A certificate is tied to its approval only at level RequestResponse."
-- message = "[{minted_by} {source}|{source}] {credential_kind} [{credential}|of unknown id][ for {credential_user}]: [{uses}|?] uses[ from {used_from}]"
-- columns.key = ["credential", "minted_by", "credential_user", "source"]
-- columns.detail = ["minted_at", "minted_from", "first_used_at", "last_used_at", "used_for"]
-- tables = ["system_principals"]
-- triage = ["principal-timeline principal={credential_user}", "principal-timeline principal={minted_by}", "token-lineage credential={minted_with}"]
-- tuning = "Name a credential or principal, or set system to true to see all tokens."
-- [[needs]]
-- verbs = ["create"]
-- resources = ["serviceaccounts/token"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- columns = ["credential_id"]
-- [parameters.credential]
-- type = "string"
-- doc = "Only this credential, such as JTI=0ef2813d-3bde-4d2e-8ac0-8f7d70872375; the prefix can be left out."
-- [parameters.principal]
-- type = "string"
-- doc = "Only credentials that this user minted, approved or used."
-- [parameters.system]
-- type = "boolean"
-- default = false
-- doc = "Also tokens minted by kubelets and the control plane, and their own credentials."
WITH purposes AS (
    SELECT
        cluster AS purpose_cluster,
        credential_id AS purpose_credential,
        array_agg(DISTINCT purpose ORDER BY purpose) AS used_for,
        count(*) FILTER (WHERE outcome = 'refused') AS refused
    FROM (
        SELECT
            cluster,
            credential_id,
            outcome(response_code, dry_run) AS outcome,
            concat(verb, ' ', coalesce(resource, 'paths'), CASE WHEN subresource <> '' THEN concat('/', subresource) ELSE '' END) AS purpose
        FROM requests
        WHERE credential_id IS NOT NULL
    ) AS uses
    GROUP BY cluster, credential_id
)
SELECT
    CASE WHEN NOT issued THEN 'used only' WHEN credential_kind = 'certificate' THEN 'approved' ELSE 'minted' END AS source,
    credential_kind,
    credential,
    CASE WHEN issued THEN stage_timestamp END AS minted_at,
    CASE WHEN issued THEN principal END AS minted_by,
    CASE WHEN issued THEN nullif(actor, principal) END AS acted_as,
    CASE WHEN issued THEN client_ip END AS minted_from,
    CASE WHEN issued THEN user_agent END AS minted_by_program,
    CASE WHEN issued THEN credential_id END AS minted_with,
    credential_user,
    uses,
    refused,
    first_used_at,
    last_used_at,
    used_from,
    used_with,
    used_for,
    stage_timestamp,
    audit_id,
    source_file,
    source_line
FROM credentials
LEFT JOIN purposes ON credential = purpose_credential AND cluster IS NOT DISTINCT FROM purpose_cluster
WHERE ($credential IS NULL OR credential = $credential OR split_part(credential, '=', 2) = $credential)
  AND ($principal IS NULL OR principal = $principal OR actor = $principal OR credential_user = $principal)
  AND (
      $system
      OR $credential IS NOT NULL
      OR $principal IS NOT NULL
      OR NOT listed('system_principals', principal)
  )
ORDER BY coalesce(minted_at, first_used_at), credential, source_file, source_offset, audit_id
