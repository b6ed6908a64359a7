-- One row per span. Rows of one key coalesce field by field: the last value that is not NULL wins, maps and tags unite. So a
-- span may arrive in pieces, in any order and more than once. NULL, and an empty map or array, is "not known".
--
-- The cost is a list of kinds and amounts, the total first; of two costs the one of the larger total wins as a whole. It is no map, because
-- costs are computed again when a price changes, and to change a column of type Map the engine rewrites all columns of a part.
--
-- Skip indexes: ids are found by bloom filter, words in prompt and completion by an inverted index.
CREATE TABLE IF NOT EXISTS spans
(
    project_id            LowCardinality(String),
    time                  DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id              String CODEC(ZSTD(1)),
    span_id               String CODEC(ZSTD(1)),
    parent_span_id        Nullable(String) CODEC(ZSTD(1)),
    type                  LowCardinality(Nullable(String)),
    name                  LowCardinality(Nullable(String)),
    start_time            SimpleAggregateFunction(min, Nullable(DateTime64(9, 'UTC'))) CODEC(Delta, ZSTD(1)),
    end_time              Nullable(DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
    completion_start_time Nullable(DateTime64(9, 'UTC')) CODEC(Delta, ZSTD(1)),
    level                 LowCardinality(Nullable(String)),
    status_message        Nullable(String) CODEC(ZSTD(1)),
    model                 LowCardinality(Nullable(String)),
    provider              LowCardinality(Nullable(String)),
    model_parameters      Nullable(String) CODEC(ZSTD(1)),
    input                 Nullable(String) CODEC(ZSTD(1)),
    output                Nullable(String) CODEC(ZSTD(1)),
    usage                 SimpleAggregateFunction(maxMap, Map(String, UInt64)) CODEC(ZSTD(1)),
    cost                  SimpleAggregateFunction(max, Array(Tuple(kind String, amount Decimal(38, 12)))) CODEC(ZSTD(1)),
    cost_source           LowCardinality(Nullable(String)),
    cost_missing          LowCardinality(Nullable(String)),
    service_tier          LowCardinality(Nullable(String)),
    server_address        LowCardinality(Nullable(String)),
    type_rule             LowCardinality(Nullable(String)),
    model_rule            LowCardinality(Nullable(String)),
    usage_rule            LowCardinality(Nullable(String)),
    cost_rule             LowCardinality(Nullable(String)),
    tools                 SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    tool_calls            SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    session_id            Nullable(String) CODEC(ZSTD(1)),
    user_id               Nullable(String) CODEC(ZSTD(1)),
    tags                  SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(1)),
    environment           LowCardinality(Nullable(String)),
    release               LowCardinality(Nullable(String)),
    version               LowCardinality(Nullable(String)),
    metadata              SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1)),
    trace_name            LowCardinality(Nullable(String)),
    trace_input           Nullable(String) CODEC(ZSTD(1)),
    trace_output          Nullable(String) CODEC(ZSTD(1)),
    trace_public          Nullable(Bool),
    trace_metadata        SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1)),
    is_root               Nullable(Bool),
    prompt_name           LowCardinality(Nullable(String)),
    prompt_version        LowCardinality(Nullable(String)),
    attributes            SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(1)),
    events                Nullable(String) CODEC(ZSTD(1)),
    links                 Nullable(String) CODEC(ZSTD(1)),
    resource              LowCardinality(Nullable(String)),
    scope_name            LowCardinality(Nullable(String)),
    scope_version         LowCardinality(Nullable(String)),
    scope_attributes      LowCardinality(Nullable(String)),
    kind                  LowCardinality(Nullable(String)),
    trace_state           Nullable(String) CODEC(ZSTD(1)),
    protocol              LowCardinality(Nullable(String)),

    -- The headline numbers again as plain columns, merged as the maps are: a sum over them reads a tenth of what one over the
    -- maps reads.
    input_tokens          SimpleAggregateFunction(max, Nullable(UInt64)) MATERIALIZED if(mapContains(usage, 'input'), usage['input'], NULL) CODEC(ZSTD(1)),
    output_tokens         SimpleAggregateFunction(max, Nullable(UInt64)) MATERIALIZED if(mapContains(usage, 'output'), usage['output'], NULL) CODEC(ZSTD(1)),
    total_cost            SimpleAggregateFunction(max, Nullable(Decimal(38, 12))) MATERIALIZED if(has(cost.kind, 'total'), cost.amount[indexOf(cost.kind, 'total')], NULL) CODEC(ZSTD(1)),

    INDEX trace_id_index   trace_id   TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX span_id_index    span_id    TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX session_id_index session_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX user_id_index    user_id    TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX input_index      input      TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking'),
    INDEX output_index     output     TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking')
)
ENGINE = CoalescingMergeTree
-- By month; clocks that are wrong by decades share the first and the last, because one insert into thousands of partitions
-- would keep everybody waiting.
PARTITION BY toYYYYMM(least(greatest(time, toDateTime64('2020-01-01 00:00:00', 9, 'UTC')), toDateTime64('2035-01-01 00:00:00', 9, 'UTC')))
ORDER BY (project_id, time, trace_id, span_id)
SETTINGS index_granularity = 1024, fsync_after_insert = $fsync, fsync_part_directory = $fsync;

-- Where in time a trace lies, and the first and last in the alphabet of the scopes that tell of calls in it: where they differ, one
-- call may be told twice. Only aggregates that a redelivered span cannot change.
CREATE TABLE IF NOT EXISTS traces
(
    project_id  LowCardinality(String),
    trace_id    String,
    first_time  SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    last_time   SimpleAggregateFunction(max, DateTime64(9, 'UTC')),
    first_scope SimpleAggregateFunction(min, Nullable(String)),
    last_scope  SimpleAggregateFunction(max, Nullable(String))
)
ENGINE = AggregatingMergeTree
ORDER BY (project_id, trace_id)
SETTINGS fsync_after_insert = $fsync, fsync_part_directory = $fsync;

CREATE MATERIALIZED VIEW IF NOT EXISTS traces_from_spans TO traces AS
WITH ifNull(type IN ('generation', 'embedding'), true) AS may_be_call, ifNull(scope_name, '') AS scope
SELECT
    project_id,
    trace_id,
    min(time) AS first_time,
    max(time) AS last_time,
    minOrNullIf(scope, may_be_call) AS first_scope,
    maxOrNullIf(scope, may_be_call) AS last_scope
FROM spans
GROUP BY project_id, trace_id;

-- What could not be taken, and why.
CREATE TABLE IF NOT EXISTS rejected
(
    project_id LowCardinality(String),
    time       DateTime64(6, 'UTC'),
    protocol   LowCardinality(String),
    trace_id   String,
    span_id    String,
    name       String,
    reason     String,
    payload    String CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (project_id, time)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS fsync_after_insert = $fsync, fsync_part_directory = $fsync;
