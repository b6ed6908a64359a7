-- One row per provider and model. Quantiles are exact, not sampled. A throughput counts only calls whose duration and output are known.
WITH
    $counts,
    toUnixTimestamp64Nano(start_time) AS begin,
    (toUnixTimestamp64Nano(end_time) - begin) / 1e6 AS duration,
    (toUnixTimestamp64Nano(completion_start_time) - begin) / 1e6 AS first_token
SELECT
    provider,
    model,
    count() AS calls,
    countIf(level = 'ERROR') AS errors,
    sumMap(usage) AS usage,
    sum(total_cost) AS cost,
    countIf(total_cost IS NULL) AS unpriced_calls,
    count(duration) AS timed_calls,
    quantilesExact(0.5, 0.95, 0.99)(duration) AS latency,
    count(first_token) AS streamed_calls,
    quantilesExact(0.5, 0.95, 0.99)(first_token) AS time_to_first_token,
    sumIf(output_tokens, duration > 0) / (sumIf(duration, output_tokens IS NOT NULL AND duration > 0) / 1e3) AS tokens_per_second
FROM spans FINAL
WHERE $where AND counts
GROUP BY provider, model
ORDER BY calls DESC, provider, model
