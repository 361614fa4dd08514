//go:build !linux

package testenv

// backlogFaults is empty where a full queue of connections answers with a
// reset, or where its length cannot be kept short.
func backlogFaults() map[string]starter { return nil }
