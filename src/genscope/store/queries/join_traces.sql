-- Rows are copied whole, then deleted: a crash in between leaves them twice, and the same again sets it right.
INSERT INTO spans
SELECT * REPLACE ({into:String} AS trace_id)
FROM (SELECT * FROM spans FINAL WHERE project_id = {project_id:String} AND trace_id = {trace_id:String});
INSERT INTO entities
SELECT * REPLACE ({into:String} AS trace_id)
FROM (SELECT * FROM entities FINAL WHERE project_id = {project_id:String} AND trace_id = {trace_id:String});
INSERT INTO scores
SELECT * REPLACE ({into:String} AS trace_id)
FROM (SELECT * FROM scores FINAL WHERE project_id = {project_id:String} AND trace_id = {trace_id:String});
DELETE FROM entities
WHERE project_id = {project_id:String} AND trace_id = {trace_id:String};
DELETE FROM spans
WHERE project_id = {project_id:String} AND trace_id = {trace_id:String};
