SELECT trace_id, toUnixTimestamp64Nano(min(first_time)) AS first, toUnixTimestamp64Nano(max(last_time)) AS last
FROM traces
WHERE project_id = {project_id:String} AND trace_id IN {trace_ids:Array(String)}
GROUP BY trace_id
