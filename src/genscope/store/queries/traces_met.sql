-- Traces that meet conditions on themselves. Of their columns the engine makes only those that are asked for.
SELECT trace_id, start_time, name, user_id, session_id, release, version FROM ($traces) WHERE $where
