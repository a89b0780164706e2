-- What the store says of itself, such as which installation it belongs to.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
