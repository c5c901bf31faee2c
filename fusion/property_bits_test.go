package fusion

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The properties that hold bit for bit.

// Property 3: what lies beyond the valid rows, and what a State computed before,
// does not reach one bit of the output.
func TestOnlyValidRowsCount(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		padding := rapid.SampledFrom([]float32{0, 1, -7.5e8, nan, inf, -inf}).Draw(t, "padding")
		m, in := s.model(t), s.regions()
		want := kept(fuse(t, m.NewState(), in))

		used := m.NewState()
		var full example
		for i, modality := range s.config.Modalities {
			full.rows = append(full.rows, modality.Regions)
			for len(in[i].Data) < modality.Regions*modality.Features {
				in[i].Data = append(in[i].Data, padding)
			}
		}
		full.seed, full.size = 99, 3
		fuse(t, used, full.of(s.config)) // leaves all buffers full
		require.Equal(t, want, kept(fuse(t, used, in)))
	})
}

// Property 8: every strategy equals gate when its blocks add nothing, their
// output and second FFN weights and biases being zero. Bit for bit.
func TestIdleBlocksAreTheGate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, func(c *Config) {
			if c.Strategy == strategyGate {
				c.Strategy = strategySelf
			}
			c.Layers = max(c.Layers, 1)
		})
		idle := s.file()
		for i, tensor := range idle.Tensors {
			if strings.Contains(tensor.Name, ".output.") || strings.Contains(tensor.Name, ".ffn.1.") {
				idle.Tensors[i] = zeros(tensor.Name, tensor.Shape)
			}
		}
		plain := s.config
		plain.Strategy, plain.Layers, plain.OneWay = strategyGate, 0, false
		gate := parseModel(t, modelFile(plain, s.without("block.")))
		blocks := parseModel(t, idle)
		require.Len(t, blocks.Config.blocks(), len(s.config.blocks()))
		require.Equal(t, kept(fuse(t, gate.NewState(), s.regions())), kept(fuse(t, blocks.NewState(), s.regions())))
	})
}

// Property 10: a batch gives the bits of the single runs, and zeros in the slots
// that an example does not have.
func TestBatchHasTheBitsOfSingleRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		c, m := s.config, s.model(t)
		batch := []example{s.input}
		for range rapid.IntRange(0, 3).Draw(t, "more examples") {
			batch = append(batch, s.drawInput(t))
		}
		file := batchFile(t, c, batch)
		all, err := m.NewState().FuseFile(file)
		require.NoError(t, err)
		for i, e := range batch {
			out := fuse(t, m.NewState(), e.of(c))
			for name, want := range map[string][]float32{
				"z": out.Z, "logits": out.Logits, "probabilities": out.Probabilities,
				"attention": out.Attention, "region": out.Region, "share": out.Share,
			} {
				if want == nil {
					require.Nil(t, all.Tensor(name))
					continue
				}
				values := floats(t, all.Tensor(name))
				n := len(values) / len(batch)
				got := values[i*n : (i+1)*n]
				require.Equal(t, want, got[:len(want)], "%s of example %d", name, i)
				require.Equal(t, make([]float32, n-len(want)), got[len(want):], "%s of example %d", name, i)
			}
		}
	})
}

// batchFile returns the examples as one input file: with lengths, or without them
// where every example is as long; with NaN in the rows that do not count, of
// which there may be more than regions.
func batchFile(t *rapid.T, c Config, batch []example) *safetensors.File {
	file := &safetensors.File{}
	for m, modality := range c.Modalities {
		lengths, rows := make([]int64, len(batch)), 0
		for i, e := range batch {
			lengths[i] = int64(e.rows[m])
			rows = max(rows, e.rows[m])
		}
		rows += rapid.IntRange(0, 2).Draw(t, "padding")
		same := !slices.ContainsFunc(lengths, func(n int64) bool { return n != int64(rows) })
		if rows == 0 && rapid.Bool().Draw(t, "left out") {
			continue
		}
		var values []float32
		for _, e := range batch {
			data := e.of(c)[m].Data
			values = append(values, data...)
			values = append(values, slices.Repeat([]float32{float32(math.NaN())}, rows*modality.Features-len(data))...)
		}
		file.Tensors = append(file.Tensors, safetensors.NewFloat32(modality.Name, values, len(batch), rows, modality.Features))
		if !same || rapid.Bool().Draw(t, "lengths") {
			file.Tensors = append(file.Tensors, safetensors.NewInt64(modality.Name+".length", lengths, len(batch)))
		}
	}
	return file
}

// Property 10: what a State keeps of modalities that did not change gives the
// bits of a State that has seen nothing and keeps nothing. The caller's rows are the same memory
// each time, or not, whether they changed or not; and inputs that are refused
// come between.
func TestUnchangedModalitiesHaveTheBitsOfTheFirstRun(t *testing.T) {
	nan := float32(math.NaN())
	rapid.Check(t, func(t *rapid.T) {
		s := drawSubject(t, anyConfig)
		m := s.model(t)
		state := m.NewState()
		var full example
		for _, modality := range s.config.Modalities {
			full.rows = append(full.rows, modality.Regions)
		}
		full.seed, full.size = s.input.seed, s.input.size
		in := full.of(s.config)
		for i, n := range s.input.rows {
			in[i].Rows = n
		}
		compare := func() {
			keeping = saveNever
			want, refusal := m.NewState().Fuse(in)
			got, err := state.Fuse(in)
			require.Equal(t, refusal, err)
			if err == nil {
				require.Equal(t, kept(want), kept(got))
			}
		}
		compare()
		for range rapid.IntRange(1, 5).Draw(t, "steps") {
			for i := range in {
				x := &in[i]
				switch rapid.SampledFrom([]string{"same", "moved", "one value", "rows", "refused", "other values"}).Draw(t, s.config.Modalities[i].Name) {
				case "moved":
					x.Data = slices.Clone(x.Data)
				case "one value":
					k := rapid.IntRange(0, len(x.Data)-1).Draw(t, "value")
					x.Data[k] = x.Data[k]/2 + 1
				case "rows":
					x.Rows = rapid.IntRange(0, s.config.Modalities[i].Regions).Draw(t, "rows")
				case "refused":
					k := rapid.IntRange(0, len(x.Data)-1).Draw(t, "value")
					v := x.Data[k]
					x.Data[k] = nan
					compare()
					x.Data[k] = v
				case "other values":
					copy(x.Data, example{full.rows, rapid.Uint64Range(0, 9).Draw(t, "seed"), 1}.of(s.config)[i].Data)
				}
			}
			compare()
		}
	})
}
