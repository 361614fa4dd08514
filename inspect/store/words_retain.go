package store

import "context"

// retainWords is how many postings one statement of a clean-up deletes.
const retainWords = 5000

// deleteWords deletes the words of hours that have no session any more. Those of
// this hour and the last stay: a session of theirs may be on its way.
func (s *Store) deleteWords(ctx context.Context) error {
	limit := s.now().Unix()/secondsPerHour - 1
	for {
		r, err := s.writer.ExecContext(ctx, `DELETE FROM words WHERE (hour, word, second) IN (SELECT hour, word, second FROM words
			WHERE hour < min(?1, coalesce((SELECT min(key) / ?2 FROM sessions), ?1)) LIMIT ?3)`, limit, keysPerSecond*secondsPerHour, retainWords)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
	}
}
