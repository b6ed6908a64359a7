-- Whole spans of one trace that meet a condition, the first of them.
SELECT $columns
FROM spans FINAL
WHERE $where
ORDER BY time, span_id
LIMIT {limit:UInt64}
