// Package result holds the outcome of one decision, and the one JSON form in
// which ragedge writes it everywhere: on stdout, in files, over the API.
package result

import "time"

// Result is one decision and the reasons for it. A Result is a reused buffer:
// whoever keeps one longer than the call that delivered it takes a copy with
// CopyTo.
type Result struct {
	// Seq counts the decisions of this run from 1.
	Seq uint64
	// Time is the wall-clock time of the tick, Quality how far to trust it: one of
	// the words below.
	Time    time.Time
	Quality string
	// Mono is the monotonic time of the tick since boot, and BootID the boot
	// it counts from. In a replay it counts from the first sample and BootID
	// is empty.
	Mono   time.Duration
	BootID string
	// Clock, when it is not nil, knows what to call Mono once the wall clock has
	// been set: see Redate. It is not part of the JSON form.
	Clock *Clock

	// Label is the answer. It is empty when the model has no labels, or when
	// nothing could be decided; Reason then says why.
	Label  string
	Reason string
	// RawLabel is the most probable label where that is not Label, because a new
	// label has to last before it counts. Empty: they are the same.
	RawLabel string
	// Labels names the Probabilities, and is nil when the model has no labels. It
	// belongs to the model: read only.
	Labels []string
	// Probabilities are those of the Labels, none when nothing was decided.
	Probabilities []float32
	// Values are the outputs of a regression, or the fused vector of an
	// embedding model.
	Values []float32

	// Model is the digest of the model file, "sha256:" and hexadecimal digits.
	Model     string
	KernelSet string

	// Modalities are in the order of the model.
	Modalities []Modality
	// Degraded names what was wrong with the machine's power and heat, such as
	// undervoltage; nil for nothing. It is read only, and no part of a recording.
	Degraded []string

	// Readings are the newest values of the channels, sorted by name: always where
	// there is no model, and with one where the configuration asks for them.
	Readings []Reading

	// Latency is the time from the last sample in to this Result out, and
	// Truth the label the recording holds for this moment. Neither is part of
	// the JSON form, which is the same in every run over the same input.
	Latency time.Duration
	Truth   string
}

// Modality is one modality's part in a decision.
type Modality struct {
	Name string
	// Share of the attention the gate gave it, 0 to 1; the shares of one
	// Result sum to 1.
	Share float32
	// Present is false when the modality was masked, and Reason says why. Where it is
	// present, Reason says what is doubtful about it.
	Present bool
	Reason  string
	// Age is the age of its oldest channel at the tick, Rows the number of
	// regions that were fused. A modality that never had data has a negative
	// Age, left out of the JSON form.
	Age  time.Duration
	Rows int
	// Measured says that the model was asked again without this modality alone, as
	// happens at a set cadence and where something is left to ask about. Effect is
	// by how much that lowered the probability of the most probable label, below 0
	// where it rose; for a model without labels, how far it moved the values, as the
	// length of the difference. Conflict says that another label won.
	Measured bool
	Effect   float32
	Conflict bool
}

// Words of Quality.
const (
	Synced     = "ntp"        // something keeps the clock right
	Unsynced   = "unsynced"   // nothing does; without a battery it may say 1970
	Backfilled = "backfilled" // dated anew, after the clock had been set
	Recorded   = "recorded"   // the time in a recording
)

// Reading is the newest value of one channel.
type Reading struct {
	Channel string
	// Value holds only where Reason is empty. Reason says why nothing can be
	// trusted: no value came yet, or the sensor has failed since.
	Value  float64
	Reason string
	// Age is that of the newest value; negative, and left out of the JSON form,
	// when none ever came.
	Age time.Duration
}

// CopyTo makes dst equal to r. It reuses the slices of dst, and allocates nothing
// once they have grown; only Labels and Degraded, which nobody writes to, are shared.
func (r *Result) CopyTo(dst *Result) {
	p, v, m, n := dst.Probabilities, dst.Values, dst.Modalities, dst.Readings
	*dst = *r
	dst.Probabilities = append(p[:0], r.Probabilities...)
	dst.Values = append(v[:0], r.Values...)
	dst.Modalities = append(m[:0], r.Modalities...)
	dst.Readings = append(n[:0], r.Readings...)
}
