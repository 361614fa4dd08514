-- Where to look for a word of a session (words.go): the seconds in which
-- sessions with it began. Hours are UTC, counted since 1970. Word 0 may be any
-- word; its second -1 stands for the whole hour.
CREATE TABLE words (
  hour   INTEGER NOT NULL,
  word   INTEGER NOT NULL, -- a hash; what is found is compared
  second INTEGER NOT NULL, -- of the hour
  PRIMARY KEY (hour, word, second)
) WITHOUT ROWID;

-- The hours of sessions without words, each found from the one behind it.
WITH RECURSIVE hours (hour) AS (
  SELECT max(key) / 3686400000000 FROM sessions
  UNION ALL
  SELECT (SELECT max(key) / 3686400000000 FROM sessions WHERE key < hour * 3686400000000) FROM hours WHERE hour IS NOT NULL
)
INSERT INTO words SELECT hour, 0, -1 FROM hours WHERE hour IS NOT NULL;
