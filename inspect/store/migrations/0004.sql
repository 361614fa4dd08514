-- Where to look for a word of a session (words.go): the seconds in which
-- sessions with it began. Seconds and days are UTC, days since 1970. Word 0 may
-- be any word; of second -1 it stands for the whole day.
CREATE TABLE words (
  day    INTEGER NOT NULL,
  word   INTEGER NOT NULL, -- a hash; what is found is compared
  second INTEGER NOT NULL, -- of the day
  PRIMARY KEY (day, word, second)
) WITHOUT ROWID;

-- The days of sessions without words, each found from the one behind it.
WITH RECURSIVE days (day) AS (
  SELECT max(key) / 88473600000000 FROM sessions
  UNION ALL
  SELECT (SELECT max(key) / 88473600000000 FROM sessions WHERE key < day * 88473600000000) FROM days WHERE day IS NOT NULL
)
INSERT INTO words SELECT day, 0, -1 FROM days WHERE day IS NOT NULL;
