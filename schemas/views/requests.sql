-- doc = """
-- One row per request, at its final stage: ResponseComplete, Panic, or the ResponseStarted of a request that was
-- refused before it had a user. Failed authentication (401) and the 400 for a bad ?timeout= stop there; every other
-- answered request has a ResponseComplete or a Panic. Requests whose final stage is not in the input are in
-- unfinished_requests. A request that ended in a Panic was answered with 500 and may or may not have taken effect."""
SELECT events.*
FROM events
WHERE stage IN ('ResponseComplete', 'Panic')
   OR (stage = 'ResponseStarted' AND username IS NULL)
