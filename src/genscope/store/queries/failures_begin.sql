-- When the first failure came.
SELECT toUnixTimestamp64Nano(min(time)) AS begin, count() AS count FROM spans WHERE $where
