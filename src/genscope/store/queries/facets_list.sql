-- How many rows have which of the texts in a list.
SELECT value, $count AS count
FROM $spans
ARRAY JOIN $column AS value
WHERE $where
GROUP BY value
ORDER BY count DESC, value
LIMIT {limit:UInt64}
