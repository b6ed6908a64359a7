SELECT toString(assumeNotNull(said)) AS said, count() AS times
FROM (SELECT $value AS said FROM $spans WHERE $where)
WHERE said IS NOT NULL AND said != '' AND startsWith(lowerUTF8(toString(assumeNotNull(said))), lowerUTF8({prefix:String}))
GROUP BY said
ORDER BY times DESC, said
LIMIT {limit:UInt64}
