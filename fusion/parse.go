package fusion

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// ParseConfig reads and checks the `config` JSON of a model file: every key must
// be known, spelled exactly and there at most once.
func ParseConfig(text string) (Config, error) {
	const absent = -1
	c := Config{
		Projection: projectLinear, Heads: 1, FFN: absent, Activation: activateReLU, Score: scoreDot,
		Gate: gateShared, Gates: 1, Pool: poolSum,
		Head: Head{Outputs: absent},
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return Config{}, fmt.Errorf("%w: config is not JSON: %s", ErrBadMetadata, err)
	}
	if !utf8.ValidString(text) {
		return Config{}, fmt.Errorf("%w: config is not UTF-8", ErrBadMetadata)
	}
	read := asObject(map[string]field{
		"name":       {required, asText(&c.Name)},
		"modalities": {required, asList(&c.Modalities, asModality)},
		"width":      {required, asInteger(&c.Width, 1)},
		"projection": {optional, asChoice(&c.Projection, projectLinear, projectNone)},
		"strategy":   {required, asChoice(&c.Strategy, strategyGate, strategySelf, strategyCo, strategyHybrid)},
		"layers":     {optional, asInteger(&c.Layers, 0)},
		"heads":      {optional, asInteger(&c.Heads, 1)},
		"ffn":        {optional, asInteger(&c.FFN, 0)},
		"activation": {optional, asChoice(&c.Activation, activateReLU, activateGELU)},
		"norm":       {optional, asBool(&c.Norm)},
		"score":      {optional, asChoice(&c.Score, scoreDot, scoreHadamard)},
		"one_way":    {optional, asBool(&c.OneWay)},
		"align":      {required, asChoice(&c.Align, alignIdentity, alignResample, alignAnchor, alignSlots)},
		"anchor":     {optional, asText(&c.Anchor)},
		"slots":      {optional, asInteger(&c.Slots, 0)},
		"gate":       {optional, asChoice(&c.Gate, gateShared, gateFeature)},
		"gates":      {optional, asInteger(&c.Gates, 1)},
		"pool":       {optional, asChoice(&c.Pool, poolSum, poolMean, poolAttention, poolNone)},
		"head":       {required, asHead(&c.Head)},
	})
	if err := read("", raw); err != nil {
		return Config{}, err
	}
	if c.FFN == absent {
		c.FFN = 2 * c.Width
	}
	if c.Head.Outputs == absent {
		if c.Head.Task != Embed {
			return Config{}, fmt.Errorf("%w: config head.outputs", ErrMissingKey)
		}
		c.Head.Outputs = 0
	}
	if err := c.check(); err != nil {
		return Config{}, err
	}
	return c, nil
}

func asModality(m *Modality) reader {
	return asObject(map[string]field{
		"name":     {required, asText(&m.Name)},
		"regions":  {required, asInteger(&m.Regions, 1)},
		"features": {required, asInteger(&m.Features, 1)},
	})
}

func asHead(h *Head) reader {
	return asObject(map[string]field{
		"task":    {required, asChoice(&h.Task, Classify, Regress, Embed)},
		"hidden":  {optional, asInteger(&h.Hidden, 0)},
		"outputs": {optional, asInteger(&h.Outputs, 0)},
		"labels":  {optional, asList(&h.Labels, asText)},
	})
}
