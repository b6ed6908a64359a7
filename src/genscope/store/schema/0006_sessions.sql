-- What senders tell of a session itself, in pieces that unite; its traces are found by their spans' `session_id`.
CREATE TABLE IF NOT EXISTS sessions
(
    project_id LowCardinality(String),
    id         String,
    name       Nullable(String),
    start_time SimpleAggregateFunction(min, Nullable(DateTime64(9, 'UTC'))),
    end_time   SimpleAggregateFunction(max, Nullable(DateTime64(9, 'UTC'))),
    tags       SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    metadata   SimpleAggregateFunction(maxMap, Map(String, String)),
    repository LowCardinality(Nullable(String))
)
ENGINE = CoalescingMergeTree
ORDER BY (project_id, id)
SETTINGS fsync_after_insert = $fsync, fsync_part_directory = $fsync;
