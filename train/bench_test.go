package train

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ragedge/ragedge/fusion"
	"github.com/stretchr/testify/require"
)

// benchmarks are the room model of the demo and larger ones with blocks.
func benchmarks(t testing.TB) map[string]fusion.Config {
	model, err := fusion.Load("../cmd/ragedge/room/room.safetensors")
	require.NoError(t, err)
	room := model.Config
	hybrid := room
	hybrid.Strategy, hybrid.Layers, hybrid.Heads, hybrid.FFN, hybrid.Activation = "hybrid", 1, 4, 64, "gelu"
	wide := hybrid
	wide.Width, wide.FFN, wide.Layers, wide.Heads = 128, 256, 2, 4
	return map[string]fusion.Config{"room": room, "hybrid": hybrid, "wide": wide}
}

// randomData returns examples of the largest size with random labels.
func randomData(t testing.TB, c fusion.Config, n int) *Data {
	random := rand.New(rand.NewPCG(1, 1))
	values, lengths := make([][]float32, len(c.Modalities)), make([][]int64, len(c.Modalities))
	for m, modality := range c.Modalities {
		for range n {
			lengths[m] = append(lengths[m], int64(modality.Regions))
		}
		for range n * modality.Regions * modality.Features {
			values[m] = append(values[m], float32(random.NormFloat64()))
		}
	}
	d, err := NewData(c.Modalities, values, lengths)
	require.NoError(t, err)
	for range n {
		d.Label = append(d.Label, int64(random.IntN(c.Head.Outputs)))
	}
	return d
}

// BenchmarkStep is a step of training with 32 examples.
//
//	go test ./train -run '^$' -bench Step/room/1 -cpuprofile cpu.out && go tool pprof -top cpu.out
func BenchmarkStep(b *testing.B) {
	for name, c := range benchmarks(b) {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", name, threads), func(b *testing.B) {
				d, o := randomData(b, c, 512), DefaultOptions()
				o.Train, o.Threads, o.ModalityDropout = numbers(0, 512), threads, 0.3
				f, err := prepare(b.Context(), c, d, o)
				require.NoError(b, err)
				defer f.crew.close()
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					first := i % (512 / o.Batch) * o.Batch
					require.NoError(b, f.step(f.train[first:first+o.Batch], 1e-3))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
			})
		}
	}
}
