SELECT toUnixTimestamp64Nano(min(time)) AS first, toUnixTimestamp64Nano(max(time)) AS last
FROM spans
WHERE project_id = {project_id:String}
HAVING count() > 0
