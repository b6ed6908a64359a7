SELECT span_id, repository, trace_id, id, time, name, key, url, mime_type, size, place, metadata
FROM attachments FINAL
WHERE $where
ORDER BY time, id
