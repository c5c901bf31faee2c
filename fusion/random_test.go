package fusion

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// baseConfig is a config with every choice made, for tests to change.
func baseConfig(modalities ...Modality) Config {
	return Config{
		Name: "test", Modalities: modalities, Width: 6, Projection: "linear", Strategy: "gate", Heads: 1, FFN: 12,
		Activation: "relu", Score: "dot", Align: "identity", Anchor: modalities[0].Name, Slots: 3, Gate: "shared", Gates: 1,
		Pool: "sum", Norm: true, Head: Head{Task: "embed"},
	}
}

// everyConfig is everyGate and everyBlock.
func everyConfig() []Config { return append(everyGate(), everyBlock()...) }

// everyBlock returns a config for every strategy with blocks, score, activation
// and alignment; the choices that have nothing to do with blocks take turns.
func everyBlock() []Config {
	var configs []Config
	for _, strategy := range []string{"self", "co", "hybrid", "co one way", "hybrid one way"} {
		for _, align := range []string{alignIdentity, alignResample, alignAnchor, alignSlots} {
			for i, activation := range []string{activateReLU, activateGELU} {
				for j, score := range []string{scoreDot, scoreHadamard} {
					k := len(configs)
					c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2}, Modality{"c", 3, 7})
					c.Strategy, c.OneWay = strings.CutSuffix(strategy, " one way")
					c.Align, c.Activation, c.Score = align, activation, score
					c.Heads, c.Layers = 1+k%3, 1+(i+j)%2
					c.Width = c.Heads * []int{1, 5, 6, 8}[k%4]
					c.FFN = []int{1, 9, 24}[k%3]
					c.Norm = k%4 != 1
					if k%5 == 2 {
						c.Gate = gateFeature
					} else {
						c.Gates = 1 + k%2
					}
					c.Pool = []string{poolSum, poolMean, poolAttention}[k%3]
					if k%7 == 3 {
						c.Head = Head{Task: Classify, Outputs: 3, Hidden: 9 * (k % 2)}
					}
					configs = append(configs, c)
				}
			}
		}
	}
	return configs
}

// everyGate returns a config for every combination of alignment, score, gate,
// pool and head that is a model of the gate strategy, and some without projection.
func everyGate() []Config {
	var configs []Config
	gates := []struct {
		gate  string
		gates int
	}{{"shared", 1}, {"shared", 3}, {"feature", 1}}
	heads := []Head{{Task: "embed"}, {Task: "classify", Outputs: 3}, {Task: "regress", Outputs: 9, Hidden: 10}}
	for _, align := range []string{"identity", "resample", "anchor", "slots", "anchor hadamard"} {
		for _, gate := range gates {
			for _, pool := range []string{"sum", "mean", "attention", "none"} {
				for i, head := range heads {
					c := baseConfig(Modality{"a", 4, 3}, Modality{"b", 5, 2}, Modality{"c", 3, 7})
					c.Align, c.Gate, c.Gates, c.Pool, c.Head = align, gate.gate, gate.gates, pool, head
					if align == "anchor hadamard" {
						c.Align, c.Score = "anchor", "hadamard"
					}
					c.Norm = i != 1
					c.Width = 5 + 3*i // less than a vector, one, and more
					if _, err := ParseConfig(toJSON(c)); err == nil {
						configs = append(configs, c)
					}
				}
			}
		}
	}
	for i, align := range []string{alignIdentity, alignResample, alignAnchor, alignSlots} {
		c := baseConfig(Modality{"a", 4, 6}, Modality{"b", 5, 6}, Modality{"c", 3, 6})
		c.Projection, c.Align, c.Norm = projectNone, align, i%2 == 0
		configs = append(configs, c)
	}
	// 5 alignments, 3 gates, 4 pools, 3 heads; pool none is not for several gates,
	// nor under a head for the 3 alignments without a fixed number of slots.
	if want := 5*3*4*3 - 5*3 - 3*2*2 + 4; len(configs) != want {
		panic(fmt.Sprintf("%d configs are models, want %d", len(configs), want))
	}
	return configs
}

// configName says what is special about a config.
func configName(c Config) string {
	name := []string{c.Align, c.Score, c.Gate, c.Pool, c.Head.Task, c.Projection}
	if c.Layers > 0 {
		name = append(name, c.Strategy, c.Activation, fmt.Sprintf("layers %d heads %d width %d", c.Layers, c.Heads, c.Width))
	}
	if c.OneWay {
		name = append(name, "one way")
	}
	if c.Gates > 1 {
		name = append(name, "gates")
	}
	return strings.Join(name, " ")
}

func toJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// randomTensors returns weights that keep values near 1. Of the optional tensors
// those are included whose name begins with one of the prefixes.
func randomTensors(random *rand.Rand, c Config, prefixes ...string) []safetensors.Tensor {
	var tensors []safetensors.Tensor
	for _, t := range c.table() {
		included := t.required
		for _, prefix := range prefixes {
			included = included || strings.HasPrefix(t.name, prefix)
		}
		if !included {
			continue
		}
		n := 1
		for _, dim := range t.shape {
			n *= dim
		}
		values := make([]float32, n)
		for i := range values {
			v := random.NormFloat64()
			switch {
			case strings.HasSuffix(t.name, ".std"):
				v = math.Exp(v / 2)
			case strings.Contains(t.name, "norm") && strings.HasSuffix(t.name, ".weight"):
				v = 1 + v/5
			case len(t.shape) == 2 && t.name != "align.slots":
				v /= math.Sqrt(float64(t.shape[1]))
			}
			values[i] = float32(v)
		}
		tensors = append(tensors, safetensors.NewFloat32(t.name, values, t.shape...))
	}
	return tensors
}

// everything includes all optional tensors.
var everything = []string{"input", "modality", "position", "align"}

func modelFile(c Config, tensors []safetensors.Tensor) *safetensors.File {
	return &safetensors.File{Tensors: tensors, Metadata: map[string]string{"ragedge": "1", "config": toJSON(c)}}
}

func parseModel(t require.TestingT, f *safetensors.File) *Model {
	data, err := f.Bytes()
	require.NoError(t, err)
	m, err := Parse(data)
	require.NoError(t, err)
	return m
}

func randomModel(t testing.TB, seed uint64, c Config, prefixes ...string) *Model {
	return parseModel(t, modelFile(c, randomTensors(rand.New(rand.NewPCG(seed, 1)), c, prefixes...)))
}

// randomRows returns inputs with the given rows per modality.
func randomRows(seed uint64, c Config, rows ...int) []Regions {
	random := rand.New(rand.NewPCG(seed, 2))
	in := make([]Regions, len(c.Modalities))
	for m, modality := range c.Modalities {
		in[m] = Regions{Rows: rows[m], Features: modality.Features, Data: make([]float32, rows[m]*modality.Features)}
		for i := range in[m].Data {
			in[m].Data[i] = float32(random.NormFloat64())
		}
	}
	return in
}

// presence lists rows of the three modalities of everyConfig: all, some with
// fewer, and one alone.
var presence = [][]int{{4, 5, 3}, {2, 0, 3}, {3, 1, 0}, {1, 0, 0}}

func fuse(t require.TestingT, s *State, in []Regions) *Output {
	out, err := s.Fuse(in)
	require.NoError(t, err)
	return out
}
