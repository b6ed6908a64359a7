-- The spans whose call to a model another span counts for: two libraries may tell of one call, as where an SDK traces itself beneath
-- an instrumentation. What is taken for one call is said in docs/pricing.md. All queries that count calls share this.
--
-- Its parts `traces` and `begun` are conditions on the rows of `traces` and on a whole one of them, `told` one on `spans`. Ids are hashes,
-- because texts would be sorted and looked up several times slower.
--
-- Where no trace has calls of two scopes, this is known from `traces`, and no span is read.
candidates AS
(
    SELECT trace_id, max(last_time) AS last
    FROM traces
    WHERE project_id = {project_id:String} AND $traces
    GROUP BY trace_id
    HAVING min(first_scope) < max(last_scope) AND $begun
),
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
            ['claude', 'command', 'gemini', 'gpt'], ['anthropic', 'cohere', 'google', 'openai']) AS maker
    FROM spans FINAL
    PREWHERE trace_id IN (SELECT trace_id FROM candidates) AND time <= (SELECT max(last) FROM candidates)
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
        SELECT *, first_value((id, begin, end, output, maker)) OVER
            (PARTITION BY alike, together, number ORDER BY priced DESC, begin DESC, end, id) AS counted
        FROM numbered
    )
    WHERE id != counted.1
      AND (begin <= counted.2 AND counted.3 <= end OR counted.2 <= begin AND end <= counted.3)
      -- Some count the first tokens of a stream twice.
      AND output <= counted.4 + 10 AND counted.4 <= output + 10
      AND (maker = counted.5 OR maker = '' OR counted.5 = '')
)
