-- What calls used, added up as far as their bills add up. $lines works out the lines of a call's bill, of the kinds that `structure` stands
-- for; where there are no lines, the calls with the very same usage are together.
WITH
    $counts,
    $kinds AS kinds,
    $amounts AS amounts,
    transform(cityHash64(kinds), $structures, range(1, length($structures) + 1), 0) AS structure,
    $lines AS lines
SELECT
    $label AS called,
    provider,
    model,
    assumeNotNull(type) AS type,
    structure,
    $size AS size,
    roundDown(toUnixTimestamp64Nano($start), $segments) AS segment,
    arrayMap(line -> line > 0, lines) AS billed,
    if(structure = 0, kinds, []) AS odd_kinds,
    if(structure = 0, amounts, []) AS odd_amounts,
    total_cost IS NOT NULL AS priced,
    count() AS calls,
    sum(total_cost) AS cost,
    sumForEach(arrayMap(line -> greatest(line, 0), lines)) AS sums
FROM $spans
WHERE $where AND counts
GROUP BY called, provider, model, type, structure, size, segment, billed, odd_kinds, odd_amounts, priced
