-- How often each model's calls took, cost or told about as much: $per_decade bins to a power of ten, by the exponent of their lower edge.
WITH
    $counts,
    toUnixTimestamp64Nano(start_time) AS begin,
    toUnixTimestamp64Nano(end_time) - begin AS duration
SELECT provider, model, measure, toInt32(floor(log10(amount) * $per_decade)) AS bin, count() AS calls
FROM
(
    SELECT provider, model, $measures AS amounts
    FROM $spans
    WHERE $where AND counts
)
ARRAY JOIN amounts AS amount, arrayEnumerate(amounts) AS measure
WHERE amount > 0
GROUP BY provider, model, measure, bin
ORDER BY bin
