-- The keys of one page of spans in the order of a value. Beside the sorting key only the columns of value and conditions are read.
SELECT toString(ranked.value) AS value, ranked.time AS time, ranked.trace_id AS trace_id, ranked.span_id AS span_id
FROM
(
    SELECT $value AS value, toUnixTimestamp64Nano(spans.time) AS time, trace_id, span_id
    FROM $spans
    WHERE $where
) AS ranked
WHERE $behind
ORDER BY ranked.value IS NULL, ranked.value $direction, ranked.time DESC, ranked.trace_id DESC, ranked.span_id DESC
LIMIT {limit:UInt64}
