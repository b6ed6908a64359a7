-- The rows of each trace of `orphans` become rows of the one at its position in `wholes`. They are copied, then deleted, and where they
-- are is forgotten last: a crash in between leaves some twice, and the same again sets it right.
INSERT INTO spans
SELECT * REPLACE (transform(trace_id, {orphans:Array(String)}, {wholes:Array(String)}) AS trace_id)
FROM
(
    SELECT *
    FROM spans FINAL
    WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)}
      AND time >= (SELECT min(first_time) FROM traces WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)})
      AND time <= (SELECT max(last_time) FROM traces WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)})
);
INSERT INTO entities
SELECT * REPLACE (transform(trace_id, {orphans:Array(String)}, {wholes:Array(String)}) AS trace_id)
FROM (SELECT * FROM entities FINAL WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)});
INSERT INTO scores
SELECT * REPLACE (CAST(transform(assumeNotNull(trace_id), {orphans:Array(String)}, {wholes:Array(String)}), 'Nullable(String)') AS trace_id)
FROM (SELECT * FROM scores FINAL WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)});
DELETE FROM spans
WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)};
DELETE FROM traces
WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)};
DELETE FROM entities
WHERE project_id = {project_id:String} AND trace_id IN {orphans:Array(String)};
