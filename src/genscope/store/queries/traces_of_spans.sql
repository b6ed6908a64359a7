SELECT DISTINCT trace_id FROM spans FINAL WHERE $where ORDER BY trace_id LIMIT {limit:UInt64}
