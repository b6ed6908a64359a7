SELECT $columns
FROM spans FINAL
-- Conditions on the sorting key alone may be met before rows merge, and so before the wide columns are read.
PREWHERE $where
ORDER BY time, trace_id, span_id
