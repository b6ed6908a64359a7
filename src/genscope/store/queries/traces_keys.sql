-- Traces that begin within the window, in the order of their beginning. A trace that began before the window has spans in it too,
-- so the beginning is asked of `traces`, which knows it whole.
SELECT trace_id, toUnixTimestamp64Nano(min(first_time)) AS first, toUnixTimestamp64Nano(max(last_time)) AS last
FROM traces
WHERE project_id = {project_id:String}
  AND trace_id IN (SELECT DISTINCT trace_id FROM $spans WHERE $where)
GROUP BY trace_id
HAVING $having
ORDER BY first DESC, trace_id DESC
LIMIT {limit:UInt64}
