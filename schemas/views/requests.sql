-- doc = """
-- One row per request, at its final stage: ResponseComplete, Panic, or the ResponseStarted of a request that was
-- refused before it had a user. Failed authentication (401) and the 400 of a bad ?timeout= get no further than that;
-- every other request that was answered has a ResponseComplete or a Panic. Requests whose final stage is not in the
-- input are in unfinished_requests. A Panic answers 500 and may or may not have done its work."""
SELECT events.*
FROM events
WHERE stage IN ('ResponseComplete', 'Panic')
   OR (stage = 'ResponseStarted' AND username IS NULL)
