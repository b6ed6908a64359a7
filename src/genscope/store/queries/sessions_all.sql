-- All sessions by their beginning: those that a span of a trace names, which all of the trace belongs to, and those that senders told of themselves.
SELECT $columns
FROM
(
    SELECT
        id,
        toUnixTimestamp64Nano(ifNull(min(first), toDateTime64(0, 9, 'UTC'))) AS start,
        any(environment) AS environment
    FROM
    (
        SELECT
            assumeNotNull(session) AS id,
            toNullable(min(begin)) AS first,
            CAST(argMaxIf(environment, begin, environment != '') AS Nullable(String)) AS environment
        FROM
        (
            SELECT
                argMaxIf(session_id, time, session_id != '') AS session,
                min(ifNull(spans.start_time, time)) AS begin,
                argMaxIf(spans.environment, time, spans.environment != '') AS environment
            FROM spans FINAL
            WHERE project_id = {project_id:String}
              AND trace_id IN (SELECT trace_id FROM spans WHERE project_id = {project_id:String} AND session_id != '')
            GROUP BY trace_id
        )
        WHERE session != ''
        GROUP BY session
        UNION ALL
        SELECT id, start_time, NULL
        FROM sessions FINAL
        WHERE project_id = {project_id:String}
    )
    GROUP BY id
)
WHERE $where
