-- The traces whose calls are told of by several scopes. Where one scope tells of all calls, the ids are not read.
SELECT any(trace_id) AS trace_id
FROM traces
WHERE project_id = {project_id:String} AND ($traces)
  AND (SELECT min(first_scope) < max(last_scope) FROM traces WHERE project_id = {project_id:String} AND ($traces))
GROUP BY cityHash64(trace_id)
HAVING min(first_scope) < max(last_scope)
