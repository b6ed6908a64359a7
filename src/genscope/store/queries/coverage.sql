-- The calls to a model by what is known of their cost.
WITH
    $counts,
    input_tokens IS NULL AND output_tokens IS NULL AS without_usage,
    greatest(ifNull(input_tokens, 0) + ifNull(output_tokens, 0), ifNull(told_tokens, 0)) AS total_tokens
SELECT
    type,
    provider,
    model,
    total_cost IS NOT NULL AS priced,
    cost_source,
    if(priced, NULL, $missing) AS missing,
    count() AS calls,
    countIf(without_usage) AS calls_without_usage,
    sum(total_tokens) AS tokens,
    sum(total_cost) AS cost,
    toUnixTimestamp64Nano(min(time)) AS first_time,
    toUnixTimestamp64Nano(max(time)) AS last_time
FROM $spans
WHERE $where AND counts
GROUP BY type, provider, model, priced, cost_source, missing
