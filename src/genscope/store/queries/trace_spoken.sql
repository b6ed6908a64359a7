-- The calls to models and tools of one trace and how long their texts are, in the order of their start.
SELECT span_id, length(ifNull(input, '')) + length(ifNull(output, '')) + arraySum(arrayMap(part -> length(part), mapValues(input_parts))) AS bytes
FROM spans FINAL
PREWHERE $where
WHERE type IN ('generation', 'tool') AND (input != '' OR output != '' OR notEmpty(input_parts))
ORDER BY ifNull(start_time, time), span_id
LIMIT {limit:UInt64}
