-- Lanes: work waits for each system by itself, and within one lane and key in the order in which it was put (`rowid`).
-- `stage`: 0 behind an earlier one of its key, 1 its turn, 2 dead and its key waits, 3 dead and its key goes on.
ALTER TABLE outbox ADD COLUMN lane TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN key TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;
-- Until when what may have landed may still land.
ALTER TABLE outbox ADD COLUMN settles INTEGER;
UPDATE outbox SET
  lane = CASE instr(target, '.') WHEN 0 THEN target ELSE substr(target, 1, instr(target, '.') - 1) END,
  key = CASE instr(id, '/') WHEN 0 THEN id ELSE substr(id, 1, instr(id, '/') - 1) END;
CREATE INDEX outbox_of_key ON outbox (lane, key) WHERE stage < 3;
CREATE INDEX outbox_ready ON outbox (kind, lane, due) WHERE stage = 1;
UPDATE outbox SET stage = 1 WHERE rowid IN (SELECT min(rowid) FROM outbox GROUP BY lane, key);

-- What became of a message, until its run has written it down; also of runs that have ended.
CREATE TABLE answers (
  run     TEXT NOT NULL,
  step    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  payload TEXT NOT NULL,
  sum     INTEGER NOT NULL,
  PRIMARY KEY (run, step)
) STRICT;
