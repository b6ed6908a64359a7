-- The total of tokens that a sender told, which is all that is known where it told no parts, as a plain column like the other headline numbers.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS told_tokens SimpleAggregateFunction(max, Nullable(UInt64)) MATERIALIZED if(mapContains(usage, 'total'), usage['total'], NULL) CODEC(ZSTD(1));
-- What was stored before gets both in the background: to work them out of its maps again and again took ten times as long as to read them.
ALTER TABLE spans MATERIALIZE COLUMN cached_tokens;
ALTER TABLE spans MATERIALIZE COLUMN told_tokens;
