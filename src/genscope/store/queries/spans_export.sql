SELECT $columns
FROM spans FINAL
WHERE $where
ORDER BY spans.time, trace_id, span_id
