-- What a price depends on, and the cost that came of it.
SELECT
    toUnixTimestamp64Nano(time) AS time,
    trace_id,
    span_id,
    toUnixTimestamp64Nano(start_time) AS start_time,
    type,
    model,
    provider,
    usage,
    service_tier,
    server_address,
    cost,
    cost_source,
    $cost_missing AS cost_missing,
    cost_rule
FROM spans FINAL
WHERE $where AND (type IN ('generation', 'embedding') OR notEmpty(usage) OR cost_source = 'computed')
