-- Where the scan of a list has to begin to see about `offset` rows: reads the sorting key alone, in its order.
SELECT toUnixTimestamp64Nano(time) AS boundary
FROM spans
WHERE $where
ORDER BY time $direction
LIMIT 1 OFFSET {offset:UInt64}
