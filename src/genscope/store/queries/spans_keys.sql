-- The keys of one page: whole rows come later, for these keys only.
SELECT toUnixTimestamp64Nano(time) AS time, trace_id, span_id
FROM $spans
WHERE $where
ORDER BY spans.time $direction, trace_id $direction, span_id $direction
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
