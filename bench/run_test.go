package bench

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

const golden = "../fusion/testdata/golden/"

// plausible checks a measured figure without saying how fast the machine is.
func plausible(t *testing.T, f Figure) {
	t.Helper()
	require.Positive(t, f.MinUs, f.Name)
	require.LessOrEqual(t, f.MinUs, f.MedianUs, f.Name)
	require.Positive(t, f.Rounds, f.Name)
	require.Zero(t, f.Allocs, f.Name)
	if f.MFLOP > 0 {
		require.InEpsilon(t, 1e3*f.MFLOP/f.MinUs, f.GFLOPS, 1e-9, f.Name)
		require.Positive(t, f.PeakShare, f.Name)
	}
}

// TestRun measures everything that fits a moment: kernels always do.
func TestRun(t *testing.T) {
	was := ragedge.KernelSet()
	var told []string
	r, err := Run(t.Context(), Options{Time: time.Millisecond, Root: pi, Progress: func(group, name string, done, all int) {
		require.Equal(t, len(told), done)
		require.Less(t, done, all)
		told = append(told, name)
	}})
	require.NoError(t, err)
	require.Equal(t, was, ragedge.KernelSet(), "the set in use is the same afterwards")
	require.Equal(t, was, r.KernelSet)
	require.Equal(t, 1, r.Threads)
	require.Empty(t, r.Throttled)
	require.Len(t, r.Peaks, len(ragedge.KernelSets()))
	require.Positive(t, r.Peak())
	require.Len(t, r.Loads, 3)
	require.Equal(t, 1+len(r.Loads)+len(r.Kernels)+len(r.Models), len(told))
	for _, l := range r.Loads {
		require.Positive(t, l.GBps, l.Level)
	}
	require.Len(t, r.Kernels, len(kernels()))
	for _, f := range r.Kernels {
		plausible(t, f)
	}
	require.Len(t, r.Models, len(workloads()))
	for i, f := range r.Models {
		require.Equal(t, workloads()[i].name, f.Name)
		if f.Skipped == "" {
			plausible(t, f)
		}
	}
	require.NotEmpty(t, r.Models[7].Skipped, "a millisecond is too short for 12 blocks")
}

// TestWorkloadsAreModels: every built-in model is one that loads, computes finite
// values, and comes out the same each time.
func TestWorkloadsAreModels(t *testing.T) {
	for _, w := range workloads() {
		if testing.Short() && w.subject().flops > 1e7 {
			continue
		}
		data, err := w.file()
		require.NoError(t, err)
		model, err := fusion.Parse(data)
		require.NoError(t, err, w.name)
		out, err := model.NewState().Fuse(randomRows(&model.Config))
		require.NoError(t, err, w.name)
		for _, v := range out.Z {
			require.Less(t, math.Abs(float64(v)), 1e4, w.name)
		}
		again, err := w.file()
		require.NoError(t, err)
		require.Equal(t, data, again)
	}
}

func TestRunModel(t *testing.T) {
	model := golden + "identity_ragged/model.safetensors"
	for name, input := range map[string]string{"random": "", "a batch": golden + "identity_ragged/input.safetensors"} {
		r, err := Run(t.Context(), Options{Time: time.Millisecond, Model: model, Input: input, Root: tree()})
		require.NoError(t, err, name)
		require.Empty(t, r.Kernels)
		require.Len(t, r.Models, 1)
		require.Equal(t, model, r.Models[0].Name)
		plausible(t, r.Models[0])
	}
}

// TestRunUnderPlainGo has nothing to compare with.
func TestRunUnderPlainGo(t *testing.T) {
	was := ragedge.KernelSet()
	use(generic)
	defer use(was)
	r, err := Run(t.Context(), Options{Time: time.Millisecond, Model: golden + "defaults/model.safetensors", Root: tree()})
	require.NoError(t, err)
	require.Equal(t, generic, r.KernelSet)
	require.Zero(t, r.Models[0].GoRatio)
	require.Empty(t, r.Models[0].Note)
}

// TestReadInput wants the examples that fuse would see.
func TestReadInput(t *testing.T) {
	config := fusion.Config{
		Name: "two", Width: 2, Projection: "none", Strategy: "gate", Heads: 1, Activation: "relu", Score: "dot", Align: "identity",
		Modalities: []fusion.Modality{{Name: "m0", Regions: 3, Features: 2}, {Name: "m1", Regions: 3, Features: 2}},
		Gate:       "shared", Gates: 1, Pool: "sum", Head: fusion.Head{Task: fusion.Embed},
	}
	data, err := workload{config: config}.file()
	require.NoError(t, err)
	model, err := fusion.Parse(data)
	require.NoError(t, err)
	read := func(tensors ...safetensors.Tensor) ([][]fusion.Regions, error) {
		path := filepath.Join(t.TempDir(), "input.safetensors")
		require.NoError(t, (&safetensors.File{Tensors: tensors}).WriteFile(path, 0o644))
		return readInput(model, path)
	}

	values := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	examples, err := read(safetensors.NewFloat32("m1", values[:4], 2, 2))
	require.NoError(t, err)
	require.Equal(t, [][]fusion.Regions{{{}, {Rows: 2, Features: 2, Data: values[:4]}}}, examples)

	examples, err = read(safetensors.NewFloat32("m0", values, 2, 2, 2), safetensors.NewFloat32("m1", values[:4], 2, 1, 2),
		safetensors.NewInt64("m0.length", []int64{2, 1}, 2))
	require.NoError(t, err)
	require.Equal(t, [][]fusion.Regions{
		{{Rows: 2, Features: 2, Data: values[:4]}, {Rows: 1, Features: 2, Data: values[:2]}},
		{{Rows: 1, Features: 2, Data: values[4:6]}, {Rows: 1, Features: 2, Data: values[2:4]}},
	}, examples)

	_, err = read(safetensors.NewFloat32("m2", values, 4, 2))
	require.ErrorIs(t, err, fusion.ErrInput)
	_, err = read(safetensors.NewFloat32("m0", values, 4, 2))
	require.ErrorIs(t, err, fusion.ErrTooManyRows)
}

// TestBatchCountsAnExample: operations of a batch are the mean of its examples.
func TestBatchCountsAnExample(t *testing.T) {
	s, err := load(golden+"identity_ragged/model.safetensors", golden+"identity_ragged/input.safetensors")
	require.NoError(t, err)
	require.Greater(t, len(s.examples), 1)
	model, err := fusion.Load(golden + "identity_ragged/model.safetensors")
	require.NoError(t, err)
	var sum int64
	for _, example := range s.examples {
		rows := make([]int, len(example))
		for m, r := range example {
			rows[m] = r.Rows
		}
		sum += Flops(&model.Config, rows, func(string) bool { return false })
	}
	require.Equal(t, sum/int64(len(s.examples)), s.flops)
}

func TestMeasure(t *testing.T) {
	was := ragedge.KernelSet()
	x := ramp(4096)
	var sets []string
	busy := func(calls int) {
		sets = append(sets, ragedge.KernelSet())
		for range calls {
			ragedge.Dot(x, x)
		}
	}
	timings := measure(t.Context(), 20*round, candidate{generic, busy}, candidate{was, busy})
	require.Equal(t, was, ragedge.KernelSet())
	require.Len(t, timings, 2)
	for _, timing := range timings {
		require.Positive(t, timing.min)
		require.LessOrEqual(t, timing.min, timing.median)
		require.Positive(t, timing.calls)
		require.Equal(t, timings[0].rounds, timing.rounds, "they take turns")
	}
	require.Equal(t, generic, sets[0])
	require.Equal(t, was, sets[len(sets)-1])

	over, cancel := context.WithCancel(t.Context())
	cancel()
	timings = measure(over, time.Hour, candidate{was, busy})
	require.Equal(t, 1, timings[0].rounds, "a run that is called off ends at once")
	_, err := Run(over, Options{Time: time.Hour, Root: tree()})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAllocations(t *testing.T) {
	var keep []byte
	c := candidate{ragedge.KernelSet(), func(calls int) {
		for range calls {
			keep = make([]byte, 100)
			keep = make([]byte, 100)
		}
	}}
	require.Equal(t, 2, allocations(c, 50))
	require.Len(t, keep, 100)
	require.Zero(t, allocations(candidate{ragedge.KernelSet(), func(int) {}}, 50))
}
