package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// gating is E4, E5 and the first part of E6: the logits L, their softmax A over the
// modalities that a slot has, and Y, what a slot contributes.
//
//	Y_{r,s} = Σ_m A_{r,m,s} U^m_r, under a feature gate Y_r = Σ_m A_{r,m,:} ∘ U^m_r
type gating struct {
	linear        linear
	feature       bool
	d, M, S, G    int
	a, da         []float32 // A, before that L [slots, M, G]
	y, dy         []float32 // [slots, S, d]
	turned, other []float32 // A of a slot as [S, M]; dU by way of L [slots, M, d]
}

func (p *pass) newGating(examples int) gating {
	c, layout := &p.net.Config, p.net.Config.Layout()
	slots := examples * layout.MostSlots
	g := gating{feature: c.Gate == "feature", d: c.Width, M: len(c.Modalities), S: layout.Gates, G: layout.GateSize}
	g.linear, _ = p.linear("gate", slots)
	g.a, g.da = p.take(slots*g.M*g.G), p.take(slots*g.M*g.G)
	g.y, g.dy = p.take(slots*g.S*g.d), p.take(slots*g.S*g.d)
	g.turned, g.other = p.take(g.M*g.G), p.take(slots*g.M*g.d)
	return g
}

// forward sets a and y from U [slots, M, d].
func (g *gating) forward(b *batch, u []float32) {
	M, G, S, d := g.M, g.G, g.S, g.d
	g.linear.forward(g.a, u[:b.slots*M*d])
	for e := range b.size {
		slots := b.slotsOf(e)
		for r := slots.first; r < slots.end; r++ {
			a, rows := g.a[r*M*G:(r+1)*M*G], u[r*M*d:(r+1)*M*d]
			for m := range M {
				if r-slots.first >= b.filled(e, m) {
					fill(a[m*G:(m+1)*G], float32(math.Inf(-1)))
				}
			}
			if G == 1 {
				ragedge.Softmax(a, a)
			} else {
				ragedge.SoftmaxColumns(a, M, G)
			}
			g.mix(g.y[r*S*d:(r+1)*S*d], a, rows)
		}
	}
}

// mix sets y [S, d] to what a slot contributes.
func (g *gating) mix(y, a, u []float32) {
	switch {
	case g.feature:
		clear(y)
		for i, v := range u {
			y[i%g.d] += a[i] * v
		}
	case g.S == 1:
		clear(y)
		ragedge.GatedSum(y, a, u)
	default:
		ragedge.Transpose(g.turned, a, g.M, g.S, g.M, g.S)
		ragedge.WeightedRows(y, g.turned, u, g.S, g.M, g.d, g.d, g.d)
	}
}

// backward sets du and the gradients of the gate from dy.
func (g *gating) backward(b *batch, du, u []float32) {
	M, G, S, d := g.M, g.G, g.S, g.d
	for r := range b.slots {
		a, da := g.a[r*M*G:(r+1)*M*G], g.da[r*M*G:(r+1)*M*G]
		rows, dRows, dy := u[r*M*d:(r+1)*M*d], du[r*M*d:(r+1)*M*d], g.dy[r*S*d:(r+1)*S*d]
		if g.feature {
			for i, v := range rows {
				da[i], dRows[i] = dy[i%d]*v, dy[i%d]*a[i]
			}
		} else {
			ragedge.RowDots(da, rows, dy, M, S, d, d, d, 1)
			ragedge.WeightedRows(dRows, a, dy, M, S, d, d, d)
		}
		gateBackward(da, a, M, G)
	}
	n := b.slots * M * d
	g.linear.backward(g.other[:n], g.da[:b.slots*M*G], u[:n])
	addTo(du[:n], g.other[:n])
}

// gateBackward turns the gradient of A [M, G] into that of L: A (c_m − Σ_k A_k c_k).
func gateBackward(da, a []float32, M, G int) {
	for g := range G {
		var mean float32
		for i := g; i < M*G; i += G {
			mean += a[i] * da[i]
		}
		for i := g; i < M*G; i += G {
			da[i] = a[i] * (da[i] - mean)
		}
	}
}
