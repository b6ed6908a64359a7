-- One row per provider, model and, if it is asked for, another column of the calls. Quantiles are exact, not sampled. A throughput
-- counts only calls whose duration and output are known.
WITH
    $counts,
    toUnixTimestamp64Nano(start_time) AS begin,
    toUnixTimestamp64Nano(end_time) - begin AS duration,
    toUnixTimestamp64Nano(completion_start_time) - begin AS first_token
SELECT
    $value AS value,
    provider,
    model,
    count() AS calls,
    countIf(level = 'ERROR') AS errors,
    $usage AS usage,
    sum(total_cost) AS cost,
    countIf(total_cost IS NULL) AS unpriced_calls,
    -- How often each reason is the one, by its place among them.
    countResample(1, $reasons + 1, 1)(if(total_cost IS NULL, indexOf($reason_names, assumeNotNull($missing)), 0)) AS missing,
    count(duration) AS timed_calls,
    quantilesExact(0.5, 0.95, 0.99)(duration) AS latency,
    count(first_token) AS streamed_calls,
    quantilesExact(0.5, 0.95, 0.99)(first_token) AS time_to_first_token,
    sumIf(output_tokens, duration > 0) / (sumIf(duration, output_tokens IS NOT NULL AND duration > 0) / 1e9) AS tokens_per_second,
    countResample(0, $steps, 1)(toUInt8(least(intDiv(toUnixTimestamp64Nano(time) - {first:Int64}, {step:Int64}), $steps - 1))) AS trend
FROM $spans
WHERE $where AND counts
GROUP BY value, provider, model
ORDER BY calls DESC, provider, model, value
LIMIT {limit:UInt32}
-- Few calls lack a cost, so the reason is worked out for these alone.
SETTINGS short_circuit_function_evaluation = 'force_enable'
