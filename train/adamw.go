package train

import (
	"math"

	"github.com/ragedge/ragedge"
)

// adamW is the optimiser of Loshchilov and Hutter (arXiv 1711.05101): Adam, with a decay
// of the weights beside the gradient instead of in it.
type adamW struct {
	mean, square []float32 // running averages of the gradient and of its square
	parts        []part
	decay, clip  float64
	steps        int
}

// part is a run of weights, all of which decay or none.
type part struct {
	first, end int
	decays     bool
}

func newAdamW(p *Parameters, decay, clip float64) *adamW {
	a := &adamW{mean: make([]float32, len(p.values)), square: make([]float32, len(p.values)), decay: decay, clip: clip}
	for _, t := range p.tensors {
		a.parts = append(a.parts, part{t.first, t.first + t.size, t.isMatrix()})
	}
	return a
}

// step moves the values against the gradient.
func (a *adamW) step(values, gradient []float32, rate float64) {
	const keep, keepSquare, epsilon = 0.9, 0.999, 1e-8
	a.steps++
	shrink := float32(1)
	if size := length(gradient); a.clip > 0 && size > a.clip {
		shrink = float32(a.clip / size)
	}
	// The averages begin with 0, which these corrections make up for.
	root := math.Sqrt(1 - math.Pow(keepSquare, float64(a.steps)))
	along := float32(rate * root / (1 - math.Pow(keep, float64(a.steps))))
	least := float32(epsilon * root)
	for _, p := range a.parts {
		stay := float32(1)
		if p.decays {
			stay = float32(1 - rate*a.decay)
		}
		w, g := values[p.first:p.end], gradient[p.first:p.end]
		mean, square := a.mean[p.first:p.end], a.square[p.first:p.end]
		for i, v := range g {
			v *= shrink
			m := keep*mean[i] + (1-keep)*v
			s := keepSquare*square[i] + (1-keepSquare)*v*v
			mean[i], square[i] = m, s
			w[i] = stay*w[i] - along*m/(float32(math.Sqrt(float64(s)))+least)
		}
	}
}

// length returns the norm of a vector, added up in a fixed order.
func length(x []float32) float64 {
	const block = 4096
	sum := 0.0
	for i := 0; i < len(x); i += block {
		b := x[i:min(i+block, len(x))]
		sum += float64(ragedge.Dot(b, b))
	}
	return math.Sqrt(sum)
}

// rate returns the learning rate of a step from 0 on.
func (o *Options) rate(step, steps int) float64 {
	warm := o.WarmUp * float64(steps)
	at := float64(step) + 0.5
	half := func(x float64) float64 { return (1 - math.Cos(math.Pi*x)) / 2 } // from 0 to 1
	first, last := 0.0, 0.0
	if o.Schedule == OneCycle {
		first, last = o.LearningRate/25, o.LearningRate/25e4
	}
	if at < warm {
		up := at / warm
		if o.Schedule == OneCycle {
			up = half(up)
		}
		return first + (o.LearningRate-first)*up
	}
	return o.LearningRate + (last-o.LearningRate)*half((at-warm)/(float64(steps)-warm))
}
