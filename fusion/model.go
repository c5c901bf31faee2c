package fusion

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/ragedge/ragedge/safetensors"
)

// Model is a model file, checked and laid out for computing. Nothing may change
// it, so any number of States may use it at the same time.
type Model struct {
	Config   Config
	Features string // the feature definitions as JSON, "" when the file has none
	Card     string // the training report as JSON, "" when the file has none
	Digest   string // of the file: "sha256:" and hexadecimal digits

	inputs    []input    // per modality
	norm      *layerNorm // nil when there is none
	attention attention  // of the alignment, for align anchor and slots
	gate      gate
	pool      []float32 // [S, d], pool attention
	layers    []linear  // of the head; none when it embeds
}

// Load reads a model file. Whatever is wrong with its content is an error of the
// kind [ErrModel].
func Load(path string) (*Model, error) {
	data, err := safetensors.ReadBytes(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", badFile(err))
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	return m, nil
}

// Parse reads a model file held in memory, and keeps no part of data.
func Parse(data []byte) (*Model, error) {
	file, err := safetensors.Parse(data)
	if err != nil {
		return nil, badFile(err)
	}
	if version, ok := file.Metadata["ragedge"]; !ok || version != "1" {
		return nil, fmt.Errorf("%w: ragedge is %.40q, want \"1\"", ErrBadMetadata, version)
	}
	text, ok := file.Metadata["config"]
	if !ok {
		return nil, fmt.Errorf("%w: there is no config", ErrBadMetadata)
	}
	c, err := ParseConfig(text)
	if err != nil {
		return nil, err
	}
	weights, err := readWeights(&c, file)
	if err != nil {
		return nil, err
	}
	if len(c.blocks()) > 0 {
		return nil, fmt.Errorf("%w: strategy %s with %d layers cannot be computed yet", ErrNoBlocks, c.Strategy, c.Layers)
	}
	m, err := build(c, weights)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	m.Digest = "sha256:" + hex.EncodeToString(digest[:])
	m.Features, m.Card = file.Metadata["features"], file.Metadata["card"]
	return m, nil
}

// build lays the weights out for computing. It takes them over.
func build(c Config, weights map[string][]float32) (*Model, error) {
	d, M := c.Width, len(c.Modalities)
	ones := make([]float32, d)
	for i := range ones {
		ones[i] = 1
	}
	m := &Model{Config: c, attention: newAttention(&c, weights), gate: newGate(&c, weights, ones), pool: weights["pool.weight"]}
	m.inputs = make([]input, M)
	for i, modality := range c.Modalities {
		var err error
		if m.inputs[i], err = newInput(modality, d, weights); err != nil {
			return nil, err
		}
	}
	if c.Norm {
		m.norm = &layerNorm{weights["norm.weight"], weights["norm.bias"], ones}
	}
	in := d * c.fusedRows(c.maxSlots())
	for _, layer := range []string{"head.0", "head.1"} {
		if bias := weights[layer+".bias"]; bias != nil {
			m.layers = append(m.layers, newLinear(weights[layer+".weight"], bias, len(bias), in))
			in = len(bias)
		}
	}
	return m, nil
}

// badFile marks what the content of a file is to blame for.
func badFile(err error) error {
	if errors.Is(err, safetensors.ErrFormat) {
		return fmt.Errorf("%w: %w", ErrBadFile, err)
	}
	return err
}
