-- What was said about traces, spans and sessions. The row of the highest revision of an id is the one that holds; a score that was deleted
-- stays as its tombstone.
CREATE TABLE IF NOT EXISTS scores
(
    project_id   LowCardinality(String),
    id           String CODEC(ZSTD(1)),
    name         LowCardinality(String),
    time         DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    data_type    LowCardinality(String),
    value        Nullable(Float64),
    string_value Nullable(String) CODEC(ZSTD(1)),
    comment      Nullable(String) CODEC(ZSTD(1)),
    trace_id     Nullable(String) CODEC(ZSTD(1)),
    span_id      Nullable(String) CODEC(ZSTD(1)),
    session_id   Nullable(String) CODEC(ZSTD(1)),
    source       LowCardinality(String),
    environment  LowCardinality(Nullable(String)),
    config_id    Nullable(String) CODEC(ZSTD(1)),
    metadata     Map(String, String) CODEC(ZSTD(1)),
    protocol     LowCardinality(String),
    repository   LowCardinality(Nullable(String)),
    removed      Bool,
    revision     UInt64,

    INDEX trace_id_index   trace_id   TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_index session_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (project_id, id)
SETTINGS index_granularity = 1024, fsync_after_insert = $fsync, fsync_part_directory = $fsync;
