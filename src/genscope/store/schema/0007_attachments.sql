-- Files and links that belong to spans and traces, by the id of the entity's span, which does not change when a span finds its trace; so nothing
-- moves. `trace_id` is empty where the sender did not tell the trace. The bytes lie in the object store.
CREATE TABLE IF NOT EXISTS attachments
(
    project_id LowCardinality(String),
    span_id    String CODEC(ZSTD(1)),
    repository LowCardinality(String),
    trace_id   String CODEC(ZSTD(1)),
    id         String CODEC(ZSTD(1)),
    time       SimpleAggregateFunction(min, Int64) CODEC(Delta, ZSTD(1)),
    name       Nullable(String) CODEC(ZSTD(1)),
    key        Nullable(String) CODEC(ZSTD(1)),
    url        Nullable(String) CODEC(ZSTD(1)),
    mime_type  LowCardinality(Nullable(String)),
    size       Nullable(UInt64),
    place      LowCardinality(Nullable(String)),
    metadata   SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1)),

    INDEX key_index key TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = CoalescingMergeTree
ORDER BY (project_id, span_id, repository, trace_id, id)
-- A page of a list asks about spans all over the table: small granules and blocks are what it reads little of.
SETTINGS index_granularity = 256, min_compress_block_size = 4096, max_compress_block_size = 16384, fsync_after_insert = $fsync, fsync_part_directory = $fsync;
