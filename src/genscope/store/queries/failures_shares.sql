-- How often failures came with each value of some columns, by column the most frequent first.
SELECT $columns
FROM $spans
WHERE $where
