package proxy

// WithoutReactors gives every session goroutines of its own.
func WithoutReactors(o *Options) { o.goroutines = true }
