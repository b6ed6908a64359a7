-- Without FINAL: a piece of a span knows its model's name as well as the whole.
SELECT DISTINCT model
FROM spans
WHERE $where
LIMIT 1000
