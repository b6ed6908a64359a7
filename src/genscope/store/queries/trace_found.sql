-- The spans of one trace that one of the texts stands in, in whatever case: JSON texts have some characters escaped.
SELECT span_id
FROM spans FINAL
PREWHERE $where
WHERE arrayExists(
    text -> multiSearchAnyCaseInsensitiveUTF8(text, [$texts]),
    arrayConcat([span_id, ifNull(name, ''), ifNull(model, ''), ifNull(status_message, ''), ifNull(input, ''), ifNull(output, '')],
                mapValues(input_parts)))
ORDER BY time, span_id
LIMIT {limit:UInt64}
