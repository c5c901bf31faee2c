package train

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
)

// voter is one or several models that answer together: the mean of their logits.
type voter struct {
	members []member
	logits  []float32
}

// member is a model and where its inputs are in the data.
type member struct {
	source *source
	state  *fusion.State
	in     []fusion.Regions
	rooms  [][]float32
}

func newVoter(d *Data, models ...*fusion.Model) (*voter, error) {
	v := &voter{}
	for _, model := range models {
		s, err := newSource(&model.Config, d)
		if err != nil {
			return nil, err
		}
		m := member{source: s, state: model.NewState(), in: make([]fusion.Regions, len(s.columns))}
		for range s.columns {
			m.rooms = append(m.rooms, d.room())
		}
		v.members = append(v.members, m)
	}
	v.logits = make([]float32, models[0].Config.Head.Outputs)
	return v, nil
}

// ask returns the logits for an example without the modalities that are named, nil when
// nothing is left to answer from, and with a single model the modalities' shares. Both
// hold until the next call.
func (v *voter) ask(example int, without ...string) (logits, shares []float32, err error) {
	clear(v.logits)
	votes := float32(0)
	for k := range v.members {
		m := &v.members[k]
		for i, column := range m.source.columns {
			m.in[i] = fusion.Regions{}
			if slices.Contains(without, m.source.Modalities[column].Name) || m.source.Rows(example, column) == 0 {
				continue
			}
			if m.in[i], err = m.source.Regions(example, column, m.rooms[i]); err != nil {
				return nil, nil, err
			}
		}
		out, err := m.state.Fuse(m.in)
		switch {
		case errors.Is(err, fusion.ErrAllAbsent) || errors.Is(err, fusion.ErrAnchorAbsent):
			continue
		case err != nil:
			return nil, nil, fmt.Errorf("example %d: %w", example, err)
		}
		votes++
		shares = out.Share
		for c, l := range out.Logits {
			v.logits[c] += l
		}
	}
	if votes == 0 {
		return nil, nil, nil
	}
	for c := range v.logits {
		v.logits[c] /= votes
	}
	return v.logits, shares, nil
}

// replies are what models say to examples.
type replies struct {
	outputs  int
	examples []int     // that were answered
	logits   []float32 // [examples, outputs]
	shares   []float32 // [examples, M]; nil for several models
	silent   int       // examples that were not answered
}

// row returns the logits of the i-th answer.
func (a *replies) row(i int) []float32 { return a.logits[i*a.outputs : (i+1)*a.outputs] }

// answer asks about examples without some modalities.
func (v *voter) answer(ctx context.Context, examples []int, without ...string) (*replies, error) {
	a := &replies{outputs: len(v.logits)}
	for _, i := range examples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		logits, shares, err := v.ask(i, without...)
		if err != nil {
			return nil, err
		}
		if logits == nil {
			a.silent++
			continue
		}
		a.examples, a.logits = append(a.examples, i), append(a.logits, logits...)
		if len(v.members) == 1 {
			a.shares = append(a.shares, shares...)
		}
	}
	return a, nil
}

// largestOf returns the index of the largest value, the first of several.
func largestOf(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func softmax(logits []float32) []float32 {
	p := make([]float32, len(logits))
	ragedge.Softmax(p, logits)
	return p
}
