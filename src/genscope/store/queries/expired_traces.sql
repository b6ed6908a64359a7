SELECT trace_id
FROM traces
WHERE project_id = {project_id:String}
GROUP BY trace_id
HAVING max(last_time) < fromUnixTimestamp64Nano({before:Int64}, 'UTC')
LIMIT {limit:UInt32}
