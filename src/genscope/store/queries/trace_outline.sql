-- The spans of one trace in the order of their place in time, without anything that may be long.
SELECT $columns
FROM spans FINAL
PREWHERE $where
ORDER BY time, span_id
LIMIT {limit:UInt64}
