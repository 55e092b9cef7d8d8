-- title = "No such table"
-- question = "What does a query do whose table is missing?"
-- description = "Is not planned."
-- severity = "high"
-- level = "Metadata"
-- limits = "It never has an answer."
-- message = "{actor}"
-- columns.key = ["actor"]
-- [[needs]]
-- resources = ["*"]
SELECT actor
FROM people
ORDER BY actor
