-- How many rows there are to look at, and where they end: what arrives meanwhile is priced on its way in.
SELECT count() AS rows, toUnixTimestamp64Nano(max(time)) AS last
FROM spans
WHERE $where
