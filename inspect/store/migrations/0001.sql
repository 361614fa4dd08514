-- The record, version 1. What a block holds is described in block.go.

PRAGMA application_id = 0x534D5450; -- SMTP

CREATE TABLE blocks (
  n         INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: followers count on it
  newest    INTEGER NOT NULL, -- the greatest key among the sessions in it
  summaries BLOB NOT NULL,
  entries   BLOB NOT NULL,
  bodies    BLOB              -- NULL when there are none, or none any more
);
CREATE INDEX blocks_newest ON blocks (newest);
CREATE INDEX blocks_bodies ON blocks (n) WHERE bodies IS NOT NULL;

CREATE TABLE sessions (
  key      INTEGER PRIMARY KEY, -- the start: microseconds since 1970 times 1024, and a count that makes it unique
  id       TEXT NOT NULL UNIQUE COLLATE NOCASE,
  ended    INTEGER NOT NULL,    -- nanoseconds since 1970, 0 while open
  outcome  TEXT NOT NULL,
  failed   INTEGER NOT NULL,    -- 1 when it went wrong or something was found
  route    TEXT NOT NULL,
  upstream TEXT NOT NULL,       -- host:port as configured
  provider TEXT NOT NULL,
  username TEXT NOT NULL,
  codes    TEXT,                -- of refusals, one a line; NULL when there are too many
  mail     TEXT,                -- senders and recipients in lower case, one a line; NULL when there are too many
  block    INTEGER NOT NULL     -- where the latest summary stands
);
CREATE INDEX sessions_open   ON sessions (key) WHERE ended = 0;
CREATE INDEX sessions_failed ON sessions (key) WHERE failed = 1;

-- The blocks of a session that has something in other blocks than that of its
-- summary.
CREATE TABLE spans (
  session INTEGER NOT NULL,
  block   INTEGER NOT NULL,
  PRIMARY KEY (session, block)
) WITHOUT ROWID;

CREATE TABLE findings (
  session   INTEGER NOT NULL,
  rank      INTEGER NOT NULL, -- 0 is the most likely
  cause     TEXT NOT NULL,
  certainty TEXT NOT NULL,
  PRIMARY KEY (session, rank)
) WITHOUT ROWID;
CREATE INDEX findings_cause ON findings (cause);
