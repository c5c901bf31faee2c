package fusion

import (
	"fmt"
	"strings"
)

// What one model may ask for beyond the limits of its file.
const (
	maxModalities = 256
	maxLayers     = 256
	maxWorkspace  = 256 << 20 // bytes of a State
	maxWeights    = 512 << 20 // bytes of the weights in float32
)

// check holds a config against the rules that tie its keys together.
func (c *Config) check() error {
	if n := len(c.Modalities); n == 0 || n > maxModalities {
		return inconsistent("modalities", "%d modalities, want 1 to %d", n, maxModalities)
	}
	for i, m := range c.Modalities {
		key := fmt.Sprintf("modalities.%d.name", i)
		switch {
		case m.Name == "" || strings.Trim(m.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
			return inconsistent(key, "%.40q is not made of a-z, 0-9, _ and -", m.Name)
		case c.Index(m.Name) < i:
			return inconsistent(key, "%q is used twice", m.Name)
		case c.Projection == projectNone && m.Features != c.Width:
			return inconsistent("projection", "none needs %d features, %s has %d", c.Width, m.Name, m.Features)
		}
	}
	blocks := c.Layers > 0
	for _, rule := range []struct {
		ok       bool
		key, why string
	}{
		{c.Layers <= maxLayers, "layers", fmt.Sprintf("at most %d", maxLayers)},
		{c.Strategy != strategyGate || !blocks, "layers", "the gate strategy has no blocks"},
		{!blocks || c.Width%c.Heads == 0, "heads", fmt.Sprintf("%d does not divide width %d", c.Heads, c.Width)},
		{!blocks || c.FFN > 0, "ffn", "blocks need at least 1"},
		{!c.OneWay || c.Strategy == strategyCo || c.Strategy == strategyHybrid, "one_way", "needs strategy co or hybrid"},
		{c.Anchor == "" || c.Index(c.Anchor) >= 0, "anchor", fmt.Sprintf("%.40q is no modality", c.Anchor)},
		{c.Anchor != "" || !c.OneWay && c.Align != alignAnchor, "anchor", "needed by align anchor and by one_way"},
		{c.Slots > 0 || c.Align != alignResample && c.Align != alignSlots, "slots", "align " + c.Align + " needs at least 1"},
		{c.Gate == gateShared || c.Gates == 1, "gates", "a feature gate has exactly 1"},
		{c.Pool != poolNone || c.gateCount() == 1, "pool", "none needs gates 1"},
	} {
		if !rule.ok {
			return inconsistent(rule.key, "%s", rule.why)
		}
	}
	if err := c.checkHead(); err != nil {
		return err
	}
	if values := c.workspace(); values > maxWorkspace/4 {
		return inconsistent("width", "the sizes together need %d MiB to compute, at most %d are allowed",
			values>>18, maxWorkspace>>20)
	}
	if values := c.parameters(); values > maxWeights/4 {
		return inconsistent("width", "the weights together take %d MiB, at most %d are allowed",
			values>>18, maxWeights>>20)
	}
	return nil
}

func (c *Config) checkHead() error {
	h := &c.Head
	if h.Task == Embed {
		switch {
		case h.Hidden != 0:
			return inconsistent("head.hidden", "an embed head has none")
		case h.Outputs != 0:
			return inconsistent("head.outputs", "an embed head has none")
		case len(h.Labels) != 0:
			return inconsistent("head.labels", "an embed head has none")
		}
		return nil
	}
	switch {
	case h.Outputs == 0:
		return inconsistent("head.outputs", "at least 1")
	case len(h.Labels) != 0 && len(h.Labels) != h.Outputs:
		return inconsistent("head.labels", "%d labels for %d outputs", len(h.Labels), h.Outputs)
	case c.Pool == poolNone && c.Align != alignResample && c.Align != alignSlots:
		return inconsistent("pool", "none under a head needs a fixed number of slots: align resample or slots")
	}
	return nil
}

func inconsistent(key, format string, args ...any) error {
	return fmt.Errorf("%w: config %s: %s", ErrBadValue, key, fmt.Sprintf(format, args...))
}
