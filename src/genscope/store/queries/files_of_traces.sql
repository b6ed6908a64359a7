-- The keys of files that belong to these traces and to nothing else.
WITH trace_id IN {trace_ids:Array(String)}
    OR (trace_id = '' AND concat(repository, '/', span_id) IN {ids:Array(String)}) AS theirs
SELECT key
FROM attachments
WHERE project_id = {project_id:String}
  AND key IN (SELECT key FROM attachments WHERE project_id = {project_id:String} AND theirs)
GROUP BY key
HAVING min(theirs)
