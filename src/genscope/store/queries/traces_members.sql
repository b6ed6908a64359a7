-- The spans of traces, in the order of their start, and whether a sender made the trace public.
SELECT trace_id, arrayMap(key -> key.2, arraySort(groupArrayIf((time, span_id), NOT ($is_trace)))) AS span_ids, ifNull(max(trace_public), false) AS public
FROM spans FINAL
WHERE $where
GROUP BY trace_id
