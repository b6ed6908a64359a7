SELECT span_id, repository, trace_id, id, time, name, key, url, mime_type, size, place, metadata
FROM attachments FINAL
-- Conditions on the sorting key alone may be met before rows merge, and so before the wide columns are read.
PREWHERE $where
ORDER BY time, id
