-- Who is first among the runs of a flow and key; the condition is word for word that of the query (see `runs.rs`).
CREATE INDEX runs_in_line ON runs (tenant, flow, key, position)
  WHERE key IS NOT NULL AND live = 1 AND status <> 'parked';

-- How often the guard sent the call, retries included; `attempts` counts the rounds of the relay.
ALTER TABLE outbox ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;
