-- The keys of spans that say something now. The inverted index finds rows, and is asked without FINAL: under it the engine takes what the
-- index says of one piece of a span for the whole span. A finished span is what its row says. One that came in pieces is looked at again as
-- a whole, because a later piece may say something else in its place, and what was appended to its input has no index.
(time, trace_id, span_id) IN (SELECT time, trace_id, span_id FROM spans WHERE $scope AND ifNull(protocol, '') = 'otlp' AND ($indexed))
OR (time, trace_id, span_id) IN
(
    SELECT time, trace_id, span_id
    FROM spans FINAL
    WHERE $scope
        AND (time, trace_id, span_id) IN (SELECT time, trace_id, span_id FROM spans WHERE $scope AND ifNull(protocol, '') != 'otlp' AND ($indexed))
        AND ($said)
)
OR (time, trace_id, span_id) IN (SELECT time, trace_id, span_id FROM spans WHERE $scope AND notEmpty(input_parts) AND ($appended))
