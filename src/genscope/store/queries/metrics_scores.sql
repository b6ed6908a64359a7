SELECT $columns
FROM (SELECT * FROM scores FINAL WHERE $where) AS scores
$joins
