// Package load is what the benchmark's clients and its engine of bytes say to each
// other: bytes that every reader can check, the engine that gives and takes them,
// and what a client reports.
//
// It knows nothing of paths, columns or the product. Law: a byte that was lost,
// doubled or changed is never counted as carried.
package load

// Result is what a client reports, as JSON.
type Result struct {
	Samples []float64 `json:"samples,omitempty"` // milliseconds, one for each request
	Count   int       `json:"count"`             // requests that were answered well
	Errors  int       `json:"errors,omitempty"`  // those that were not
	Error   string    `json:"error,omitempty"`   // the first of them
	Bytes   int64     `json:"bytes,omitempty"`   // checked, both directions together
	Lost    int64     `json:"lost,omitempty"`    // that should have come
	Seconds float64   `json:"seconds,omitempty"` // all of it took
	Sum     uint32    `json:"sum,omitempty"`     // of what an engine sent that we can't foretell
}

// Fail notes a request that went wrong.
func (r *Result) Fail(err error) {
	r.Errors++
	if r.Error == "" {
		r.Error = err.Error()
	}
}
