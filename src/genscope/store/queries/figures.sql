-- Figures over spans, grouped in one way or in several at once; `set` says in which. Those of calls to a model count each call once, whoever
-- tells of it.
SELECT $columns, $set AS set
FROM
(
    WITH $counts
    SELECT * EXCEPT (input_tokens, output_tokens, total_cost, cached_tokens), input_tokens, output_tokens, total_cost, cached_tokens,
        type IN ('generation', 'embedding') AND counts AS paid
    FROM $spans
    WHERE $where
) AS spans
$joins
$sets
ORDER BY $order
LIMIT {limit:UInt32} BY set
