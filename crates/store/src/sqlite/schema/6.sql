-- The line in which a run with a key stands: the name of its flow, or of a key space that flows share. Nothing when it stands
-- in none (any more). A parked run keeps its place, but those that an earlier version let others pass have lost theirs.
ALTER TABLE runs ADD COLUMN line TEXT;
UPDATE runs SET line = flow WHERE key IS NOT NULL AND live = 1 AND status <> 'parked';
DROP INDEX runs_in_line;
-- The condition is word for word that of the query (see `runs.rs`).
CREATE INDEX runs_by_line ON runs (tenant, line, key, position)
  WHERE line IS NOT NULL AND live = 1;
