package fusion

// saving says when work is saved that the result does not need. Tests and benchmarks
// compare saveAlways with saveNever.
type saving int

const (
	saveWherePaid saving = iota // where it costs less than it saves
	saveAlways
	saveNever
)

// What may be saved: building U, and computing again what did not change.
var absorbing, keeping = saveWherePaid, saveWherePaid

// pays is whether to save, cost and gain being in multiply-adds.
func (s saving) pays(cost, gain float64) bool {
	return s == saveAlways || s == saveWherePaid && cost < gain
}
