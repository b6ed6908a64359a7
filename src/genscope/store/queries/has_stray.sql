SELECT 1
FROM spans
WHERE project_id = {project_id:String} AND time = fromUnixTimestamp64Nano({stray:Int64}, 'UTC')
  AND trace_id = {trace_id:String} AND span_id = {span_id:String}
LIMIT 1
