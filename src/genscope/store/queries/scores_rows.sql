SELECT $columns
FROM scores FINAL
WHERE $where
ORDER BY scores.time DESC, id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
