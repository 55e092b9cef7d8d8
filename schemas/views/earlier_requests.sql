-- doc = """
-- One row per request before the window, at its final stage, with the columns of requests: what --baseline (a time before
-- --since) or --baseline-input (an earlier log) gives. Without either it has no rows, and queries that compare with before
-- are not evaluable."""
SELECT events.*
FROM source.earlier_events AS events
-- As in requests.
WHERE stage IN ('ResponseComplete', 'Panic')
   OR (stage = 'ResponseStarted' AND username IS NULL)
