-- The calls of one trace that are told of by another span too, which counts for them.
WITH $counts
SELECT span_id
FROM spans FINAL
PREWHERE $where
WHERE type IN ('generation', 'embedding') AND NOT counts
