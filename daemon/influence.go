package daemon

import (
	"fmt"
	"math"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// Which decisions are measured follows from their numbers, and the default from the
// model alone, so that a replay, on whatever machine, measures the same ones.
const (
	influenceAuto  = 0
	influenceNever = -1
	// influenceSeldom is for models whose masked runs all together take more than
	// cheapInfluence multiply-adds, which the slowest boards do in a tenth of a second.
	influenceSeldom = 10
	cheapInfluence  = 10e6
)

// checkInfluence refuses a cadence that means nothing.
func checkInfluence(every int) error {
	if every < influenceNever {
		return fmt.Errorf("influence: %d, want a number of decisions, %d for never, or %d to leave it to the model",
			every, influenceNever, influenceAuto)
	}
	return nil
}

// cadence is after how many decisions the influence is measured again, 0 for never.
func cadence(every int, c *fusion.Config) uint64 {
	switch {
	case every > 0:
		return uint64(every)
	case every == influenceNever || len(c.Modalities) < 2:
		return 0
	case float64(len(c.Modalities))*work(c) > cheapInfluence:
		return influenceSeldom
	}
	return 1
}

// work is about how many multiply-adds one run of a model takes.
func work(c *fusion.Config) (sum float64) {
	d, layers, rows := float64(c.Width), float64(c.Layers), 0.0
	for _, m := range c.Modalities {
		rows += float64(m.Regions)
		sum += float64(m.Regions) * float64(m.Features) * d
	}
	return sum + layers*(rows*(4*d*d+2*d*float64(c.FFN))+2*rows*rows*d)
}

// measure asks the model again without each present modality in turn, and notes in r
// what that changed. best is the index of the most probable label. Nothing is noted of
// a modality that the model cannot do without.
func (m *mind) measure(inputs []fusion.Regions, r *result.Result, best int) {
	if m.influence == 0 || (r.Seq-1)%m.influence != 0 {
		return
	}
	masked := append(m.masked[:0], inputs...)
	for i := range masked {
		if !r.Modalities[i].Present {
			continue
		}
		masked[i] = fusion.Regions{}
		out, err := m.state.FuseAgain(masked)
		masked[i] = inputs[i]
		if err == nil {
			m.compare(out, r, &r.Modalities[i], best)
		}
	}
	m.masked = masked
}

// compare notes what out, a result without modality part, changes about r.
func (m *mind) compare(out *fusion.Output, r *result.Result, part *result.Modality, best int) {
	switch m.task {
	case fusion.Classify:
		part.Effect = r.Probabilities[best] - out.Probabilities[best]
		part.Conflict = largest(out.Probabilities) != best
	case fusion.Regress:
		part.Effect = distance(r.Values, out.Logits)
	default:
		if len(out.Z) != len(r.Values) { // fewer slots
			return
		}
		part.Effect = distance(r.Values, out.Z)
	}
	part.Measured = true
}

// distance is the Euclidean one.
func distance(a, b []float32) float32 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return float32(math.Sqrt(sum))
}

// note keeps for the metrics what a decision says of its modalities. The pipeline's
// lock is held.
func (m *modality) note(part *result.Modality) {
	if !part.Present {
		m.masked.Add(1)
	}
	if part.Measured {
		m.effect.Store(math.Float64bits(float64(part.Effect)))
	}
	if part.Conflict {
		m.conflicts.Add(1)
	}
}
