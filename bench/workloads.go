package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/ragedge/ragedge/fusion"
	"github.com/ragedge/ragedge/safetensors"
)

// workload is a built-in model: its shape, and its part of the time.
type workload struct {
	name   string
	weight int
	config fusion.Config
}

// workloads lists the built-in models, from a board's sensors to a small
// transformer. It is a function because a variable would be made at every start of
// the daemon.
func workloads() []workload {
	return []workload{
		{"W1 sensors", 1, gated([]int{8, 8, 8, 8, 8}, []int{4, 4, 4, 2, 2}, 32, 1, 4)},
		{"W2 sound + picture", 1, gated([]int{32, 48}, []int{12, 40}, 64, 4, 10)},
		{"W3 text + image", 1, gated([]int{128, 197}, []int{768, 768}, 256, 1, 16)},
		{"W4 text + image, wide", 2, gated([]int{128, 197}, []int{768, 768}, 768, 1, 16)},
		{"W5 block", 1, blocks(1, 51, 32, 4, 64, "relu", false)},
		{"W6 block, wide", 2, blocks(1, 325, 256, 4, 512, "relu", false)},
		{"W7 6 blocks", 6, blocks(6, 128, 384, 12, 1536, "gelu", false)},
		{"W8 12 blocks", 6, blocks(12, 197, 192, 3, 768, "gelu", true)},
	}
}

// gated is a model of the gate alone: identity alignment when all modalities have
// as many regions, else the first is the anchor.
func gated(regions, features []int, width, gates, outputs int) fusion.Config {
	c := fusion.Config{
		Name: "gate", Width: width, Projection: "linear", Strategy: "gate", Heads: 1, Activation: "relu", Score: "dot",
		Align: "identity", Gate: "shared", Gates: gates, Pool: "sum", Head: fusion.Head{Task: fusion.Classify, Outputs: outputs},
	}
	for m, n := range regions {
		name := "m" + strconv.Itoa(m)
		c.Modalities = append(c.Modalities, fusion.Modality{Name: name, Regions: n, Features: features[m]})
		if n != regions[0] {
			c.Align, c.Anchor = "anchor", "m0"
		}
	}
	return c
}

// blocks is a stack of attention blocks over one modality, given out row by row.
// The gate of one modality is 1.
func blocks(layers, regions, width, heads, ffn int, activation string, norm bool) fusion.Config {
	return fusion.Config{
		Name: "blocks", Modalities: []fusion.Modality{{Name: "m0", Regions: regions, Features: width}},
		Width: width, Projection: "none", Strategy: "self", Layers: layers, Heads: heads, FFN: ffn, Activation: activation,
		Norm: norm, Score: "dot", Align: "identity", Gate: "shared", Gates: 1, Pool: "none", Head: fusion.Head{Task: fusion.Embed},
	}
}

// file returns a model file with random weights that keep values near 1, always
// the same.
func (w workload) file() ([]byte, error) {
	config, err := json.Marshal(w.config)
	if err != nil {
		return nil, err
	}
	f := safetensors.File{Metadata: map[string]string{"ragedge": "1", "config": string(config)}}
	random := rand.New(rand.NewPCG(1, 2))
	tensor := func(name string, scale, offset float64, shape ...int) {
		n := 1
		for _, size := range shape {
			n *= size
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(offset + scale*(2*random.Float64()-1))
		}
		f.Tensors = append(f.Tensors, safetensors.NewFloat32(name, values, shape...))
	}
	linear := func(name string, out, in int) {
		tensor(name+".weight", math.Sqrt(3/float64(in)), 0, out, in) // of variance 1/in
		tensor(name+".bias", 0.1, 0, out)
	}
	norm := func(name string, size int) {
		tensor(name+".weight", 0.1, 1, size)
		tensor(name+".bias", 0.1, 0, size)
	}

	c := &w.config
	d, M := c.Width, len(c.Modalities)
	if c.Projection == "linear" {
		for _, m := range c.Modalities {
			linear("project."+m.Name, d, m.Features)
		}
	}
	for i := range c.Layers {
		block := fmt.Sprintf("block.%d.", i)
		norm(block+"norm1", d)
		for _, part := range []string{"query", "key", "value", "output"} {
			linear(block+"attention."+part, d, d)
		}
		norm(block+"norm2", d)
		linear(block+"ffn.0", c.FFN, d)
		linear(block+"ffn.1", d, c.FFN)
	}
	if c.Norm {
		norm("norm", d)
	}
	linear("gate", M*c.Gates, M*d)
	if c.Head.Task != fusion.Embed {
		linear("head.0", c.Head.Outputs, c.Gates*d)
	}
	return f.Bytes()
}

// randomRows returns as many regions as the model takes, always the same.
func randomRows(c *fusion.Config) []fusion.Regions {
	random := rand.New(rand.NewPCG(3, 4))
	regions := make([]fusion.Regions, len(c.Modalities))
	for i, m := range c.Modalities {
		data := make([]float32, m.Regions*m.Features)
		for j := range data {
			data[j] = float32(random.NormFloat64())
		}
		regions[i] = fusion.Regions{Rows: m.Regions, Features: m.Features, Data: data}
	}
	return regions
}
