-- How often failures came with each value of a column, the most frequent first, and when each came first and last.
SELECT
    ifNull(toString($column), '') AS value,
    count() AS count,
    min(toUnixTimestamp64Nano(spans.time)) AS first_time,
    max(toUnixTimestamp64Nano(spans.time)) AS last_time
FROM spans FINAL
WHERE $where
GROUP BY value
ORDER BY count DESC, value
LIMIT {limit:UInt64}
