package probe

import "time"

// ToldTime returns the time that a reply tells.
func ToldTime(text string) (time.Time, bool) { return toldTime(text) }
