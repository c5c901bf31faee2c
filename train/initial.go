package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/fusion"
)

// New returns parameters to begin with, the same for the same config and seed. Of the
// optional tensors of a model it has those whose name begins with one of the prefixes:
// "modality." (embeddings), "position.", "align." (projections of queries and keys).
func New(c fusion.Config, seed uint64, optional ...string) (*Parameters, error) {
	c, err := checked(c)
	if err != nil {
		return nil, err
	}
	for _, prefix := range optional {
		if err := unknownOptional(&c, prefix); err != nil {
			return nil, err
		}
	}
	p := layOut(c, func(t fusion.Tensor) bool {
		return t.Required || slices.ContainsFunc(optional, func(prefix string) bool { return strings.HasPrefix(t.Name, prefix) })
	})
	random := rand.New(rand.NewPCG(seed, 0))
	for _, t := range p.tensors {
		mean, deviation := start(&c, t)
		for i := range t.size {
			p.values[t.first+i] = float32(mean + deviation*random.NormFloat64())
		}
	}
	return p, nil
}

// start returns the mean and the deviation of the first values of a tensor.
func start(c *fusion.Config, t tensor) (mean, deviation float64) {
	is := func(suffix string) bool { return strings.HasSuffix(t.name, suffix) }
	width := float64(c.Width)
	switch {
	case is(".bias"):
		return 0, 0
	case strings.Contains(t.name, "norm"): // norm.weight, block.I.norm1.weight
		return 1, 0
	case is(".score"): // of hadamard: about the size of a dot score's 1/√
		return 1 / math.Sqrt(width), 0.1 / math.Sqrt(width)
	case t.name == "align.slots": // slots that differ attend to different rows
		return 0, 1
	case strings.HasPrefix(t.name, "modality."), strings.HasPrefix(t.name, "position."):
		return 0, 0.02
	case t.name == "pool.weight":
		return 0, 0.1 / math.Sqrt(width)
	}
	out, in := float64(t.shape[0]), float64(t.shape[1])
	xavier := math.Sqrt(2 / (in + out))
	switch {
	case t.name == "gate.weight": // every modality counts about the same
		return 0, 0.1 / math.Sqrt(in)
	case is(".ffn.0.weight"), t.name == "head.0.weight" && c.Head.Hidden > 0: // He: half of it is cut off
		return 0, math.Sqrt(2 / in)
	case is(".attention.output.weight"), is(".ffn.1.weight"): // what they add up to stays near 1
		return 0, xavier / math.Sqrt(float64(2*len(c.Layout().Blocks)))
	}
	return 0, xavier
}
