-- How many spans begin in each stretch of time. What began before 1970 has a negative number, and is rounded down as well.
SELECT
    toUnixTimestamp64Nano(time) - positiveModulo(toUnixTimestamp64Nano(time), {width:Int64}) AS start,
    count() AS count,
    countIf(level = 'ERROR') AS errors
FROM $spans
WHERE $where
GROUP BY start
ORDER BY start
