-- A token bucket by the server's clock. Micro-tokens and microseconds.
-- $1 key, $2 capacity, $3 cost (micro-tokens), $4 rate (micro-tokens per microsecond), $5 longest wait, $6 keep (microseconds).
-- `tokens` below zero: turns given ahead. `at`: up to when they were filled in.
-- Answers how long to wait for the turn taken; below zero: nothing was taken, come back after so long.
INSERT INTO cardan_limits AS l (key, tokens, at, answer, expires)
VALUES ($1, $2::bigint - $3::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 0,
        clock_timestamp() + $6::bigint * interval '1 microsecond')
ON CONFLICT (key) DO UPDATE SET (tokens, at, answer, expires) = (
  SELECT CASE WHEN w.wait <= $5::bigint THEN t.tokens - $3 ELSE t.tokens END,
         t.at,
         CASE WHEN w.wait <= $5 THEN w.wait ELSE -w.wait END,
         clock_timestamp() + $6 * interval '1 microsecond'
  -- Read once, after the row is ours.
  FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now OFFSET 0) c
  -- A clock that was set back gives nothing, and takes nothing.
  CROSS JOIN LATERAL (SELECT least(l.at, c.now) AS since) s
  CROSS JOIN LATERAL (
    SELECT least(floor((c.now - s.since) * $4::float8), ($2 - l.tokens)::float8)::bigint AS credit OFFSET 0
  ) f
  -- What is less than a micro-token stays in the time not yet filled in.
  CROSS JOIN LATERAL (
    SELECT l.tokens + f.credit AS tokens,
           CASE WHEN l.tokens + f.credit >= $2 THEN c.now
                ELSE least(c.now, s.since + ceil(f.credit / $4)::bigint) END AS at OFFSET 0
  ) t
  CROSS JOIN LATERAL (
    SELECT greatest(0, t.at + ceil(greatest(0, $3 - t.tokens) / $4)::bigint - c.now) AS wait OFFSET 0
  ) w
)
RETURNING answer
