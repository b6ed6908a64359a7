-- The calls to a model by what is known of their cost. A span that came in pieces may lack its reason: then it is what the whole lacks.
WITH
    $counts,
    input_tokens IS NULL AND output_tokens IS NULL AS without_usage,
    greatest(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), usage['total']) AS total_tokens
SELECT
    type,
    provider,
    model,
    total_cost IS NOT NULL AS priced,
    cost_source,
    multiIf(priced, NULL, cost_missing IS NOT NULL, cost_missing, without_usage, 'no_usage', model IS NULL, 'no_model', 'unknown_model') AS missing,
    count() AS calls,
    countIf(without_usage) AS calls_without_usage,
    sum(total_tokens) AS tokens,
    sum(total_cost) AS cost,
    toUnixTimestamp64Nano(min(time)) AS first_time,
    toUnixTimestamp64Nano(max(time)) AS last_time
FROM spans FINAL
WHERE $where AND counts
GROUP BY type, provider, model, priced, cost_source, missing
