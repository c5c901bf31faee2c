package train

import "github.com/ragedge/ragedge"

// pooling is the second part of E6: Z_s = Σ_r Ω_{r,s} Y_{r,s}, with Ω 1 (sum), 1/R (mean)
// or softmax_r(w_s · tanh(Y_{r,s})). Pool none keeps Z = Y.
type pooling struct {
	how             string
	d, S            int
	weight, dWeight []float32 // w [S, d]
	bent            []float32 // tanh Y [slots, S, d]
	omega           []float32 // of every example [S, R], one after the other
	dOmega          []float32 // [R]
	z, dz           []float32 // [examples, S, d]; of pool none [slots, d]
}

func (p *pass) newPooling(examples int) pooling {
	c, layout := &p.net.Config, p.net.Config.Layout()
	slots := examples * layout.MostSlots
	o := pooling{how: c.Pool, d: c.Width, S: layout.Gates}
	o.omega, o.dOmega = p.take(slots*o.S), p.take(layout.MostSlots)
	if c.Pool == "attention" {
		o.weight, o.dWeight = p.weight("pool.weight"), p.gradient("pool.weight")
		o.bent = p.take(slots * o.S * o.d)
	}
	o.z, o.dz = p.take(examples*layout.FusedRows*o.d), p.take(examples*layout.FusedRows*o.d)
	return o
}

// forward sets z from Y [slots, S, d].
func (o *pooling) forward(b *batch, y []float32) {
	d, S := o.d, o.S
	if o.how == "none" {
		copy(o.z, y[:b.slots*d])
		return
	}
	if o.how == "attention" {
		ragedge.Tanh(o.bent[:b.slots*S*d], y)
	}
	for e := range b.size {
		slots := b.slotsOf(e)
		R := slots.rows()
		for s := range S {
			omega, at := o.omegaOf(slots, s), (slots.first*S+s)*d
			switch o.how {
			case "attention":
				ragedge.RowDots(omega, o.bent[at:], o.weight[s*d:(s+1)*d], R, 1, d, S*d, d, 1)
				ragedge.Softmax(omega, omega)
			case "mean":
				fill(omega, 1/float32(R))
			default:
				fill(omega, 1)
			}
			ragedge.WeightedRows(o.z[(e*S+s)*d:(e*S+s+1)*d], omega, y[at:], 1, R, d, d, S*d)
		}
	}
}

// omegaOf returns Ω of an example under gate s, [R].
func (o *pooling) omegaOf(slots span, s int) []float32 {
	at := slots.first*o.S + s*slots.rows()
	return o.omega[at : at+slots.rows()]
}

// backward sets dy and the gradient of w from dz.
func (o *pooling) backward(b *batch, dy, y []float32) {
	d, S := o.d, o.S
	if o.how == "none" {
		copy(dy, o.dz[:b.slots*d])
		return
	}
	for e := range b.size {
		slots := b.slotsOf(e)
		for s := range S {
			omega, dz := o.omegaOf(slots, s), o.dz[(e*S+s)*d:(e*S+s+1)*d]
			for r, w := range omega {
				to := dy[((slots.first+r)*S+s)*d:][:d]
				for k, v := range dz {
					to[k] = w * v
				}
			}
			if o.how == "attention" {
				o.attentionBackward(slots, s, dy, y, omega, dz)
			}
		}
	}
}

// attentionBackward adds what came by way of Ω: with e = w · tanh(Y),
//
//	de = Ω (⟨dz,Y⟩ − Σ_r Ω ⟨dz,Y⟩),  dY += de · w ∘ (1 − tanh² Y),  dw += de · tanh Y
func (o *pooling) attentionBackward(slots span, s int, dy, y, omega, dz []float32) {
	d, stride, at, R := o.d, o.S*o.d, (slots.first*o.S+s)*o.d, slots.rows()
	de := o.dOmega[:R]
	ragedge.RowDots(de, y[at:], dz, R, 1, d, stride, d, 1)
	softmaxBackward(de, omega, R, 1)
	weight, dWeight := o.weight[s*d:(s+1)*d], o.dWeight[s*d:(s+1)*d]
	for r, v := range de {
		bent, to := o.bent[at+r*stride:][:d], dy[at+r*stride:][:d]
		for k, t := range bent {
			to[k] += v * weight[k] * (1 - t*t)
			dWeight[k] += v * t
		}
	}
}
