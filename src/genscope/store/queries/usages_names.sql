-- The names of most calls.
WITH $counts
SELECT name, count() AS calls
FROM $spans
WHERE $where AND counts AND name IS NOT NULL
GROUP BY name
ORDER BY calls DESC, name
LIMIT {limit:UInt32}
