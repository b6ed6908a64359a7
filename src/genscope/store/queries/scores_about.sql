-- What the latest scores were about: the calls that they were said of, or those of the trace that they were said of as a whole, by model, name and
-- prompt. A score counts once for each value, however many of the trace's calls have it. `first` and `last` say where the traces lie.
WITH said AS
(
    SELECT id, value, assumeNotNull(trace_id) AS of, nullIf(span_id, concat(trace_id, ':root')) AS about
    FROM scores FINAL
    WHERE $where AND trace_id IS NOT NULL
    ORDER BY scores.time DESC
    LIMIT {most:UInt64}
),
extent AS (SELECT min(first_time) AS first, max(last_time) AS last FROM traces WHERE project_id = {project_id:String} AND trace_id IN (SELECT of FROM said))
SELECT each.1 AS field, each.2 AS value, count() AS count, avg(mean) AS mean
FROM
(
    SELECT said.id, any(said.value) AS mean,
        groupUniqArrayArray([('model', ifNull(model, '')), ('name', ifNull(calls.name, '')),
            ('prompt', if(prompt_name != '', concat(prompt_name, if(prompt_version != '', concat(' · ', prompt_version), '')), ''))]) AS values
    FROM
    (
        SELECT trace_id, span_id, type, model, name, prompt_name, prompt_version
        FROM spans FINAL
        PREWHERE project_id = {project_id:String} AND time >= (SELECT first FROM extent) AND time <= (SELECT last FROM extent)
            AND trace_id IN (SELECT of FROM said)
    ) AS calls
    INNER JOIN said ON said.of = calls.trace_id
    WHERE if(said.about IS NULL, type = 'generation', said.about = calls.span_id)
    GROUP BY said.id
)
ARRAY JOIN values AS each
WHERE each.2 != ''
GROUP BY field, value
ORDER BY field, count DESC, value
LIMIT {limit:UInt64} BY field
