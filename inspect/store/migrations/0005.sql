-- How many sessions that have ended there are of each kind (tallies.go), by
-- when they began.
CREATE TABLE tallies (
  step     INTEGER NOT NULL, -- how wide the slots are, in seconds; 1 is a minute's count that has not been added to the others yet
  upstream TEXT NOT NULL,    -- host:port as configured; '' is all together
  kind     TEXT NOT NULL,    -- outcome, cause or code
  at       INTEGER NOT NULL, -- when the slot begins, seconds since 1970
  name     TEXT NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (step, upstream, kind, at, name)
) WITHOUT ROWID;

INSERT INTO tallies
SELECT 1, upstream, 'outcome', key / 61440000000 * 60, outcome, count(*) FROM sessions WHERE ended <> 0 GROUP BY 2, 4, 5;

INSERT INTO tallies
SELECT 1, upstream, 'cause', key / 61440000000 * 60, cause, count(DISTINCT key) FROM findings JOIN sessions ON key = session
WHERE ended <> 0 AND rank < 32 GROUP BY 2, 4, 5;

INSERT INTO tallies
WITH RECURSIVE listed (upstream, at, code, rest) AS (
  SELECT upstream, key / 61440000000 * 60, NULL, codes || char(10) FROM sessions WHERE ended <> 0 AND codes <> ''
  UNION ALL
  SELECT upstream, at, substr(rest, 1, instr(rest, char(10)) - 1), substr(rest, instr(rest, char(10)) + 1) FROM listed WHERE rest <> ''
)
SELECT 1, upstream, 'code', at, code, count(*) FROM listed WHERE code IS NOT NULL GROUP BY 2, 4, 5;

-- How long upstreams took (waits.go), by when they answered.
CREATE TABLE waits (
  step     INTEGER NOT NULL,
  upstream TEXT NOT NULL,
  at       INTEGER NOT NULL,
  counts   BLOB NOT NULL,
  PRIMARY KEY (step, upstream, at)
) WITHOUT ROWID;
