package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// either is data whose label is whether exactly one of two modalities has a positive mean:
// neither of them alone says anything. The third modality is noise, and often absent.
func either(t testing.TB, n int) *Data {
	random := rand.New(rand.NewPCG(3, 3))
	modalities := []fusion.Modality{{Name: "left", Regions: 3, Features: 2}, {Name: "right", Regions: 2, Features: 3}, {Name: "noise", Regions: 2, Features: 1}}
	values, lengths := make([][]float32, 3), make([][]int64, 3)
	var labels []int64
	var targets []float32
	for range n {
		var sides [3]float32
		for m, modality := range modalities {
			sides[m] = float32(2*random.IntN(2) - 1)
			for range modality.Regions * modality.Features {
				values[m] = append(values[m], 50+10*sides[m]+3*float32(random.NormFloat64()))
			}
			lengths[m] = append(lengths[m], int64(modality.Regions-random.IntN(2)))
		}
		if random.IntN(3) == 0 {
			lengths[2][len(labels)] = 0
		}
		label := int64(0)
		if sides[0] != sides[1] {
			label = 1
		}
		labels = append(labels, label)
		targets = append(targets, 400+float32(label)*600+100*sides[0])
	}
	d, err := NewData(modalities, values, lengths)
	require.NoError(t, err)
	d.Label, d.Labels = labels, []string{"same", "other"}
	d.Target, d.Targets = targets, 1
	return d
}

// eitherConfig is a model that can learn it.
func eitherConfig() fusion.Config {
	d := []fusion.Modality{{Name: "left", Regions: 3, Features: 2}, {Name: "right", Regions: 2, Features: 3}, {Name: "noise", Regions: 2, Features: 1}}
	return fusion.Config{
		Name: "either", Modalities: d, Width: 16, Projection: "linear", Strategy: "co", Layers: 1, Heads: 2, FFN: 16, Activation: "relu",
		Score: "dot", Align: "identity", Norm: true, Gate: "shared", Gates: 1, Pool: "mean",
		Head: fusion.Head{Task: "classify", Hidden: 16, Outputs: 2, Labels: []string{"same", "other"}},
	}
}

// gateConfig is one without blocks: the gate has to bring the two together.
func gateConfig() fusion.Config {
	c := eitherConfig()
	c.Strategy, c.Layers, c.Gate = "gate", 0, "feature"
	return c
}

// numbers returns the integers from first up to end.
func numbers(first, end int) []int {
	all := make([]int, end-first)
	for i := range all {
		all[i] = first + i
	}
	return all
}

func eitherOptions() Options {
	o := DefaultOptions()
	o.Train, o.Validation = numbers(0, 400), numbers(400, 600)
	o.Epochs, o.LearningRate = 25, 1e-2
	return o
}

// rightOf returns how many examples the engine gets right with a trained model.
func rightOf(t testing.TB, p *Parameters, d *Data, examples []int) float64 {
	model, err := p.Model()
	require.NoError(t, err)
	state, right := model.NewState(), 0
	for _, i := range examples {
		var in []fusion.Regions
		for m := range d.Modalities {
			r, err := d.Regions(i, m, nil)
			require.NoError(t, err)
			in = append(in, r)
		}
		out, err := state.Fuse(in)
		require.NoError(t, err)
		best := slices.Index(out.Logits, slices.Max(out.Logits))
		if int64(best) == d.Label[i] {
			right++
		}
	}
	return float64(right) / float64(len(examples))
}

// TestFitLearns trains every strategy on a label that no modality knows alone.
func TestFitLearns(t *testing.T) {
	d := either(t, 600)
	for _, strategy := range []string{"gate", "co", "self", "hybrid"} {
		if testing.Short() && strategy != "gate" && strategy != "co" {
			continue
		}
		t.Run(strategy, func(t *testing.T) {
			c, o := eitherConfig(), eitherOptions()
			if c.Strategy = strategy; strategy == "gate" {
				c = gateConfig()
			}
			r, err := Fit(t.Context(), c, d, o)
			require.NoError(t, err)
			require.Greater(t, r.Curve[r.Best-1].Score, 0.97)
			require.Less(t, r.Curve[r.Best-1].TrainLoss, 0.3)
			right := rightOf(t, r.Parameters, d, o.Validation)
			require.Greater(t, right, 0.97)
			t.Logf("%d epochs, best %d: score %.3f, right %.3f; %d steps, %d weights, %.2f s", len(r.Curve), r.Best, r.Curve[r.Best-1].Score, right, r.Steps, r.Parameters.Count(), r.Seconds)
		})
	}
}

// TestFitIsDeterministic compares the bits that 1, 2 and 3 threads and the same seed give.
func TestFitIsDeterministic(t *testing.T) {
	d, o := either(t, 600), eitherOptions()
	o.Epochs, o.ModalityDropout, o.LabelSmoothing, o.ClassWeights = 3, 0.3, 0.1, []float64{1, 2}
	o.Optional = []string{"modality.", "position."}
	var files [][]byte
	var curves [][]Epoch
	for _, threads := range []int{1, 2, 3, 1} {
		o.Threads = threads
		r, err := Fit(t.Context(), eitherConfig(), d, o)
		require.NoError(t, err)
		data, err := r.Parameters.Bytes()
		require.NoError(t, err)
		for i := range r.Curve {
			r.Curve[i].Seconds = 0
		}
		files, curves = append(files, data), append(curves, r.Curve)
	}
	for i := range files {
		require.Equal(t, files[0], files[i])
		require.Equal(t, curves[0], curves[i])
	}
	o.Seed++
	r, err := Fit(t.Context(), eitherConfig(), d, o)
	require.NoError(t, err)
	data, err := r.Parameters.Bytes()
	require.NoError(t, err)
	require.NotEqual(t, files[0], data)
}

// TestFitRegression fits targets far from 0, and goes on from the model.
func TestFitRegression(t *testing.T) {
	d, c, o := either(t, 600), gateConfig(), eitherOptions()
	c.Head = fusion.Head{Task: "regress", Hidden: 16, Outputs: 1}
	d.Target[5] = float32(math.NaN()) // unknown
	for _, huber := range []float64{0.5, 0} {
		if testing.Short() && huber == 0 {
			continue
		}
		o.Huber, o.Start = huber, nil
		r, err := Fit(t.Context(), c, d, o)
		require.NoError(t, err)
		require.Equal(t, 399, r.Train)
		best := r.Curve[r.Best-1].Score
		require.Greater(t, best, 0.95)

		o.Start, o.LearningRate, o.Epochs = r.Parameters, 1e-9, 1
		before := r.Parameters.clone()
		again, err := Fit(t.Context(), c, d, o)
		require.NoError(t, err)
		require.InDelta(t, best, again.Curve[0].Score, 1e-3, "it goes on where it was")
		require.Equal(t, before, r.Parameters, "start was changed")
		o = eitherOptions()

		model, err := r.Parameters.Model()
		require.NoError(t, err)
		var in []fusion.Regions
		for m := range d.Modalities {
			rows, err := d.Regions(450, m, nil)
			require.NoError(t, err)
			in = append(in, rows)
		}
		out, err := model.NewState().Fuse(in)
		require.NoError(t, err)
		require.InDelta(t, d.Target[450], out.Logits[0], 150, "in the units of the target")
	}
}

// TestFitStops stops by patience, by the context, and when there is no way on.
func TestFitStops(t *testing.T) {
	d, o := either(t, 600), eitherOptions()
	o.LearningRate, o.Patience = 1e-30, 2 // nothing moves
	r, err := Fit(t.Context(), eitherConfig(), d, o)
	require.NoError(t, err)
	require.Less(t, len(r.Curve), o.Epochs)
	require.Equal(t, r.Best+2, len(r.Curve))

	o = eitherOptions()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(e Epoch) {
		if e.Epoch == 2 {
			cancel()
		}
	}
	r, err = Fit(ctx, eitherConfig(), d, o)
	require.NoError(t, err)
	require.True(t, r.Interrupted)
	require.Len(t, r.Curve, 2)
	require.NotNil(t, r.Parameters)
	_, err = Fit(ctx, eitherConfig(), d, o)
	require.ErrorIs(t, err, context.Canceled)

	o = eitherOptions()
	o.LearningRate, o.Clip, o.WeightDecay = 1e30, 0, 1
	r, err = Fit(t.Context(), eitherConfig(), d, o)
	require.ErrorIs(t, err, ErrDiverged)
	require.ErrorContains(t, err, "learning rate")
	require.Nil(t, r)
}

// TestFitDiverges keeps the best epoch when the weights become NaN.
func TestFitDiverges(t *testing.T) {
	f, err := prepare(t.Context(), eitherConfig(), either(t, 600), eitherOptions())
	require.NoError(t, err)
	defer f.crew.close()
	f.Progress = func(e Epoch) {
		if e.Epoch == 3 {
			fill(f.net.values, float32(math.NaN()))
		}
	}
	r, err := f.run(t.Context())
	require.ErrorIs(t, err, ErrDiverged)
	require.ErrorContains(t, err, "epoch 4")
	require.Len(t, r.Curve, 3)
	_, err = r.Parameters.Model()
	require.NoError(t, err)
}

// TestFitKeepsTheBest compares the parameters with those of a training that ends with the
// best epoch.
func TestFitKeepsTheBest(t *testing.T) {
	d, o := either(t, 600), eitherOptions()
	o.LearningRate, o.Epochs, o.Patience = 3e-2, 12, 0
	r, err := Fit(t.Context(), eitherConfig(), d, o)
	require.NoError(t, err)
	for i, e := range r.Curve {
		require.LessOrEqual(t, e.Score, r.Curve[r.Best-1].Score, "epoch %d", i+1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(e Epoch) {
		if e.Epoch == r.Best {
			cancel()
		}
	}
	until, err := Fit(ctx, eitherConfig(), d, o)
	require.NoError(t, err)
	require.Equal(t, r.Parameters, until.Parameters)
}

func TestFitRefuses(t *testing.T) {
	nan := float32(math.NaN())
	for name, tc := range map[string]struct {
		change func(c *fusion.Config, d *Data, o *Options)
		want   error
		words  string
	}{
		"embed":       {func(c *fusion.Config, d *Data, o *Options) { c.Head = fusion.Head{Task: "embed"} }, ErrOption, "embed"},
		"config":      {func(c *fusion.Config, d *Data, o *Options) { c.Width = 0 }, fusion.ErrBadValue, "width"},
		"one class":   {func(c *fusion.Config, d *Data, o *Options) { clear(d.Label) }, ErrData, `"same"`},
		"no labels":   {func(c *fusion.Config, d *Data, o *Options) { d.Label = nil }, ErrData, "no labels"},
		"unlabelled":  {func(c *fusion.Config, d *Data, o *Options) { fillInt(d.Label, Unlabelled) }, ErrData, "0 of 400"},
		"too few":     {func(c *fusion.Config, d *Data, o *Options) { o.Train = numbers(0, 9) }, ErrData, "at least 10"},
		"many labels": {func(c *fusion.Config, d *Data, o *Options) { d.Label[7] = 2 }, ErrData, "example 7 is 2"},
		"NaN":         {func(c *fusion.Config, d *Data, o *Options) { d.inputs[1].values[6*11+1] = nan }, ErrData, "right is NaN in example 11, row 0, feature 1"},
		"NaN in validation": {func(c *fusion.Config, d *Data, o *Options) { d.inputs[0].values[6*500] = nan }, ErrData,
			"example 500"},
		"no modality":   {func(c *fusion.Config, d *Data, o *Options) { c.Modalities[0].Name = "up" }, ErrData, `"up"`},
		"features":      {func(c *fusion.Config, d *Data, o *Options) { c.Modalities[0].Features = 3 }, ErrData, "left has 2 features"},
		"rows":          {func(c *fusion.Config, d *Data, o *Options) { c.Modalities[0].Regions = 2 }, ErrData, "left has 3 rows"},
		"no target":     {func(c *fusion.Config, d *Data, o *Options) { c.Head = fusion.Head{Task: "regress", Outputs: 2} }, ErrData, "targets"},
		"validation":    {func(c *fusion.Config, d *Data, o *Options) { fillInt(d.Label[400:], Unlabelled) }, ErrData, "none of 200"},
		"index":         {func(c *fusion.Config, d *Data, o *Options) { o.Validation = []int{600} }, ErrOption, "no example 600"},
		"overlap":       {func(c *fusion.Config, d *Data, o *Options) { o.Validation = []int{399} }, ErrOption, "example 399"},
		"epochs":        {func(c *fusion.Config, d *Data, o *Options) { o.Epochs = 0 }, ErrOption, "epochs"},
		"schedule":      {func(c *fusion.Config, d *Data, o *Options) { o.Schedule = "flat" }, ErrOption, "one_cycle or cosine"},
		"dropout":       {func(c *fusion.Config, d *Data, o *Options) { o.DropoutOf = map[string]float64{"up": 0.1} }, ErrOption, `"up"`},
		"class weights": {func(c *fusion.Config, d *Data, o *Options) { o.ClassWeights = []float64{0, 0} }, ErrOption, "weight 0"},
		"optional":      {func(c *fusion.Config, d *Data, o *Options) { o.Optional = []string{"place"} }, ErrOption, `"place"`},
		"start": {func(c *fusion.Config, d *Data, o *Options) {
			o.Start, _ = New(*c, 1)
			c.Width = 32
		}, ErrOption, "another config"},
	} {
		t.Run(name, func(t *testing.T) {
			c, d, o := eitherConfig(), either(t, 600), eitherOptions()
			o.Epochs = 1
			tc.change(&c, d, &o)
			r, err := Fit(t.Context(), c, d, o)
			require.ErrorIs(t, err, tc.want)
			require.ErrorContains(t, err, tc.words)
			require.Nil(t, r)
		})
	}
}

func fillInt(x []int64, v int64) {
	for i := range x {
		x[i] = v
	}
}

// TestStepAllocatesNothing trains and validates with all buffers made.
func TestStepAllocatesNothing(t *testing.T) {
	d, o := either(t, 600), eitherOptions()
	o.ModalityDropout, o.Threads = 0.3, 2
	for _, c := range everyConfig() {
		c.Modalities = slices.Clone(eitherConfig().Modalities)
		c.Anchor, c.Head, c.Projection = "left", eitherConfig().Head, "linear"
		if c.Pool == "none" && c.Align != "resample" && c.Align != "slots" {
			continue
		}
		f, err := prepare(t.Context(), c, d, o)
		require.NoError(t, err)
		batch := f.train[:o.Batch]
		require.Zero(t, testing.AllocsPerRun(3, func() {
			require.NoError(t, f.step(batch, 1e-3))
			require.NoError(t, f.crew.run(job{examples: batch}))
		}), configName(c))
		f.crew.close()
		if testing.Short() {
			break
		}
	}
}
