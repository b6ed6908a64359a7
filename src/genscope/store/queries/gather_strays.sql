-- As with the joining of traces: copied, then deleted.
INSERT INTO spans
SELECT * REPLACE (fromUnixTimestamp64Nano({time:Int64}, 'UTC') AS time)
FROM
(
    SELECT *
    FROM spans FINAL
    WHERE project_id = {project_id:String} AND time = fromUnixTimestamp64Nano({stray:Int64}, 'UTC')
      AND trace_id = {trace_id:String} AND span_id = {span_id:String}
);
DELETE FROM spans
WHERE project_id = {project_id:String} AND time = fromUnixTimestamp64Nano({stray:Int64}, 'UTC')
  AND trace_id = {trace_id:String} AND span_id = {span_id:String};
