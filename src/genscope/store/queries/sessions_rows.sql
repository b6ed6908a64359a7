-- What some sessions come to, gathered from their traces: those of which the last span that names a session names this one. A session that
-- no span names is not here.
SELECT
    session AS id,
    min(begin) AS start_time,
    max(last) AS end_time,
    count() AS trace_count,
    sum(spans) AS span_count,
    sum(errors) AS error_count,
    sum(paid) AS paid_count,
    sum(unpriced) AS unpriced_count,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost) AS total_cost,
    argMaxIf(user_id, begin, user_id != '') AS user_id,
    argMaxIf(environment, begin, environment != '') AS environment,
    groupUniqArrayArray(tags) AS tags,
    arraySort(groupUniqArrayArray(models)) AS models,
    argMaxIf(repository, begin, repository != '') AS repository
FROM
(
    SELECT
        argMaxIf(session_id, time, session_id != '') AS session,
        toUnixTimestamp64Nano(min(ifNull(spans.start_time, time))) AS begin,
        toUnixTimestamp64Nano(max(spans.end_time)) AS last,
        count() AS spans,
        countIf(level = 'ERROR') AS errors,
        countIf(is_paid) AS paid,
        countIf(is_paid AND spans.total_cost IS NULL) AS unpriced,
        sumIf(input_tokens, is_paid) AS input_tokens,
        sumIf(output_tokens, is_paid) AS output_tokens,
        sumIf(spans.total_cost, is_paid) AS cost,
        argMaxIf(spans.user_id, time, spans.user_id != '') AS user_id,
        argMaxIf(spans.environment, time, spans.environment != '') AS environment,
        groupUniqArrayArrayIf(spans.tags, session_id != '') AS tags,
        groupUniqArrayIf(assumeNotNull(model), model != '') AS models,
        argMaxIf(spans.repository, time, spans.repository != '') AS repository
    FROM
    (
        WITH $counts
        SELECT trace_id, span_id, time, start_time, end_time, session_id, user_id, environment, tags, model, repository, level, type,
            input_tokens, output_tokens, total_cost, type IN ('generation', 'embedding') AND counts AS is_paid
        FROM spans FINAL
        PREWHERE $where
    ) AS spans
    GROUP BY trace_id
)
WHERE session IN {ids:Array(String)}
GROUP BY session
