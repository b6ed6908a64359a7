SELECT count() AS traces, toUnixTimestamp64Nano(min(first)) AS oldest
FROM
(
    SELECT min(first_time) AS first
    FROM traces
    WHERE project_id = {project_id:String}
    GROUP BY trace_id
    HAVING max(last_time) < fromUnixTimestamp64Nano({before:Int64}, 'UTC')
)
