-- The condition is on the key alone, so it may come before rows merge; as WHERE it had whole granules of `revisions` merged, which took ten times
-- as long.
SELECT id, kind, repository, trace_id, times, linked, revisions, start_time, type, model, provider, service_tier, server_address,
       usage, cost_source, highest_cost
FROM entities FINAL
PREWHERE project_id = {project_id:String} AND id IN {ids:Array(String)}
ORDER BY linked
