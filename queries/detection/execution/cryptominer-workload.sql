-- title = "Cryptocurrency miner"
-- question = "Which workloads look like cryptocurrency miners?"
-- description = """
-- Containers whose image, name, command, arguments or workload name has the name of a mining program,
-- the stratum protocol, or a mining pool. One row per container, namespace and outcome; the pods that
-- controllers made from it are in its evidence. actor is who created or changed it first, people
-- before controllers."""
-- severity = "high"
-- level = "Request"
-- controls = ["SOC 2 CC6.8", "NIST SI-3"]
-- attack = ["T1496", "T1610"]
-- false_positives = "Blockchain nodes and security demonstrations whose names contain one of these words."
-- tuning = "Give what is legitimate in ignored_images, as a regular expression; add your own words with pattern."
-- limits = "A miner under an innocent name with its pool in a config file is not seen; look at image-outside-allowlist and image-first-seen. At level Metadata only the name of the workload tells."
-- message = "{actor} started what looks like a miner in {namespace}: {image}[ {command_line}] ({outcome})"
-- triage = ["object-history resource={resource} namespace={namespace} name={name}", "principal-timeline principal={principal}", "pod-fate namespace={namespace} name={name}"]
-- covers = ["Defender: K8S_MaliciousContainerImage", "Google: Impact: Suspicious Kubernetes Container Names - Cryptocurrency Mining", "Threat matrix: Resource hijacking"]
-- differs = "Image, name, command and arguments of every kind of container and workload."
-- tables = ["system_principals"]
-- columns.key = ["namespace", "container_name", "image", "outcome"]
-- columns.detail = ["command_line", "peer_ip", "user_agent"]
-- [[needs]]
-- verbs = ["create", "update", "patch"]
-- resources = [
--     "pods", "pods/ephemeralcontainers", "pods/resize", "replicationcontrollers", "podtemplates", "deployments.apps",
--     "daemonsets.apps", "statefulsets.apps", "replicasets.apps", "jobs.batch", "cronjobs.batch",
-- ]
-- level = "Request"
-- columns = ["request_object"]
-- [parameters.pattern]
-- type = "string"
-- doc = "Regular expression for more words."
-- [parameters.ignored_images]
-- type = "string"
-- doc = "Regular expression: leave out images that match."
SELECT
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen,
    graded('high', outcome) AS severity,
    outcome,
    first_value(actor ORDER BY by_system, stage_timestamp, source_offset) AS actor,
    first_value(principal ORDER BY by_system, stage_timestamp, source_offset) AS principal,
    first_value(resource ORDER BY by_system, stage_timestamp, source_offset) AS resource,
    first_value(object_name ORDER BY by_system, stage_timestamp, source_offset) AS name,
    namespace,
    container_name,
    image,
    first_value(command_line ORDER BY by_system, stage_timestamp, source_offset) AS command_line,
    count(*) AS objects,
    first_value(response_code ORDER BY by_system, stage_timestamp, source_offset) AS response_code,
    first_value(client_ip ORDER BY by_system, stage_timestamp, source_offset) AS client_ip,
    first_value(peer_ip ORDER BY by_system, stage_timestamp, source_offset) AS peer_ip,
    first_value(user_agent ORDER BY by_system, stage_timestamp, source_offset) AS user_agent,
    first_value(audit_id ORDER BY by_system, stage_timestamp, source_offset) AS audit_id,
    first_value(source_file ORDER BY by_system, stage_timestamp, source_offset) AS source_file,
    first_value(source_line ORDER BY by_system, stage_timestamp, source_offset) AS source_line
FROM (
    SELECT
        stage_timestamp,
        outcome(response_code, dry_run) AS outcome,
        listed('system_principals', principal) AS by_system,
        actor,
        principal,
        resource,
        object_name,
        namespace,
        container_name,
        image,
        concat_ws(' ', array_to_string(command, ' '), array_to_string(args, ' ')) AS command_line,
        response_code,
        client_ip,
        peer_ip,
        user_agent,
        audit_id,
        source_file,
        source_line,
        source_offset
    FROM containers
    WHERE (verb <> 'patch' OR created OR pod_spec(resource, request_object) IS NOT NULL)
) AS started
WHERE (
      regexp_like(
          concat_ws(' ', object_name, container_name, image, command_line),
          '\b(?:xmrig|xmr-stak|xmr-node|minerd|cpuminer|cgminer|bfgminer|ccminer|ethminer|nbminer|lolminer|phoenixminer|teamredminer|gminer|t-rex-miner'
          || '|nanominer|srbminer\S*|kinsing|kdevtmpfsi|coinhive|nicehash\S*|cryptonight|monero-?miner|monerod?-\w*miner|xmr-?miner|eth-?miner|crypto-?miner'
          || '|randomx|xmrig-proxy|verusminer|hellminer)\b'
          || '|xmrig|stratum2?\+?(?:tcp|ssl|tls|udp)?://'
          || '|--donate-level|--coin[=\s]+(?:monero|xmr)|--algo[=\s]+(?:rx/|cn/|kawpow|ethash|randomx)|--nicehash'
          || '|\b(?:minexmr|supportxmr|moneroocean|hashvault|nanopool|2miners|f2pool|ethermine|unmineable|c3pool|herominers|miningpoolhub|miningocean|xmrpool|monerohash|minergate|poolin|crypto-pool|dwarfpool)\.\w+',
          'i'
      )
      OR $pattern IS NOT NULL AND regexp_like(concat_ws(' ', object_name, container_name, image, command_line), $pattern)
  )
  AND ($ignored_images IS NULL OR NOT regexp_like(coalesce(image, ''), $ignored_images))
GROUP BY outcome, namespace, container_name, image
ORDER BY first_seen, namespace, container_name, image, outcome
