-- How many rows begin in each stretch of time. What began before 1970 has a negative number, and is rounded down as well.
SELECT
    toInt64(floor(toUnixTimestamp64Nano(time) / {width:Int64})) * {width:Int64} AS start,
    $count AS count,
    $errors AS errors
FROM spans FINAL
WHERE $where
GROUP BY start
ORDER BY start
