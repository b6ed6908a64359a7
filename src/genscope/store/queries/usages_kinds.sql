-- Which kinds of usage calls tell together, the most frequent first. A part that is 0 says nothing.
WITH $counts
SELECT $kinds AS kinds, cityHash64(kinds) AS id, count() AS calls
FROM $spans
WHERE $where AND counts AND notEmpty(usage)
GROUP BY kinds
ORDER BY calls DESC, id
LIMIT {limit:UInt32}
