-- Under which lease a key was claimed: whose, and in which epoch. Older records are of the time before epochs were counted.
ALTER TABLE keys ADD COLUMN holder TEXT NOT NULL DEFAULT 'server';
ALTER TABLE keys ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
