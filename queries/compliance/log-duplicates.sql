-- title = "Events delivered more than once"
-- question = "Is each action in the log once?"
-- description = """
-- Events that the input holds more than once, alike in id, stage, both times, user, request and
-- code, by the streams that hold them, with the first and the last file. extra is how many there
-- are too many. They inflate every count: give --dedup, or use a lake, which keeps one."""
-- severity = "info"
-- level = "Metadata"
-- controls = ["PCI-DSS 10.3.2", "NIST AU-9", "ISO 27001 A.8.15"]
-- attack = []
-- false_positives = "A webhook backend that sent a batch again after a timeout; logs of several collectors read together; a file given twice."
-- limits = "Different requests that share an audit id are no duplicates: see audit-id-reuse. With --dedup there is nothing to find."
-- message = "{events} events are there more than once ({extra} too many), in {files}"
-- columns.key = ["streams"]
-- columns.detail = ["events", "extra", "files", "first_seen", "last_seen"]
-- triage = ["audit-id-reuse", "log-coverage-window"]
-- [[needs]]
-- resources = ["*"]
-- paths = ["*"]
-- stage = "any"
WITH repeated AS (
    SELECT
        count(*) AS copies,
        array_to_string(array_agg(DISTINCT coalesce(log_stream, 'one stream') ORDER BY coalesce(log_stream, 'one stream')), ', ') AS streams,
        min(source_file) AS first_file,
        max(source_file) AS last_file,
        min(stage_timestamp) AS stage_timestamp
    FROM events
    WHERE audit_id IS NOT NULL
    GROUP BY cluster, audit_id, stage, request_received_timestamp, stage_timestamp, username, request_uri, response_code
    HAVING count(*) > 1
)
SELECT
    streams,
    count(*) AS events,
    sum(copies) - count(*) AS extra,
    min(first_file) || CASE WHEN min(first_file) = max(last_file) THEN '' ELSE ' … ' || max(last_file) END AS files,
    min(stage_timestamp) AS first_seen,
    max(stage_timestamp) AS last_seen
FROM repeated
GROUP BY streams
ORDER BY extra DESC, streams
