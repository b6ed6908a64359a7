-- How many traces begin in each stretch of time, of those that a list of traces has (see traces_keys.sql), and how many of them failed anywhere.
SELECT first - positiveModulo(first, {width:Int64}) AS start, count() AS count, countIf(failed) AS errors
FROM
(
    SELECT
        toUnixTimestamp64Nano(min(first_time)) AS first,
        trace_id IN (SELECT trace_id FROM $spans WHERE $failed) AS failed
    FROM traces
    WHERE project_id = {project_id:String} AND $met
    GROUP BY trace_id
    HAVING $begin
)
GROUP BY start
ORDER BY start
