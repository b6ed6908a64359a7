-- One row per trace, gathered from its spans. Trace-level values are those of the span that carried them; where several did, the
-- last one. Usage and cost are those of calls to a model: an agent or chain that repeats what its calls reported adds
-- nothing. A root is a span without a parent, or one whose sender says so; the earliest one gives the trace its name and I/O.
SELECT
    trace_id,
    toUnixTimestamp64Nano(min(ifNull(spans.start_time, least(time, ifNull(spans.end_time, time))))) AS start_time,
    toUnixTimestamp64Nano(max(spans.end_time)) AS end_time,
    coalesce(argMaxIf(trace_name, time, trace_name != ''), argMinIf(spans.name, time, root), argMin(spans.name, time)) AS name,
    count() AS span_count,
    countIf(type = 'generation') AS generation_count,
    countIf(level = 'ERROR') AS error_count,
    countIf(paid) AS paid_count,
    countIf(paid AND spans.total_cost IS NULL) AS unpriced_count,
    sumIf(input_tokens, paid) AS input_tokens,
    sumIf(output_tokens, paid) AS output_tokens,
    sumIf(spans.total_cost, paid) AS total_cost,
    argMaxIf(session_id, time, session_id != '') AS session_id,
    argMaxIf(user_id, time, user_id != '') AS user_id,
    if(max(whole), groupUniqArrayArrayIf(tags, whole), groupUniqArrayArray(tags)) AS tags,
    argMaxIf(environment, time, environment != '') AS environment,
    argMaxIf(release, time, release != '') AS release,
    argMaxIf(version, time, version != '') AS version,
    groupUniqArrayIf(model, model != '') AS models,
    maxMap(trace_metadata) AS metadata,
    coalesce(argMaxIf(substringUTF8(trace_input, 1, {preview:UInt64}), time, trace_input != ''),
             argMinIf(substringUTF8(spans.input, 1, {preview:UInt64}), time, root)) AS input,
    coalesce(argMaxIf(substringUTF8(trace_output, 1, {preview:UInt64}), time, trace_output != ''),
             argMinIf(substringUTF8(spans.output, 1, {preview:UInt64}), time, root)) AS output
FROM
(
    WITH $counts
    SELECT *, input_tokens, output_tokens, total_cost, parent_span_id IS NULL OR ifNull(is_root, false) AS root,
        -- Where a sender tells of a trace as a thing of its own (`Entity.span_id`), tags of other spans are theirs alone.
        span_id = concat(trace_id, ':root') AS whole,
        type IN ('generation', 'embedding') AND counts AS paid
    FROM spans FINAL
    WHERE $where
) AS spans
GROUP BY trace_id
ORDER BY min(time) DESC, trace_id DESC
