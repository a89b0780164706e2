-- Version 1. Unlogged: counts are worth less than the disk writes they would cost; after a crash they start full.
-- Half of each page is left free, so that a count is updated in place.
CREATE UNLOGGED TABLE cardan_limits (
  key     text COLLATE "C" PRIMARY KEY,
  tokens  bigint NOT NULL DEFAULT 0,
  at      bigint NOT NULL DEFAULT 0,
  turns   bigint[] NOT NULL DEFAULT '{}',
  answer  bigint NOT NULL,
  expires timestamptz NOT NULL
) WITH (fillfactor = 50)
