SELECT $columns
FROM
(
    WITH $counts
    SELECT *, input_tokens, output_tokens, total_cost, type IN ('generation', 'embedding') AND counts AS paid
    FROM spans FINAL
    WHERE $where
) AS spans
$joins
