-- What users come to, gathered from their traces: those of which the last span that names a user names this one.
SELECT
    user AS id,
    min(first) AS first_time,
    max(latest) AS last_time,
    count() AS trace_count,
    uniqExactIf(session, session != '') AS session_count,
    sum(generations) AS generation_count,
    sum(errors) AS error_count,
    sum(paid) AS paid_count,
    sum(unpriced) AS unpriced_count,
    sum(input) AS input_tokens,
    sum(output) AS output_tokens,
    sum(cost) AS total_cost
FROM
(
    SELECT
        argMaxIf(user_id, time, user_id != '') AS user,
        argMaxIf(session_id, time, session_id != '') AS session,
        toUnixTimestamp64Nano(min(time)) AS first,
        toUnixTimestamp64Nano(max(time)) AS latest,
        countIf(is_paid AND type = 'generation') AS generations,
        countIf(level = 'ERROR') AS errors,
        countIf(is_paid) AS paid,
        countIf(is_paid AND spans.total_cost IS NULL) AS unpriced,
        sumIf(input_tokens, is_paid) AS input,
        sumIf(output_tokens, is_paid) AS output,
        sumIf(spans.total_cost, is_paid) AS cost
    FROM
    (
        WITH $counts
        SELECT trace_id, time, user_id, session_id, type, level, input_tokens, output_tokens, total_cost,
            type IN ('generation', 'embedding') AND counts AS is_paid
        FROM $spans
        WHERE $where
    ) AS spans
    GROUP BY cityHash64(trace_id)
)
WHERE $users
GROUP BY user
HAVING $behind
ORDER BY $order DESC NULLS LAST, user
LIMIT {limit:UInt64}
