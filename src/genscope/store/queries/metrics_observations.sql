SELECT $columns
FROM
(
    WITH $counts
    SELECT * EXCEPT (input_tokens, output_tokens, total_cost), input_tokens, output_tokens, total_cost,
        type IN ('generation', 'embedding') AND counts AS paid
    FROM $spans
    WHERE $where
) AS spans
$joins
