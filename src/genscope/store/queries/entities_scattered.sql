SELECT project_id, id, kind, repository, trace_id, times, linked, revisions, start_time, type, model, provider, service_tier,
       server_address, usage, cost_source, highest_cost
FROM entities FINAL
WHERE length(times) > 1
