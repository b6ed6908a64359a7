-- What senders told of some sessions themselves.
SELECT id, name, toUnixTimestamp64Nano(start_time) AS start_time, toUnixTimestamp64Nano(end_time) AS end_time, tags, metadata, repository
FROM sessions FINAL
WHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
