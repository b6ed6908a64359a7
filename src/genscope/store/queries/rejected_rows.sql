SELECT toUnixTimestamp64Micro(time) * 1000 AS time, protocol, trace_id, span_id, name, reason, payload
FROM rejected
WHERE $where
ORDER BY rejected.time DESC, protocol, trace_id, span_id, name, reason, payload
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
