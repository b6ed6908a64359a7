-- Exact quantiles of what each model's calls took, cost and told; and of how many calls each is known.
WITH
    $counts,
    toUnixTimestamp64Nano(start_time) AS begin,
    toUnixTimestamp64Nano(end_time) - begin AS duration
SELECT provider, model, measure, count(amount) AS calls, avg(amount) AS mean, quantilesExact($levels)(amount) AS quantiles
FROM
(
    SELECT provider, model, $measures AS amounts
    FROM $spans
    WHERE $where AND counts
)
ARRAY JOIN amounts AS amount, arrayEnumerate(amounts) AS measure
GROUP BY provider, model, measure
