package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ragedge/ragedge"
	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
)

// TestMain runs the tests on the kernel set that RAGEDGE_CPU names.
func TestMain(m *testing.M) {
	if set := os.Getenv("RAGEDGE_CPU"); set != "" {
		if err := ragedge.Use(set); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

// everySet runs f once with each kernel set of this CPU; with -short, which is for runs
// under emulation or the race detector, with the one in use.
func everySet(t *testing.T, f func(t *testing.T)) {
	before, sets := ragedge.KernelSet(), ragedge.KernelSets()
	t.Cleanup(func() { require.NoError(t, ragedge.Use(before)) })
	if testing.Short() {
		sets = []string{before}
	}
	for _, set := range sets {
		require.NoError(t, ragedge.Use(set))
		t.Run(set, f)
	}
}

const golden = "../fusion/testdata/golden"

func goldenFile(t testing.TB, name, file string) *safetensors.File {
	f, err := safetensors.ReadFile(filepath.Join(golden, name, file+".safetensors"))
	require.NoError(t, err)
	return f
}

func goldenCases(t testing.TB) []string {
	paths, err := filepath.Glob(filepath.Join(golden, "*", "grad.safetensors"))
	require.NoError(t, err)
	require.Len(t, paths, 36)
	for i, path := range paths {
		paths[i] = filepath.Base(filepath.Dir(path))
	}
	return paths
}

// examplesOf returns the examples of an input file.
func examplesOf(t testing.TB, c fusion.Config, f *safetensors.File) [][]fusion.Regions {
	var all [][]fusion.Regions
	for m, modality := range c.Modalities {
		in := f.Tensor(modality.Name)
		if in == nil {
			continue
		}
		x, err := in.Float32s()
		require.NoError(t, err)
		size, n := 1, in.Shape[0]
		if len(in.Shape) == 3 {
			size, n = in.Shape[0], in.Shape[1]
		}
		for len(all) < size {
			all = append(all, make([]fusion.Regions, len(c.Modalities)))
		}
		lengths := f.Tensor(modality.Name + ".length")
		for e := range size {
			rows := n
			if lengths != nil {
				counts, err := lengths.Int64s()
				require.NoError(t, err)
				rows = int(counts[e])
			}
			all[e][m] = fusion.Regions{Rows: rows, Features: modality.Features, Data: x[e*n*modality.Features:]}
		}
	}
	return all
}

// enter makes the examples the batch of a pass.
func enter(p *pass, examples [][]fusion.Regions) {
	p.batch.reset()
	for _, regions := range examples {
		p.enter(regions)
	}
}

// largest returns the largest magnitude.
func largest(values []float32) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, float64(v), -float64(v))
	}
	return most
}

// deviation is the largest |got − want|, NaN if there is one.
func deviation(got, want []float32) float64 {
	most := 0.0
	for i, v := range got {
		d := float64(v) - float64(want[i])
		most = max(most, d, -d)
	}
	return most
}

// presence lists rows of the three modalities of everyConfig: all, some with fewer, and
// one alone.
var presence = [][]int{{4, 5, 3}, {2, 0, 3}, {3, 1, 0}, {1, 0, 0}}

// everyConfig returns a config for every strategy, score and alignment that go together:
// without blocks with every gate and pool, with blocks with a third of these in turn.
// Heads, activations, sizes and the norm take turns too.
func everyConfig() []fusion.Config {
	var configs []fusion.Config
	heads := []fusion.Head{{Task: "embed"}, {Task: "classify", Outputs: 3}, {Task: "regress", Outputs: 2, Hidden: 10}}
	turn := 0
	for _, strategy := range []string{"gate", "self", "co", "hybrid", "co one way", "hybrid one way"} {
		for _, score := range []string{"dot", "hadamard"} {
			for _, align := range []string{"identity", "resample", "anchor", "slots"} {
				for _, gate := range []string{"shared 1", "shared 3", "feature 1"} {
					for _, pool := range []string{"sum", "mean", "attention", "none"} {
						if turn++; turn%3 != 0 && strategy != "gate" {
							continue
						}
						k := len(configs)
						c := fusion.Config{
							Name: "test", Modalities: []fusion.Modality{{Name: "a", Regions: 4, Features: 3}, {Name: "b", Regions: 5, Features: 2}, {Name: "c", Regions: 3, Features: 7}},
							Projection: "linear", Heads: 1 + k%3, Activation: []string{"relu", "gelu"}[k/2%2], Score: score,
							Align: align, Anchor: "a", Slots: 3, Pool: pool, Norm: k%4 != 1, Head: heads[k%3],
						}
						c.Strategy, c.OneWay = strings.CutSuffix(strategy, " one way")
						fmt.Sscan(gate, &c.Gate, &c.Gates)
						c.Width = c.Heads * []int{4, 5, 6, 8}[k%4]
						c.FFN = []int{8, 9, 24}[k%3]
						if strategy != "gate" {
							c.Layers = 1 + k%2
						}
						if score == "hadamard" && align != "anchor" && (strategy == "gate" || strategy == "self") {
							continue // the same model as with dot
						}
						if k%5 == 4 && c.Layers > 0 {
							c.Projection = "none"
							for m := range c.Modalities {
								c.Modalities[m].Features = c.Width
							}
						}
						if pool == "none" && align != "resample" && align != "slots" {
							c.Head = fusion.Head{Task: "embed"}
						}
						if _, err := checked(c); err == nil {
							configs = append(configs, c)
						}
					}
				}
			}
		}
	}
	return configs
}

func configName(c fusion.Config) string {
	way := ""
	if c.OneWay {
		way = " one way"
	}
	return fmt.Sprintf("%s%s %s %s %s%d %s %s %s d%d", c.Strategy, way, c.Score, c.Align, c.Gate, c.Gates, c.Pool, c.Activation, c.Head.Task, c.Width)
}

// randomParameters returns parameters whose values are near 1, and with optional tensors
// some more.
func randomParameters(t testing.TB, c fusion.Config, seed uint64, everything bool) *Parameters {
	p, err := New(c, seed)
	if everything {
		optional := []string{"modality.", "position."}
		if c.Align == "slots" || c.Align == "anchor" {
			optional = append(optional, "align.")
		}
		p, err = New(c, seed, optional...)
	}
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(seed, 7))
	for _, t := range p.tensors {
		for i := range t.size {
			v := random.NormFloat64()
			if len(t.shape) == 2 && t.name != "align.slots" {
				v /= math.Sqrt(float64(t.shape[1]))
			}
			if strings.Contains(t.name, "norm") && strings.HasSuffix(t.name, "weight") {
				v = 1 + v/5
			}
			p.values[t.first+i] = float32(v)
		}
	}
	if everything {
		for _, m := range c.Modalities {
			mean, std := make([]float32, m.Features), make([]float32, m.Features)
			for i := range mean {
				mean[i], std[i] = float32(random.NormFloat64()), float32(1+random.Float64())
			}
			p.inputs[meanOf(m)], p.inputs[stdOf(m)] = mean, std
		}
	}
	return p
}

// randomRegions returns an example with the given rows per modality.
func randomRegions(random *rand.Rand, c fusion.Config, rows []int) []fusion.Regions {
	in := make([]fusion.Regions, len(c.Modalities))
	for m, modality := range c.Modalities {
		in[m] = fusion.Regions{Rows: rows[m], Features: modality.Features, Data: make([]float32, rows[m]*modality.Features)}
		for i := range in[m].Data {
			in[m].Data[i] = float32(random.NormFloat64())
		}
	}
	return in
}
