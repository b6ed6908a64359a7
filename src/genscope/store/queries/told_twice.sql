-- Whether a span counts as a call to a model. It does not if another one counts for its call: two libraries may tell of one call, as where an SDK traces itself beneath
-- an instrumentation. What is taken for one call is said in docs/pricing.md. All queries that count calls share this.
--
-- The condition `told` is on the rows of `spans`. Ids are hashes, which are sorted and looked up several times faster.
tellings AS
(
    SELECT
        cityHash64(trace_id, span_id) AS id,
        cityHash64(trace_id, type, input_tokens) AS alike,
        ifNull(scope_name, '') AS scope,
        time AS begin,
        greatest(time, ifNull(end_time, time)) AS end,
        ifNull(output_tokens, 0) AS output,
        total_cost IS NOT NULL AS priced,
        -- Whose model it is, as far as its name says; that of a deployment or a fine-tuned one may be anything.
        transform(
            extract(lower(ifNull(model, ifNull(provider, ''))),
                    'anthropic|claude|cohere|command|deepseek|gemini|google|gpt|grok|llama|mistral|openai|qwen'),
            ['anthropic', 'claude', 'cohere', 'command', 'deepseek', 'gemini', 'google', 'gpt', 'openai', 'grok', 'llama', 'mistral', 'qwen'],
            [1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 8, 9], 0) AS maker
    FROM spans FINAL
    PREWHERE trace_id IN ($traces)
    WHERE ($told) AND type IN ('generation', 'embedding') AND input_tokens > 0
),
-- Tellings that are alike fall into groups that do not touch in time. In each of these those of one scope are numbered, so that
-- of several calls at once none counts for two others. They are told apart by what they answered and when they ended: begun together
-- they were told of in any order.
numbered AS
(
    SELECT *, row_number() OVER (PARTITION BY alike, together, scope ORDER BY output, end, id) AS number
    FROM
    (
        SELECT *, sum(apart) OVER (PARTITION BY alike ORDER BY begin, id) AS together
        FROM
        (
            SELECT *, begin > max(end) OVER (PARTITION BY alike ORDER BY begin, id
                                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS apart
            FROM tellings
        )
    )
),
-- Of those with the same number the innermost counts that has a price.
told_twice AS
(
    SELECT id
    FROM
    (
        SELECT
            id, begin, end, output, maker,
            first_value(id) OVER counted AS counted_id,
            first_value(begin) OVER counted AS counted_begin,
            first_value(end) OVER counted AS counted_end,
            first_value(output) OVER counted AS counted_output,
            first_value(maker) OVER counted AS counted_maker
        FROM numbered
        WINDOW counted AS (PARTITION BY alike, together, number ORDER BY priced DESC, begin DESC, end, id)
    )
    WHERE id != counted_id
      AND (begin <= counted_begin AND counted_end <= end OR counted_begin <= begin AND end <= counted_end)
      -- Some count the first tokens of a stream twice.
      AND output <= counted_output + 10 AND counted_output <= output + 10
      AND (maker = counted_maker OR maker = 0 OR counted_maker = 0)
),
cityHash64(trace_id, span_id) NOT IN told_twice AS counts
