-- Rows that decide whether something goes on are not changed unseen.
ALTER TABLE timers ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
