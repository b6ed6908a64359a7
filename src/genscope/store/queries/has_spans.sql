SELECT 1 FROM spans WHERE project_id = {project_id:String} LIMIT 1
