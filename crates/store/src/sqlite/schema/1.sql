-- Text columns named `data`, `payload`, `input`, `response` and `source` hold JSON as it was written, byte for byte.
-- Times are nanoseconds since 1970. `sum` is XXH3 over what must not change unseen (see `sum.rs`).

CREATE TABLE streams (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE events (
  position    INTEGER PRIMARY KEY,
  stream      INTEGER NOT NULL,
  version     INTEGER NOT NULL,
  type        TEXT NOT NULL,
  at          INTEGER NOT NULL,
  tenant      TEXT NOT NULL,
  correlation TEXT NOT NULL,
  causation   TEXT,
  data        TEXT NOT NULL,
  sum         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_of_stream ON events (stream, version);

CREATE VIEW log AS
  SELECT e.position, s.name AS stream, e.version, e.type,
         strftime('%Y-%m-%dT%H:%M:%fZ', e.at / 1e9, 'unixepoch') AS at,
         e.tenant, e.correlation, e.causation, e.data
  FROM events e CROSS JOIN streams s ON s.id = e.stream;

CREATE TABLE states (
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  data     TEXT NOT NULL,
  position INTEGER NOT NULL,
  sum      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX states_by_id ON states (kind, id);

CREATE TABLE checkpoints (
  name     TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE definitions (
  hash    TEXT PRIMARY KEY,
  name    TEXT NOT NULL,
  source  TEXT NOT NULL,
  created INTEGER NOT NULL,
  sum     INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
  position     INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  tenant       TEXT NOT NULL,
  flow         TEXT NOT NULL,
  hash         TEXT NOT NULL,
  key          TEXT,
  status       TEXT NOT NULL,
  live         INTEGER NOT NULL,
  conversation TEXT,
  "commit"     TEXT,
  started      INTEGER NOT NULL,
  updated      INTEGER NOT NULL,
  ended        INTEGER,
  blocked_on   TEXT
) STRICT;
CREATE INDEX runs_live ON runs (position) WHERE live = 1;
CREATE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL;
CREATE INDEX runs_by_conversation ON runs (conversation) WHERE conversation IS NOT NULL;

CREATE TABLE timers (
  id   TEXT PRIMARY KEY,
  run  TEXT NOT NULL,
  step TEXT NOT NULL,
  due  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due);

CREATE TABLE signals (
  place   INTEGER PRIMARY KEY,
  run     TEXT NOT NULL,
  id      TEXT NOT NULL,
  name    TEXT NOT NULL,
  payload TEXT NOT NULL,
  taken   INTEGER NOT NULL,
  sum     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX signals_of_run ON signals (run, id);
CREATE INDEX signals_taken ON signals (place) WHERE taken = 1;

CREATE TABLE keys (
  tenant      TEXT NOT NULL,
  key         TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  owner       TEXT NOT NULL,
  response    TEXT,
  created     INTEGER NOT NULL,
  expires     INTEGER NOT NULL,
  sum         INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX keys_by_key ON keys (tenant, key);
CREATE INDEX keys_expire ON keys (expires);

CREATE TABLE outbox (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  target      TEXT NOT NULL,
  payload     TEXT NOT NULL,
  tenant      TEXT NOT NULL,
  correlation TEXT NOT NULL,
  due         INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  cause       TEXT,
  sum         INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due);

CREATE TABLE dead (
  place       INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  tenant      TEXT NOT NULL,
  source      TEXT NOT NULL,
  system      TEXT NOT NULL,
  operation   TEXT NOT NULL,
  code        TEXT NOT NULL,
  message     TEXT NOT NULL,
  history     TEXT NOT NULL,
  input       TEXT NOT NULL,
  key         TEXT,
  correlation TEXT NOT NULL,
  first       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  state       TEXT NOT NULL,
  resolved    INTEGER,
  sum         INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_by_source ON dead (source);

-- Written to find out whether a full disk has space again.
CREATE TABLE probe (
  id    INTEGER PRIMARY KEY,
  times INTEGER NOT NULL
) STRICT;
