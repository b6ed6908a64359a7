-- Failures of one kind each, by their fingerprint (`store.fingerprint`). A group tells of itself what its latest failure told.
SELECT
    fingerprint,
    count() AS count,
    min(at) AS first_time,
    max(at) AS last_time,
    any(type) AS type,
    any(name) AS name,
    any(exception) AS exception,
    argMax(message, at) AS message,
    arraySort(groupUniqArrayIf(20)(assumeNotNull(model), model != '')) AS models,
    arraySort(groupUniqArrayIf(20)(assumeNotNull(release), release != '')) AS releases,
    uniqExactIf(user_id, user_id != '') AS user_count,
    uniqExact(trace_id) AS trace_count,
    sumMap(map(toInt32(intDiv(at - {begin:Int64}, {width:Int64})), 1)) AS trend
FROM
(
    SELECT
        $fingerprint AS fingerprint,
        toUnixTimestamp64Nano(spans.time) AS at,
        ifNull(type, 'span') AS type,
        name,
        $exception AS exception,
        substringUTF8($message, 1, 1000) AS message,
        model,
        release,
        user_id,
        trace_id
    FROM $spans
    WHERE $where
)
GROUP BY fingerprint
HAVING $behind
ORDER BY $order DESC, fingerprint
LIMIT {limit:UInt64}
