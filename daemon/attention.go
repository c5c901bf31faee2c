package daemon

import (
	"errors"
	"fmt"

	"github.com/ragedge/ragedge/daemon/api"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/result"
)

// glance keeps where the newest answer looked, since the state that knows it is
// asked again about masked inputs. The pipeline's lock is held during every call.
type glance struct {
	seq       uint64    // of the Result; 0: none
	attention []float32 // A [R, M, G]
	region    []float32 // Ω [R, S]
	slots     int
}

// keep copies from out. It allocates nothing once the slices have grown.
func (g *glance) keep(seq uint64, out *fusion.Output) {
	g.seq, g.slots = seq, out.Slots
	g.attention = append(g.attention[:0], out.Attention...)
	g.region = append(g.region[:0], out.Region...)
}

var errNoAttention = errors.New("the newest decision has no answer")

// Attention says where the newest answer looked: see api.Daemon.
func (d *Daemon) Attention() (*api.Attention, error) {
	p := d.pipeline
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.mind == nil:
		return nil, fmt.Errorf("%w: %w", api.ErrNotReady, errNoModel)
	case p.mind.glance.seq == 0:
		return nil, fmt.Errorf("%w: %w", api.ErrNotReady, errNoAttention)
	}
	return p.mind.glance.describe(&p.result), nil
}

// describe is g in the form of the API; r is its Result.
func (g *glance) describe(r *result.Result) *api.Attention {
	out := &api.Attention{Seq: g.seq, Time: r.Time}
	for i := range r.Modalities {
		out.Modalities = append(out.Modalities, r.Modalities[i].Name)
	}
	for row := range rows(g.attention, g.slots) {
		var shares []float32
		for gates := range rows(row, len(r.Modalities)) {
			shares = append(shares, mean(gates))
		}
		out.Attention = append(out.Attention, shares)
	}
	for gates := range rows(g.region, g.slots) {
		out.Region = append(out.Region, mean(gates))
	}
	return out
}

// rows goes through x in n equal parts.
func rows(x []float32, n int) func(func([]float32) bool) {
	return func(yield func([]float32) bool) {
		for i := range n {
			if size := len(x) / n; !yield(x[i*size : (i+1)*size]) {
				return
			}
		}
	}
}

func mean(x []float32) float32 {
	sum := float32(0)
	for _, v := range x {
		sum += v
	}
	return sum / float32(max(1, len(x)))
}
