INSERT INTO spans (project_id) VALUES ('x')
DROP TABLE spans
ALTER TABLE spans DELETE WHERE 1
CREATE TABLE x (a Int8) ENGINE = Memory
CREATE TEMPORARY TABLE x (a Int8)
TRUNCATE TABLE spans
OPTIMIZE TABLE spans FINAL
SYSTEM SHUTDOWN
KILL QUERY WHERE 1
SET readonly = 0
USE system
ATTACH DATABASE x
GRANT ALL ON *.* TO default
EXPLAIN SELECT 1
SHOW TABLES
DESCRIBE TABLE spans
EXISTS TABLE api_keys
SELECT 1; SELECT 2
SELECT 1; DROP TABLE spans
SELECT 1 INTO OUTFILE 'stolen.txt'
SELECT 1 FORMAT JSON
SELECT 1 SETTINGS readonly = 0
SELECT * FROM spans SETTINGS additional_table_filters = {}
SELECT * FROM (SELECT * FROM spans SETTINGS max_execution_time = 0)
SELECT * FROM api_keys
SELECT * FROM default.api_keys
SELECT * FROM `default`.`api_keys`
SELECT * FROM "api_keys"
SELECT * FROM server_values
SELECT * FROM entities
SELECT * FROM traces_from_spans
SELECT * FROM default.spans
SELECT * FROM system.tables
SELECT * FROM system.query_log
SELECT * FROM INFORMATION_SCHEMA.tables
SELECT * FROM information_schema.columns
SELECT * FROM file('/etc/passwd', 'LineAsString')
SELECT * FROM '/etc/passwd'
SELECT * FROM `/etc/passwd`
SELECT file('/etc/passwd')
SELECT FILE ( '/etc/passwd' )
SELECT `file`('/etc/passwd')
SELECT "file"('/etc/passwd')
SELECT file/**/('/etc/passwd')
SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')
SELECT * FROM s3('http://127.0.0.1:1/x', 'LineAsString')
SELECT * FROM remote('127.0.0.1', 'default', 'spans')
SELECT * FROM remoteSecure('127.0.0.1', default.spans)
SELECT * FROM cluster('x', default.spans)
SELECT * FROM mysql('127.0.0.1:1', 'x', 'y', 'z', 'w')
SELECT * FROM postgresql('127.0.0.1:1', 'x', 'y', 'z', 'w')
SELECT * FROM jdbc('x', 'y', 'z')
SELECT * FROM executable('id', 'TSV', 'a String')
SELECT * FROM Python(rows)
SELECT * FROM python('rows')
SELECT * FROM input('a String')
SELECT * FROM merge('default', 'spans')
SELECT * FROM merge('default', '.*')
SELECT * FROM view(SELECT * FROM api_keys)
SELECT * FROM numbers(10)
SELECT * FROM numbers_mt(10000000000)
SELECT * FROM generateRandom('a String')
SELECT * FROM values('a String', 'x')
SELECT * FROM null('a String')
SELECT * FROM mergeTreeIndex('default', 'spans')
SELECT * FROM loop(default.spans)
SELECT * FROM dictionary('x')
SELECT * FROM format(LineAsString, 'x')
SELECT dictGet('x', 'y', 1)
SELECT joinGet('repriced', 'cost', 1)
SELECT joinGet('default.repriced', 'staged', 'default', now64(9), 'x', 'y')
SELECT hasColumnInTable('default', 'api_keys', 'secret_hash')
SELECT getSetting('readonly')
SELECT getMacro('x')
SELECT getServerSetting('path')
SELECT hostName()
SELECT fqdn()
SELECT currentDatabase()
SELECT currentUser()
SELECT version()
SELECT queryID()
SELECT sleep(3)
SELECT sleepEachRow(1) FROM spans
SELECT throwIf(1)
SELECT addressToLine(1)
SELECT demangle('x')
SELECT logTrace('x')
SELECT filesystemAvailable()
SELECT aiGenerate('x', 'y')
SELECT AIGenerate('say hello')
SELECT evalMLMethod(1, 2)
SELECT catboostEvaluate('/etc/passwd', 1)
SELECT arrayReduce('groupArray', [1])
SELECT initializeAggregation('sum', 1)
SELECT reinterpret(1, 'String')
SELECT formatQuery('SELECT 1')
SELECT chdb()
SELECT decrypt('aes-128-ecb', 'x', 'y')
SELECT 1 IN api_keys
SELECT 'x' IN (api_keys)
SELECT 'x' IN ((api_keys))
SELECT 'x' NOT IN default.api_keys
SELECT 'x' GLOBAL IN api_keys
SELECT in('x', api_keys)
SELECT globalIn('x', api_keys)
SELECT nullIn('x', api_keys)
SELECT * FROM spans WHERE (trace_id, span_id) IN api_keys
SELECT * FROM spans JOIN api_keys ON 1 = 1
SELECT * FROM spans, api_keys
SELECT * FROM spans CROSS JOIN default.api_keys
SELECT 1 UNION ALL SELECT secret_hash FROM api_keys
SELECT (SELECT count() FROM api_keys)
SELECT * FROM (SELECT * FROM (SELECT * FROM api_keys))
SELECT EXISTS (SELECT * FROM api_keys)
WITH x AS (SELECT * FROM api_keys) SELECT * FROM x
WITH (SELECT count() FROM api_keys) AS n SELECT n
WITH spans AS (SELECT 1) SELECT * FROM spans
SELECT * FROM (WITH api_keys AS (SELECT 1 AS a) SELECT * FROM api_keys) JOIN api_keys ON 1 = 1
SELECT project_id FROM spans
SELECT * FROM spans WHERE project_id = 'other'
SELECT * FROM spans WHERE _table = 'spans'
SELECT _part, _partition_id FROM spans
SELECT spans.project_id FROM spans
SELECT * FROM spans SAMPLE 1
SELECT * FROM spans FINAL
SELECT * FROM spans PREWHERE project_id = 'other'
SELECT COLUMNS('.*') FROM spans
SELECT COLUMNS('name') APPLY(file) FROM spans
SELECT * APPLY(file) FROM spans
SELECT * APPLY file FROM spans
SELECT * APPLY(x -> file(x)) FROM spans
SELECT arrayMap(file, ['/etc/passwd'])
SELECT arrayMap(x -> file(x), ['/etc/passwd'])
SELECT {project_id:String}
SELECT {x:Identifier} FROM spans
SELECT * FROM {t:Identifier}
SELECT 'x' /* ' */ FROM api_keys -- '
SELECT "a\" FROM api_keys -- "
SELECT `a\`, file('/etc/passwd') AS `b`
SELECT 1 AS "x(file('/etc/passwd'))"
SELECT $tag$ x $tag$, file('/etc/passwd')
SELECT \u0066ile('/etc/passwd')
SELECT ｆｉｌｅ('/etc/passwd')
SELECT * FROM ｓｐａｎｓ
SELECT 1 FROM spans\u0000; DROP TABLE spans
FROM api_keys SELECT *
TABLE api_keys
VALUES (1)
(SELECT * FROM api_keys)
SELECT * FROM spans ARRAY JOIN (SELECT groupArray(secret_hash) FROM api_keys) AS k
SELECT * FROM spans ORDER BY (SELECT count() FROM api_keys)
SELECT count() FROM spans LIMIT (SELECT count() FROM api_keys)
SELECT count() FROM spans GROUP BY 1 HAVING (SELECT count() FROM api_keys) > 0
SELECT sum(1) OVER (ORDER BY (SELECT count() FROM api_keys)) FROM spans
SELECT if(1, file('/etc/passwd'), '')
SELECT CASE WHEN 1 THEN file('/etc/passwd') END
SELECT [file('/etc/passwd')], {'a': file('/etc/passwd')}, (file('/etc/passwd'), 1)
SELECT countIf(file('/etc/passwd') != '')
SELECT fileIf('/etc/passwd', 1)
SELECT quantile(file('/etc/passwd'))(1)
SELECT INTERVAL file('/etc/passwd') DAY
SELECT CAST(file('/etc/passwd') AS String)
SELECT file('/etc/passwd')::String
SELECT EXTRACT(DAY FROM file('/etc/passwd'))
SELECT x.* FROM (SELECT 1) AS x, url('http://127.0.0.1:1/', CSV, 'a String') AS y
SELECT name FROM spans UNION DISTINCT SELECT name FROM system.users
SELECT * FROM spans INTERSECT SELECT * FROM default.spans
SELECT * FROM viewIfPermitted(SELECT * FROM api_keys ELSE null('a String'))
WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM api_keys) SELECT * FROM t
DELETE FROM spans WHERE 1
UPDATE spans SET name = 'x' WHERE 1
RENAME TABLE spans TO x
BACKUP TABLE spans TO File('x')
CREATE FUNCTION f AS x -> file(x)
PARALLEL WITH SELECT 1
SELECT "in"(1, api_keys)
SELECT "in"(1, spans)
SELECT arrayMap(FILE, ['/etc/passwd'])
SELECT arrayFold(file, ['/etc/passwd'], '')
SELECT mapApply(file, map('a', 'b'))
SELECT arraySort(file, ['/etc/passwd'])
SELECT arrayMap(hostName, [1])
SELECT path(file) FROM spans
SELECT hasAny(range(300000), arrayMap(x -> x + 1000000, range(300000)))
SELECT hasAll(range(300000), range(300000))
SELECT editDistance(repeat('a', 60000), repeat('b', 60000))
