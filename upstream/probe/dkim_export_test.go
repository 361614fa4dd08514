package probe

// TagsOf reads a record into pairs.
func TagsOf(text string) (pairs [][2]string, written string, faults []string) {
	l := parseTags(text)
	for _, t := range l.tags {
		pairs = append(pairs, [2]string{t.name, t.value})
	}
	return pairs, l.String(), l.faults
}

// KeyOf reads a key and says what it is worth.
func KeyOf(text string) (result, words string, public []byte) {
	r := dkimRecord{count: 1, key: parseDKIM(text)}
	r.judge()
	return r.result, r.words(), r.key.public
}
