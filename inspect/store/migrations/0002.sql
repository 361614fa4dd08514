-- What happened of late to an upstream, by outcome; the key comes along as the
-- row's own.
CREATE INDEX sessions_upstream ON sessions (upstream, outcome);
