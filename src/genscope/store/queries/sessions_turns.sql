-- Traces as turns of a conversation: what each took, and which of its spans say what was asked and answered. Texts are read later, for these
-- spans only; here whether there are any (`.null`), for which the engine does not read them. A root is a span without a parent, or one
-- whose sender says so.
SELECT
    trace_id,
    argMaxIf(session_id, time, session_id != '') AS session,
    toUnixTimestamp64Nano(min(ifNull(spans.start_time, time))) AS start_time,
    toUnixTimestamp64Nano(max(spans.end_time)) AS end_time,
    coalesce(argMaxIf(trace_name, time, trace_name != ''), argMinIf(spans.name, time, root), argMin(spans.name, time)) AS name,
    count() AS span_count,
    countIf(level = 'ERROR') AS error_count,
    countIf(is_paid) AS paid_count,
    countIf(is_paid AND spans.total_cost IS NULL) AS unpriced_count,
    sumIf(input_tokens, is_paid) AS input_tokens,
    sumIf(output_tokens, is_paid) AS output_tokens,
    sumIf(spans.total_cost, is_paid) AS total_cost,
    arraySort(groupUniqArrayIf(assumeNotNull(model), model != '')) AS models,
    -- Spans by what they say, in the order of trust; empty where there is none.
    [argMaxIf(span_id, time, says_trace_input), argMinIf(span_id, time, root AND says_input),
     argMinIf(span_id, time, type = 'generation' AND says_input)] AS asked,
    [argMaxIf(span_id, time, says_trace_output), argMinIf(span_id, time, root AND says_output),
     argMaxIf(span_id, time, type = 'generation' AND says_output)] AS answered,
    arraySlice(arraySort(groupArrayIf((time, span_id), type = 'tool')), 1, {tools:UInt64}).2 AS tools,
    countIf(type = 'tool') AS tool_count,
    arraySlice(arraySort(groupArrayIf((time, span_id), level = 'ERROR')), 1, 1).2 AS failed
FROM
(
    WITH $counts
    SELECT trace_id, span_id, time, start_time, end_time, session_id, trace_name, name, model, level, type, input_tokens, output_tokens,
        total_cost, type IN ('generation', 'embedding') AND counts AS is_paid,
        parent_span_id IS NULL OR ifNull(is_root, false) AS root,
        NOT input.null AS says_input, NOT output.null AS says_output,
        NOT trace_input.null AS says_trace_input, NOT trace_output.null AS says_trace_output
    FROM spans FINAL
    PREWHERE $where
) AS spans
GROUP BY trace_id
ORDER BY min(time), trace_id
