-- When the first and the last span of a range of time begin.
SELECT toUnixTimestamp64Nano(min(time)) AS first, toUnixTimestamp64Nano(max(time)) AS last
FROM spans
WHERE $where
HAVING count() > 0
