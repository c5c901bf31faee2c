package fusion

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/safetensors"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// subject is what a property is tested on: a random model of any kind, and an
// input for it. What it is drawn from is small, so that a failure shrinks to the
// smallest model that still fails, and is printed as text that ParseConfig reads.
type subject struct {
	config   Config
	optional []string // the optional tensors that it has
	seed     uint64   // of the weights
	input    example

	absorb, keep bool // the savings made
}

// example is an input as it is drawn.
type example struct {
	rows []int // n_m
	seed uint64
	size float32 // of the values
}

func (s subject) GoString() string {
	return fmt.Sprintf("%s optional %v seed %d input %v absorb %t keep %t",
		brief(s.config), s.optional, s.seed, s.input, s.absorb, s.keep)
}

// drawSubject draws a model with the config as change leaves it, made valid, and
// the savings that are made while the property is tested.
func drawSubject(t *rapid.T, change func(c *Config)) subject {
	s := rapid.Custom(func(t *rapid.T) subject {
		s := subject{config: drawConfig(t, change), seed: rapid.Uint64Range(0, 1<<20).Draw(t, "seed")}
		for _, tensor := range s.config.table() {
			// Of two tensors that need each other the first brings the second.
			if !tensor.required && !strings.HasSuffix(tensor.name, ".std") && rapid.Bool().Draw(t, tensor.name) {
				s.optional = append(s.optional, tensor.name)
				if tensor.with != "" {
					s.optional = append(s.optional, tensor.with)
				}
			}
		}
		s.input = s.drawInput(t)
		s.absorb, s.keep = rapid.Bool().Draw(t, "absorb"), rapid.Bool().Draw(t, "keep")
		return s
	}).Draw(t, "model")
	absorb, keep := absorbing, keeping
	t.Cleanup(func() { absorbing, keeping = absorb, keep })
	made := map[bool]saving{false: saveNever, true: saveAlways}
	absorbing, keeping = made[s.absorb], made[s.keep]
	return s
}

// anyConfig changes nothing.
func anyConfig(*Config) {}

func drawConfig(t *rapid.T, change func(c *Config)) Config {
	number := func(least, most int) int { return rapid.IntRange(least, most).Draw(t, "number") }
	flag := func() bool { return rapid.Bool().Draw(t, "flag") }
	choice := func(choices ...string) string { return rapid.SampledFrom(choices).Draw(t, "choice") }

	c := Config{Name: "drawn"}
	c.Strategy = choice(strategyGate, strategySelf, strategyCo, strategyHybrid)
	c.Align = choice(alignIdentity, alignResample, alignAnchor, alignSlots)
	c.Gate = choice(gateShared, gateFeature)
	c.Pool = choice(poolSum, poolMean, poolAttention, poolNone)
	c.Projection = choice(projectLinear, projectNone)
	c.Activation, c.Score = choice(activateReLU, activateGELU), choice(scoreDot, scoreHadamard)
	c.OneWay, c.Norm = flag(), flag()
	c.Layers, c.Heads, c.FFN = number(0, 2), number(1, 4), number(0, 24)
	c.Width = c.Heads * number(1, 9)
	c.Gates, c.Slots = number(1, 4), number(0, 28)
	c.Head = Head{Task: choice(Embed, Classify, Regress)}
	if c.Head.Task != Embed {
		c.Head.Outputs, c.Head.Hidden = number(1, 9), number(0, 10)
	}
	names := []string{"a", "b", "c", "d"}[:number(1, 4)]
	for _, name := range names {
		c.Modalities = append(c.Modalities, Modality{name, number(1, 12), number(1, 9)})
	}
	c.Anchor = choice(append([]string{""}, names...)...)
	change(&c)
	c.makeValid()
	return c
}

// makeValid changes what the rest of the config does not allow.
func (c *Config) makeValid() {
	cross := c.Strategy == strategyCo || c.Strategy == strategyHybrid
	c.OneWay = c.OneWay && cross
	if c.Strategy == strategyGate {
		c.Layers = 0
	}
	if c.Layers > 0 {
		c.FFN = max(c.FFN, 1)
	}
	for i := range c.Modalities {
		if c.Projection == projectNone {
			c.Modalities[i].Features = c.Width
		}
	}
	if c.Index(c.Anchor) < 0 {
		c.Anchor = ""
		if c.Align == alignAnchor || c.OneWay {
			c.Anchor = c.Modalities[0].Name
		}
	}
	fixed := c.Align == alignResample || c.Align == alignSlots
	if fixed {
		c.Slots = max(c.Slots, 1)
	}
	if c.Gate == gateFeature || c.Pool == poolNone {
		c.Gates = 1
	}
	if c.Pool == poolNone && !fixed {
		c.Head = Head{Task: Embed}
	}
}

// drawInput draws an input that the model accepts.
func (s *subject) drawInput(t *rapid.T) example {
	c := &s.config
	present := c.Index(c.Anchor)
	if c.Align != alignAnchor {
		present = rapid.IntRange(0, len(c.Modalities)-1).Draw(t, "present")
	}
	e := example{seed: rapid.Uint64Range(0, 1<<20).Draw(t, "seed"), size: rapid.SampledFrom([]float32{1, 0, 20}).Draw(t, "size")}
	for m, modality := range c.Modalities {
		least := 0
		if m == present {
			least = 1
		}
		e.rows = append(e.rows, rapid.IntRange(least, modality.Regions).Draw(t, "rows"))
	}
	return e
}

// of returns the values of an example.
func (e example) of(c Config) []Regions {
	in := randomRows(e.seed, c, e.rows...)
	for m := range in {
		scale(in[m].Data, e.size)
	}
	return in
}

// regions returns the input.
func (s *subject) regions() []Regions { return s.input.of(s.config) }

// tensors returns the weights, which are the same each time.
func (s *subject) tensors() []safetensors.Tensor {
	return randomTensors(rand.New(rand.NewPCG(s.seed, 1)), s.config, s.optional...)
}

// file returns the model file.
func (s *subject) file() *safetensors.File { return modelFile(s.config, s.tensors()) }

func (s *subject) model(t require.TestingT) *Model { return parseModel(t, s.file()) }

// without returns the weights whose names begin with none of the prefixes.
func (s *subject) without(prefixes ...string) []safetensors.Tensor {
	return slices.DeleteFunc(s.tensors(), func(tensor safetensors.Tensor) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(tensor.Name, prefix) })
	})
}

// aligned returns U^m [R, d] of the input.
func (s *subject) aligned(t require.TestingT, m int) []float32 {
	return s.onlyGated(t, s.config, m, "gate.", "pool.", "head.")
}

// onlyGated returns Z [R, d] of the model of config c that does not pool and has
// a gate that only modality m passes: its slots. The tensors with these prefixes
// have no part in it.
func (s *subject) onlyGated(t require.TestingT, c Config, m int, prefixes ...string) []float32 {
	c.Gate, c.Gates, c.Pool, c.Head = gateShared, 1, poolNone, Head{Task: Embed}
	M := len(c.Modalities)
	bias := slices.Repeat([]float32{-1e4}, M)
	bias[m] = 0
	tensors := append(s.without(prefixes...),
		zeros("gate.weight", []int{M, M * c.Width}), safetensors.NewFloat32("gate.bias", bias, M))
	return fuse(t, parseModel(t, modelFile(c, tensors)).NewState(), s.regions()).Z
}

// brief is the config as JSON, without the keys that have their defaults.
func brief(c Config) string {
	keys := keysOf(toJSON(c))
	defaults := `{"projection":"linear","layers":0,"heads":1,"activation":"relu","norm":false,"score":"dot",` +
		`"one_way":false,"anchor":"","slots":0,"gate":"shared","gates":1,"pool":"sum"}`
	for key, value := range keysOf(defaults) {
		if keys[key] == value {
			delete(keys, key)
		}
	}
	return toJSON(keys)
}

func keysOf(text string) (keys map[string]any) {
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		panic(err)
	}
	return keys
}
