-- How many rows have which value of each of some columns: one reading, and a small table for each of them.
SELECT $facet AS facet, $value AS value, $count AS count
FROM $spans
WHERE $where
GROUP BY GROUPING SETS ($sets)
HAVING value != ''
ORDER BY facet, count DESC, value
LIMIT {limit:UInt64} BY facet
