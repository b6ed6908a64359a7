-- The keys of one page of traces in the order of a value. Of the columns of a trace the engine makes only those of the value.
SELECT toString(ranked.value) AS value, ranked.time AS time, ranked.trace_id AS trace_id
FROM (SELECT $value AS value, start_time AS time, trace_id FROM ($traces)) AS ranked
WHERE $behind
ORDER BY ranked.value IS NULL, ranked.value $direction, ranked.time DESC, ranked.trace_id DESC
LIMIT {limit:UInt64}
