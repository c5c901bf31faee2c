package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ragedge/ragedge/fusion"
)

// Kinds of candidates.
const (
	kindModel  = "model"  // can be chosen
	kindSingle = "single" // one modality alone
	kindEarly  = "early"  // all modalities as one vector
	kindLate   = "late"   // the mean of the logits of those with one modality
)

// candidate is something to train and compare.
type candidate struct {
	name     string
	kind     string
	config   fusion.Config
	data     *Data
	optional []string // tensors
	joiner   *joiner  // of early fusion
}

// candidates returns what to try: the models of the task first, then the baselines.
func (t *Task) candidates(s *Set, train []int) ([]candidate, error) {
	head, err := t.head(s.Data)
	if err != nil {
		return nil, err
	}
	var all []candidate
	for _, c := range t.configs(s.Data, head) {
		if _, err := checked(c); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTask, c.Strategy, err)
		}
		if !slices.ContainsFunc(all, func(other candidate) bool { return configText(other.config) == configText(c) }) {
			all = append(all, candidate{kind: kindModel, config: c, data: s.Data, optional: t.optional(c)})
		}
	}
	nameApart(all)
	if !t.Baselines {
		return all, nil
	}
	if len(s.Modalities) > 1 {
		for _, m := range s.Modalities {
			c := baseline(head, t.Widths[0], m)
			all = append(all, candidate{"only " + m.Name, kindSingle, c, s.Data, t.optional(c), nil})
		}
	}
	joiner, err := newJoiner(s.Data, train)
	if err != nil {
		return nil, err
	}
	joined, err := joiner.join(s.Data)
	if err != nil || joined == nil {
		return all, err
	}
	c := baseline(head, t.Widths[0], joined.Modalities[0])
	c.Head.Hidden = max(c.Head.Hidden, t.Widths[0])
	return append(all, candidate{"early fusion", kindEarly, c, joined, nil, joiner}), nil
}

// head returns the head that every candidate has, but for its hidden layer.
func (t *Task) head(d *Data) (fusion.Head, error) {
	h := fusion.Head{Task: t.Task, Labels: d.Labels, Outputs: len(d.Labels)}
	switch {
	case t.Task == fusion.Regress && d.Targets == 0:
		return h, fmt.Errorf("%w: there are no targets to learn: set the key target of the [[sensor]] block, or train.task = \"classify\"", ErrData)
	case t.Task == fusion.Regress:
		h.Labels, h.Outputs = nil, d.Targets
	case len(d.Label) == 0:
		return h, fmt.Errorf("%w: there are no labels to learn: set the key label of the [[sensor]] block, or label the recording", ErrData)
	case d.Labels == nil:
		h.Outputs = int(slices.Max(d.Label)) + 1
	}
	return h, nil
}

// configs returns every combination of what the task names.
func (t *Task) configs(d *Data, head fusion.Head) (all []fusion.Config) {
	most, least := 0, d.Modalities[0].Regions
	for _, m := range d.Modalities {
		most, least = max(most, m.Regions), min(least, m.Regions)
	}
	align := t.Align
	if len(align) == 0 {
		align = []string{"resample"}
		if most == least {
			align = []string{"identity"}
		}
	}
	slots := t.Slots
	if slots == 0 {
		slots = min(most, 8)
	}
	for _, strategy := range t.Strategies {
		for _, width := range t.Widths {
			for _, layers := range t.layersOf(strategy) {
				for _, align := range align {
					for _, gate := range t.Gate {
						for _, pool := range t.Pool {
							for _, norm := range t.Norm {
								c := fusion.Config{
									Name: t.Name, Modalities: d.Modalities, Width: width, Projection: "linear",
									Strategy: strategy, Layers: layers, Heads: t.heads(width), FFN: t.FFN, Activation: t.Activation,
									Norm: norm, Score: t.Score, Align: align, Slots: slots, Gate: gate, Gates: t.Gates, Pool: pool, Head: head,
								}
								if c.FFN == 0 {
									c.FFN = 2 * width
								}
								if c.Head.Hidden = t.Hidden; t.Hidden < 0 {
									c.Head.Hidden = width
								}
								if align == "anchor" {
									c.Anchor = t.Anchor
								}
								if gate == "feature" {
									c.Gates = 1
								}
								all = append(all, c)
							}
						}
					}
				}
			}
		}
	}
	return all
}

func (t *Task) layersOf(strategy string) []int {
	if strategy == "gate" {
		return []int{0}
	}
	return t.Layers
}

func (t *Task) heads(width int) int {
	if t.Heads > 0 {
		return t.Heads
	}
	if width%4 == 0 {
		return 4
	}
	return 1
}

// optional returns the optional tensors of a model.
func (t *Task) optional(c fusion.Config) (prefixes []string) {
	if t.Positions {
		prefixes = append(prefixes, "position.")
	}
	if c.Align == "anchor" || c.Align == "slots" {
		prefixes = append(prefixes, "align.")
	}
	return prefixes
}

// nameApart names models by their strategy, and by what else tells them apart.
func nameApart(all []candidate) {
	says := []func(c *fusion.Config) string{
		func(c *fusion.Config) string { return fmt.Sprintf("width %d", c.Width) },
		func(c *fusion.Config) string { return fmt.Sprintf("layers %d", c.Layers) },
		func(c *fusion.Config) string { return c.Align },
		func(c *fusion.Config) string { return c.Gate + " gate" },
		func(c *fusion.Config) string { return "pool " + c.Pool },
		func(c *fusion.Config) string { return map[bool]string{true: "norm", false: "no norm"}[c.Norm] },
	}
	for i := range all {
		c := &all[i].config
		words := []string{c.Strategy}
		for _, say := range says {
			for k := range all {
				other := &all[k].config
				if other.Strategy == c.Strategy && say(other) != say(c) {
					words = append(words, say(c))
					break
				}
			}
		}
		all[i].name = strings.Join(words, ", ")
	}
}
