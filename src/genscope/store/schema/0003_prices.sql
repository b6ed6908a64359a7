-- Prices that a project sets itself, in US dollars per million tokens by kind of usage, and per call. The newest row of an id is the one
-- that holds; a price that was removed stays as its tombstone.
CREATE TABLE IF NOT EXISTS prices
(
    project_id String,
    id         String,
    model      String,
    provider   Nullable(String),
    start      Nullable(DateTime64(9, 'UTC')),
    prices     Map(String, Decimal(38, 12)),
    request    Nullable(Decimal(38, 12)),
    removed    Bool,
    updated    DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY (project_id, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Costs that were computed again and are on their way into `spans`: what the mutation that writes them looks up, by the key of a span, and
-- the tokens that they were computed from.
CREATE TABLE IF NOT EXISTS repriced
(
    project_id   String,
    time         DateTime64(9, 'UTC'),
    trace_id     String,
    span_id      String,
    staged       Bool DEFAULT true,
    input        UInt64,
    output       UInt64,
    provider     Nullable(String),
    service_tier Nullable(String),
    cost         Array(Tuple(kind String, amount Decimal(38, 12))),
    cost_source  Nullable(String),
    cost_missing Nullable(String),
    cost_rule    Nullable(String)
)
ENGINE = Join(ANY, LEFT, project_id, time, trace_id, span_id);
