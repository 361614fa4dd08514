package main

import (
	"os"
	"runtime/debug"
)

// collectAt is by how much the heap may grow between two collections, in per
// cent of what is alive. Most of what a session allocates lives for a tenth of
// a second: collecting less often saves a tenth of the CPU at full load, and
// costs an idle proxy nothing.
const collectAt = 300

// easeCollector sets that, unless the owner has set GOGC.
func easeCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
