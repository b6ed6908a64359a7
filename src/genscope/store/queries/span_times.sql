SELECT trace_id, span_id, toUnixTimestamp64Nano(min(time)) AS time
FROM spans
WHERE $where
GROUP BY trace_id, span_id
