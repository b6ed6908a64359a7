-- When the first failure of a kind came, and in which release.
SELECT
    toUnixTimestamp64Nano(min(spans.time)) AS time,
    argMin(release, spans.time) AS release,
    count() AS count
FROM $spans
WHERE $where
