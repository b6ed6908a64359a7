-- What was read from a cache as a plain column, like the other headline numbers: the share that was cached is asked of every model. What was
-- stored before gets it by 0012.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS cached_tokens SimpleAggregateFunction(max, Nullable(UInt64)) MATERIALIZED if(mapContains(usage, 'input_cache_read'), usage['input_cache_read'], NULL) CODEC(ZSTD(1));
