package fusion

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/ragedge/ragedge/safetensors"
)

// Model is a model file, checked and laid out for computing. Nothing may change
// it, so any number of States may use it at the same time.
type Model struct {
	Config   Config
	Features string // the feature definitions as JSON, "" when the file has none
	Card     string // the training report as JSON, "" when the file has none
	Digest   string // of the file: "sha256:" and hexadecimal digits

	// The weights in the order in which Fuse uses them.
	inputs    []input    // E0, E1; per modality
	blocks    []block    // E2
	norm      *layerNorm // E3; nil when there is none
	alignment alignment  // E3; for align anchor and slots
	gate      gating     // E4
	pool      []float32  // E6; [S, d], pool attention
	layers    []linear   // E7; none when the head embeds

	anchor int       // the modality, -1 when there is none
	ones   []float32 // [d], all 1
}

// Load reads a model file. Whatever is wrong with its content is an error of the
// kind [ErrModel].
func Load(path string) (*Model, error) {
	if info, err := os.Stat(path); err == nil {
		if err := checkMemory(info.Size()); err != nil {
			return nil, fmt.Errorf("model %s: %w", path, err)
		}
	}
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
	c, w, err := ReadWeights(file)
	if err != nil {
		return nil, err
	}
	m, err := build(c, w)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(data)
	m.Digest = "sha256:" + hex.EncodeToString(digest[:])
	m.Features, m.Card = file.Metadata["features"], file.Metadata["card"]
	return m, nil
}

// build lays the weights out for computing. It takes them over.
func build(c Config, w weights) (*Model, error) {
	d := c.Width
	ones := make([]float32, d)
	fill(ones, 1)
	m := &Model{
		Config: c, anchor: c.Index(c.Anchor), ones: ones,
		alignment: newAlignment(&c, w), gate: newGating(&c, w), pool: w["pool.weight"],
	}
	for _, modality := range c.Modalities {
		in, err := newInput(modality, d, w)
		if err != nil {
			return nil, err
		}
		m.inputs = append(m.inputs, in)
	}
	for i, kind := range c.blocks() {
		m.blocks = append(m.blocks, newBlock(&c, i, kind, w))
	}
	if c.Norm {
		m.norm = &layerNorm{w["norm.weight"], w["norm.bias"]}
	}
	m.layers = newHead(&c, w)
	return m, nil
}

// direct reports whether the rows of H̄ are those of U, so that they are written there.
func (m *Model) direct() bool { return m.Config.direct() }

// taken returns the modality whose rows are slots as they are, while those of others
// are attended to; -1 when there is none.
func (m *Model) taken() int {
	if m.anchor >= 0 && m.Config.takes(m.Config.Anchor) {
		return m.anchor
	}
	return -1
}

// absorbed reports whether E4 and E6 work on H̄ and the weights of its rows, so that
// U need not exist.
func (m *Model) absorbed() bool { return m.gate.parts != nil }

// badFile marks what the content of a file is to blame for.
func badFile(err error) error {
	if errors.Is(err, safetensors.ErrFormat) {
		return fmt.Errorf("%w: %w", ErrBadFile, err)
	}
	return err
}
