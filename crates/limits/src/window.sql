-- A sliding window by the server's clock: exact, never more than $2 turns in any stretch of its length.
-- $1 key, $2 capacity, $3 weight (turns), $4 window, $5 longest wait, $6 keep, $7 furthest (microseconds).
-- `turns`: the latest, oldest first, at most $2 of them.
-- Answers how long to wait for the turn taken; below zero: nothing was taken, come back after so long.
INSERT INTO cardan_limits AS l (key, turns, answer, expires)
VALUES ($1, array_fill((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, ARRAY[$3::int]), 0,
        clock_timestamp() + $6::bigint * interval '1 microsecond')
ON CONFLICT (key) DO UPDATE SET (turns, answer, expires) = (
  SELECT CASE WHEN w.wait <= $5::bigint
              THEN (k.turns || array_fill(n.turn, ARRAY[$3]))[greatest(1, k.len + $3 - $2::int + 1):]
              ELSE k.turns END,
         CASE WHEN w.wait <= $5 THEN w.wait ELSE -w.wait END,
         clock_timestamp() + $6 * interval '1 microsecond'
  -- Read once, after the row is ours.
  FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now OFFSET 0) c
  -- Turns too far ahead were given by a clock that was set back: they would keep everyone out until it is there again.
  CROSS JOIN LATERAL (
    SELECT CASE WHEN l.turns[cardinality(l.turns)] > c.now + $7::bigint THEN '{}' ELSE l.turns END AS turns OFFSET 0
  ) f
  CROSS JOIN LATERAL (SELECT f.turns, cardinality(f.turns) AS len) k
  -- Turns are in order, so a turn is never before the one that was taken last. What is not there is null, and ignored.
  CROSS JOIN LATERAL (
    SELECT greatest(c.now, k.turns[k.len], k.turns[k.len + $3 - $2] + $4::bigint) AS turn OFFSET 0
  ) n
  CROSS JOIN LATERAL (SELECT n.turn - c.now AS wait) w
)
RETURNING answer
