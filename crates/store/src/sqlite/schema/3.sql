-- Since when work waits, and which guard keeps it in. Of older rows it is not known: they wait since they were due.
ALTER TABLE outbox ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET created = due;
ALTER TABLE outbox ADD COLUMN blocked TEXT;
CREATE INDEX outbox_created ON outbox (created, id);
