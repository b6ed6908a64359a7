SELECT trace_id, start_time
FROM (SELECT trace_id, min(first_time) AS start_time FROM traces WHERE project_id = {project_id:String} GROUP BY trace_id)
WHERE $where
