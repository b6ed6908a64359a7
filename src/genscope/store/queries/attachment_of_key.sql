-- What is told with a key stands in the same row, so that nothing has to merge.
SELECT span_id, repository, trace_id, id, time, name, key, url, mime_type, size, place, metadata
FROM attachments
WHERE project_id = {project_id:String} AND key = {key:String}
LIMIT 1
