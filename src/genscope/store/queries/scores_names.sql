-- What was said under each name, and how it is distributed. Of what is true or false the mean is the share of what is true. The histogram counts
-- numbers in equal bins from the least to the greatest of them, the first bin being 0.
WITH said AS
(
    SELECT name, data_type, source, value, ifNull(string_value, '') AS text, toUnixTimestamp64Nano(scores.time) AS at,
        min(value) OVER (PARTITION BY name, data_type) AS least,
        max(value) OVER (PARTITION BY name, data_type) AS greatest
    FROM scores FINAL
    WHERE $where
)
SELECT
    name,
    data_type,
    count() AS count,
    arraySort(groupUniqArray(source)) AS sources,
    min(at) AS first_time,
    max(at) AS last_time,
    any(least) AS least,
    any(greatest) AS greatest,
    avg(value) AS mean,
    if(count(value) = 0, NULL, quantileExact(0.5)(value)) AS median,
    sumMapIf(map(toInt32(ifNull(least(floor((value - least) * {bins:UInt8} / nullIf(greatest - least, 0)), {bins:UInt8} - 1), 0)), 1),
        value IS NOT NULL AND greatest > least) AS histogram,
    arraySlice(arraySort(each -> (-each.2, each.1),
        CAST(sumMapIf(map(substringUTF8(text, 1, 80), 1), data_type = 'CATEGORICAL') AS Array(Tuple(String, UInt64)))), 1, 12) AS categories,
    sumMap(map(toInt32(intDiv(at - {begin:Int64}, {width:Int64})), 1)) AS trend,
    sumMapIf(map(toInt32(intDiv(at - {begin:Int64}, {width:Int64})), assumeNotNull(value)), value IS NOT NULL) AS sums
FROM said
GROUP BY name, data_type
ORDER BY count DESC, name, data_type
LIMIT {limit:UInt64}
