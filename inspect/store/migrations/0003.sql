-- What stands in a file of its own of a large message (bodyfile.go).
CREATE TABLE bodies (
  session INTEGER NOT NULL,
  message INTEGER NOT NULL,
  head    INTEGER NOT NULL, -- octets in front of them, which stand in blocks
  size    INTEGER NOT NULL, -- octets in the file that count
  block   INTEGER NOT NULL, -- the last of those blocks
  PRIMARY KEY (session, message)
) WITHOUT ROWID;
