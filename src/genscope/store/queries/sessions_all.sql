-- Sessions: those that spans name, and those that senders told of themselves. `named` is on the rows of spans, which have an index of sessions
-- that a condition on the groups cannot use.
SELECT $columns
FROM
(
    SELECT
        id,
        any(name) AS name,
        toUnixTimestamp64Nano(ifNull(min(first), toDateTime64(0, 9, 'UTC'))) AS start,
        toUnixTimestamp64Nano(max(last)) AS end,
        sum(traces) AS trace_count,
        sum(spans) AS span_count,
        any(user_id) AS user_id,
        any(environment) AS environment,
        groupUniqArrayArray(tags) AS tags,
        maxMap(metadata) AS metadata,
        any(repository) AS repository
    FROM
    (
        SELECT
            assumeNotNull(session_id) AS id,
            CAST(NULL AS Nullable(String)) AS name,
            toNullable(min(ifNull(spans.start_time, time))) AS first,
            max(spans.end_time) AS last,
            uniqExact(trace_id) AS traces,
            count() AS spans,
            argMaxIf(user_id, time, user_id != '') AS user_id,
            CAST(argMaxIf(environment, time, environment != '') AS Nullable(String)) AS environment,
            groupUniqArrayArray(tags) AS tags,
            CAST(map() AS Map(String, String)) AS metadata,
            CAST(argMaxIf(repository, time, repository != '') AS Nullable(String)) AS repository
        FROM spans FINAL
        WHERE project_id = {project_id:String} AND session_id != '' AND ($named)
        GROUP BY session_id
        UNION ALL
        SELECT id, name, start_time, end_time, 0, 0, NULL, NULL, tags, metadata, CAST(repository AS Nullable(String))
        FROM sessions FINAL
        WHERE project_id = {project_id:String}
    )
    GROUP BY id
)
WHERE $where
