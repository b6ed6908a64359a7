-- Whole spans of one trace, by their ids.
SELECT $columns
FROM spans FINAL
PREWHERE $where
ORDER BY time, span_id
