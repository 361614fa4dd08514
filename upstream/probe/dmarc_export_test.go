package probe

// PolicyOf reads a DMARC record.
func PolicyOf(text string) (policy, below string, reports, faults []string) {
	r := parseDMARC(text)
	return r.policy, r.below, r.reports, r.faults
}
