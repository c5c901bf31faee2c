package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// TestAdamW compares with the equations in float64, with clipping and decay.
func TestAdamW(t *testing.T) {
	p, err := New(eitherConfig(), 1, "modality.", "position.")
	require.NoError(t, err)
	a := newAdamW(p, 0.1, 2)
	random := rand.New(rand.NewPCG(1, 1))
	n := len(p.values)
	want, mean, square := doubles(p.values), make([]float64, n), make([]float64, n)
	decays := make([]bool, n)
	undecayed := 0
	for _, tensor := range p.tensors {
		for i := range tensor.size {
			decays[tensor.first+i] = tensor.isMatrix()
		}
		if !tensor.isMatrix() {
			undecayed++
		}
	}
	require.Greater(t, undecayed, 10)
	gradient := make([]float32, n)
	for step := 1; step <= 20; step++ {
		size := 0.0
		for i := range gradient {
			gradient[i] = float32(random.NormFloat64() * math.Pow(0.6, float64(step)))
			size += float64(gradient[i]) * float64(gradient[i])
		}
		size = math.Sqrt(size)
		const rate = 1e-2
		a.step(p.values, gradient, rate)
		for i, v := range doubles(gradient) {
			v *= min(1, 2/size)
			mean[i], square[i] = 0.9*mean[i]+0.1*v, 0.999*square[i]+0.001*v*v
			if decays[i] {
				want[i] *= 1 - rate*0.1
			}
			m, s := mean[i]/(1-math.Pow(0.9, float64(step))), square[i]/(1-math.Pow(0.999, float64(step)))
			want[i] -= rate * m / (math.Sqrt(s) + 1e-8)
		}
		for i := range want {
			require.InDelta(t, want[i], p.values[i], 1e-5)
		}
	}
}

func TestSchedules(t *testing.T) {
	o := DefaultOptions()
	o.LearningRate, o.WarmUp = 1, 0.25
	const steps = 1000
	for _, schedule := range []string{OneCycle, Cosine} {
		o.Schedule = schedule
		first, last := o.rate(0, steps), o.rate(steps-1, steps)
		require.InDelta(t, map[string]float64{OneCycle: 0.04, Cosine: 0}[schedule], first, 0.01)
		require.InDelta(t, 0, last, 1e-4)
		require.InDelta(t, 1, o.rate(250, steps), 1e-3)
		for step := 1; step < steps; step++ {
			rising := o.rate(step, steps) > o.rate(step-1, steps)
			require.True(t, rising == (step < 250) || step == 250, "step %d", step)
		}
	}
	o.WarmUp = 0
	require.InDelta(t, 1, o.rate(0, steps), 1e-3)
}

// TestLossesAreSlopes compares the gradients of the losses with differences.
func TestLossesAreSlopes(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	for _, goal := range []objective{
		{classes: 4, outputs: 4}, {classes: 4, outputs: 4, smoothing: 0.2, weights: []float32{1, 2, 0.5, 3}},
		{outputs: 4, mean: []float32{1, 2, 3, 4}, unit: []float32{1, 2, 1, 2}},
		{outputs: 4, mean: []float32{1, 2, 3, 4}, unit: []float32{1, 2, 1, 2}, huber: 0.3},
	} {
		logits, targets := make([]float32, 4), make([]float32, 4)
		for i := range logits {
			logits[i], targets[i] = float32(3*random.NormFloat64()), float32(5*random.NormFloat64())
		}
		gradient := make([]float32, 4)
		loss := func(logits []float32) float64 {
			tally := newTally(goal.classes)
			if goal.classes > 0 {
				goal.classify(&tally, gradient, logits, make([]float32, 4), 1, 1)
			} else {
				goal.regress(&tally, gradient, logits, targets, 1)
			}
			return tally.loss
		}
		loss(logits)
		want := append([]float32(nil), gradient...)
		for i := range logits {
			const h = 1.0 / 64
			moved := append([]float32(nil), logits...)
			moved[i] += h
			up := loss(moved)
			moved[i] -= 2 * h
			require.InDelta(t, want[i], (up-loss(moved))/(2*h), 2e-3)
		}
	}
}

// TestScore counts a classifier that is right for most of a common label and for none of
// a rare one.
func TestScore(t *testing.T) {
	goal := objective{classes: 3, outputs: 3}
	tally := newTally(3)
	for i := range 10 {
		logits := []float32{1, 0, -200}
		class := int64(0)
		if i == 9 {
			class = 2 // far beyond the range of exp
		}
		goal.classify(&tally, nil, logits, make([]float32, 3), class, 1)
	}
	require.InDelta(t, 0.5, tally.score(&goal), 1e-12)
	require.InDelta(t, (9*math.Log(1+math.Exp(-1))+201+math.Log(1+math.Exp(-1)))/10, tally.meanLoss(), 1e-5)
}

// TestDropout leaves out modalities about as often as asked for, always keeps one and the
// anchor, and touches nothing that is absent.
func TestDropout(t *testing.T) {
	d, c, o := either(t, 600), eitherConfig(), eitherOptions()
	o.ModalityDropout, o.DropoutOf = 0.3, map[string]float64{"noise": 0.9}
	for _, align := range []string{"identity", "anchor"} {
		c.Align, c.Anchor = align, "left"
		f, err := prepare(t.Context(), c, d, o)
		require.NoError(t, err)
		shown, dropped := make([]float64, 3), make([]float64, 3)
		for range 20 {
			for first := 0; first+f.Batch <= len(f.train); first += f.Batch {
				batch := f.train[first : first+f.Batch]
				f.drop(batch)
				for k, i := range batch {
					left := 0
					for m := range 3 {
						out := f.dropped[k*3+m]
						if d.Rows(i, m) == 0 {
							require.False(t, out)
							continue
						}
						shown[m]++
						if out {
							dropped[m]++
						} else {
							left++
						}
					}
					require.Positive(t, left)
				}
			}
		}
		f.crew.close()
		require.InDelta(t, 0.9, dropped[2]/shown[2], 0.04)
		if align == "anchor" {
			require.Zero(t, dropped[0])
			continue
		}
		require.InDelta(t, 0.27, dropped[0]/shown[0], 0.04) // some came back as the only one
	}
}

// TestNormalise takes statistics over the valid rows of the training examples only, and
// leaves constants alone.
func TestNormalise(t *testing.T) {
	values := []float32{
		1, 5, 3, 5, // example 0: two rows
		5, 5, 1e9, 1e9, // one row
		1e9, 1e9, 1e9, 1e9, // none: absent
		1e9, 5, 1e9, 5, // validation
	}
	d, err := NewData([]fusion.Modality{{Name: "x", Regions: 2, Features: 2}}, [][]float32{values}, [][]int64{{2, 1, 0, 2}})
	require.NoError(t, err)
	c := fusion.Config{Modalities: d.Modalities, Align: "identity"}
	s, err := newSource(&c, d)
	require.NoError(t, err)
	all, err := s.scan(t.Context(), &c, []int{0, 1, 2, 3}, 3)
	require.NoError(t, err)
	p := &Parameters{Config: c, inputs: map[string][]float32{}}
	p.normalise(all)
	require.Equal(t, []float32{3, 5}, p.inputs["input.x.mean"])
	require.InDelta(t, math.Sqrt(8.0/3), p.inputs["input.x.std"][0], 1e-6)
	require.Equal(t, float32(1), p.inputs["input.x.std"][1])
}
