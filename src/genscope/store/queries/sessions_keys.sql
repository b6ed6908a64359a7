-- Sessions by their latest activity: where the latest span lies that names one, or when one began that no span names. Within a window of time
-- that reaches to the end of the list this is exact for all that were active in it.
SELECT id, toUnixTimestamp64Nano(max(at)) AS last
FROM
(
    SELECT assumeNotNull(session_id) AS id, time AS at
    FROM spans FINAL
    WHERE $spans AND session_id != ''
    UNION ALL
    SELECT id, ifNull(start_time, toDateTime64(0, 9, 'UTC')) AS at
    FROM sessions FINAL
    WHERE $told
)
GROUP BY id
HAVING $having
ORDER BY last DESC, id DESC
LIMIT {limit:UInt64}
