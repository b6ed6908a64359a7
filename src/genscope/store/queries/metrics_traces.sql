SELECT $columns
FROM (SELECT * FROM ($traces) WHERE $whole) AS traces
$joins
