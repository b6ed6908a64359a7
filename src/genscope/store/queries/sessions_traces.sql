-- The traces of which a span names one of some sessions, and where in time they lie.
SELECT trace_id, toUnixTimestamp64Nano(min(first_time)) AS first, toUnixTimestamp64Nano(max(last_time)) AS last
FROM traces
WHERE project_id = {project_id:String} AND trace_id IN (SELECT trace_id FROM spans WHERE $where AND session_id IN {ids:Array(String)})
GROUP BY trace_id
ORDER BY first, trace_id
