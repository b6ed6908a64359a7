-- Sessions: those that a span of a trace names, which all of the trace belongs to, and those that senders told of themselves. `named` is on
-- the rows of spans, which have an index of sessions that a condition on the groups cannot use.
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
            assumeNotNull(session) AS id,
            CAST(NULL AS Nullable(String)) AS name,
            toNullable(min(begin)) AS first,
            max(last) AS last,
            count() AS traces,
            sum(spans) AS spans,
            argMaxIf(user_id, begin, user_id != '') AS user_id,
            CAST(argMaxIf(environment, begin, environment != '') AS Nullable(String)) AS environment,
            groupUniqArrayArray(tags) AS tags,
            CAST(map() AS Map(String, String)) AS metadata,
            CAST(argMaxIf(repository, begin, repository != '') AS Nullable(String)) AS repository
        FROM
        (
            SELECT
                argMaxIf(session_id, time, session_id != '') AS session,
                min(ifNull(spans.start_time, time)) AS begin,
                max(spans.end_time) AS last,
                count() AS spans,
                argMaxIf(spans.user_id, time, spans.user_id != '') AS user_id,
                argMaxIf(spans.environment, time, spans.environment != '') AS environment,
                groupUniqArrayArrayIf(spans.tags, session_id != '') AS tags,
                argMaxIf(spans.repository, time, spans.repository != '') AS repository
            FROM spans FINAL
            WHERE project_id = {project_id:String}
              AND trace_id IN (SELECT trace_id FROM spans WHERE project_id = {project_id:String} AND session_id != '' AND ($named))
            GROUP BY trace_id
        )
        WHERE session != ''
        GROUP BY session
        UNION ALL
        SELECT id, name, start_time, end_time, 0, 0, NULL, NULL, tags, metadata, CAST(repository AS Nullable(String))
        FROM sessions FINAL
        WHERE project_id = {project_id:String}
    )
    GROUP BY id
)
WHERE $where
