-- The traces that a list of traces has, see traces_keys.sql.
SELECT trace_id
FROM traces
WHERE project_id = {project_id:String}
  AND trace_id IN (SELECT DISTINCT trace_id FROM spans FINAL WHERE $where)
GROUP BY trace_id
HAVING $begin
ORDER BY trace_id
LIMIT {limit:UInt64}
