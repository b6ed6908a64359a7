-- Messages that were appended to an input, each beneath its order counted down in 16 hexadecimal digits: of a part that is told twice the one
-- that was told first holds. So do the entries of maps of spans in pieces: byte 1, the order in 16 digits, the JSON text.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS repository LowCardinality(Nullable(String));
ALTER TABLE spans ADD COLUMN IF NOT EXISTS input_parts SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1));

-- Where the things are that senders tell of in pieces, by the names that they have for them, and what has to be known of a thing to take one
-- more piece of it: when each value of each field was told first, which decides what of a piece that comes late still counts, and
-- what its price depends on. No payloads. A row is stored before the piece of the span that it places.
--
-- `times` has one element but where several servers met a thing at once; then the earliest is its place, and at the others there may be
-- pieces of the span that are to be moved there.
CREATE TABLE IF NOT EXISTS entities
(
    project_id     LowCardinality(String),
    id             String CODEC(ZSTD(1)),
    kind           LowCardinality(String),
    repository     LowCardinality(String),
    trace_id       String CODEC(ZSTD(1)),
    times          SimpleAggregateFunction(groupUniqArrayArray, Array(Int64)) CODEC(ZSTD(1)),
    linked         SimpleAggregateFunction(max, Int64) CODEC(Delta, ZSTD(1)),
    revisions      SimpleAggregateFunction(minMap, Map(String, UInt64)) CODEC(ZSTD(1)),
    start_time     SimpleAggregateFunction(min, Nullable(Int64)) CODEC(ZSTD(1)),
    type           LowCardinality(Nullable(String)),
    model          LowCardinality(Nullable(String)),
    provider       LowCardinality(Nullable(String)),
    service_tier   LowCardinality(Nullable(String)),
    server_address LowCardinality(Nullable(String)),
    usage          SimpleAggregateFunction(maxMap, Map(String, UInt64)) CODEC(ZSTD(1)),
    cost_source    LowCardinality(Nullable(String)),
    highest_cost   SimpleAggregateFunction(max, Nullable(Decimal(38, 12))) CODEC(ZSTD(1)),

    INDEX trace_id_index trace_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = CoalescingMergeTree
ORDER BY (project_id, id, kind, repository, trace_id)
-- Things are looked up one by one all over the table: small blocks are what that reads little of.
SETTINGS index_granularity = 512, min_compress_block_size = 4096, max_compress_block_size = 16384, fsync_after_insert = $fsync, fsync_part_directory = $fsync;
