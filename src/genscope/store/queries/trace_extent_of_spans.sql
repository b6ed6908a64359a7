SELECT trace_id, toUnixTimestamp64Nano(min(time)) AS first, toUnixTimestamp64Nano(max(time)) AS last
FROM spans
WHERE project_id = {project_id:String} AND trace_id = {trace_id:String}
GROUP BY trace_id
