-- What some spans say. Conditions on keys come first (PREWHERE), so that other texts are not read. Of a text beyond all reading the beginning and the end.
WITH (text -> if(length(text) > {longest:UInt64}, concat(substringUTF8(text, 1, {preview:UInt64}), ' … ', substringUTF8(text, -{preview:UInt64})), text)) AS bound
SELECT
    trace_id,
    span_id,
    name,
    level,
    type,
    bound(if(notEmpty(input_parts), $last_part, input)) AS input,
    bound(output) AS output,
    bound(trace_input) AS trace_input,
    bound(trace_output) AS trace_output,
    substringUTF8($message, 1, 1000) AS message,
    toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(start_time) AS duration
FROM spans FINAL
PREWHERE $where
