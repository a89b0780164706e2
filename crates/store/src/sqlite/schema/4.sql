-- Whether a delivery may have landed of which nobody has written the end.
ALTER TABLE outbox ADD COLUMN perhaps INTEGER NOT NULL DEFAULT 0;
