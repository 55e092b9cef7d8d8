-- title = "Divides by zero"
-- question = "What does a query do that fails while it runs?"
-- description = "Fails on the first request."
-- severity = "high"
-- level = "Metadata"
-- limits = "It never has an answer."
-- message = "{actor}: {quotient}"
-- columns.key = ["actor"]
-- [[needs]]
-- resources = ["*"]
SELECT actor, 1 / (response_code - response_code) AS quotient
FROM requests
ORDER BY actor
