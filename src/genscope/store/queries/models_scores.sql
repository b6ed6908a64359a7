-- What was said of the calls to each model: of a call itself, or of its trace as a whole. A score counts once for a model, however many
-- of its calls the trace has. The mean of what is true or false is the share of what is true.
WITH
    $counts,
    said AS
    (
        SELECT id, name, data_type, value, trace_id, $span_in_trace AS about
        FROM scores FINAL
        WHERE $said AND value IS NOT NULL AND trace_id IS NOT NULL AND data_type IN ('NUMERIC', 'BOOLEAN')
    )
SELECT grouped AS value, provider, model, name, data_type, count() AS scores, avg(value) AS mean
FROM
(
    SELECT DISTINCT calls.grouped AS grouped, calls.provider AS provider, calls.model AS model, said.id AS id, said.name AS name,
        said.data_type AS data_type, said.value AS value
    FROM
    (
        SELECT $value AS grouped, provider, model, trace_id, span_id
        FROM $spans
        WHERE $where AND trace_id IN (SELECT assumeNotNull(trace_id) FROM said) AND counts
    ) AS calls
    INNER JOIN said ON said.trace_id = calls.trace_id
    WHERE said.about IS NULL OR said.about = calls.span_id
)
GROUP BY grouped, provider, model, name, data_type
ORDER BY scores DESC, name
