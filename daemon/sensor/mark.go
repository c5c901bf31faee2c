package sensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Mark is what the row of a recording that was delivered last says for training.
type Mark struct {
	// Split is an index into Splits, -1 where the row says nothing.
	Split int
	// Target is NaN where the row has none.
	Target float32
}

// Splits are what rows can be meant for.
var Splits = []string{"train", "validation", "test"}

// Marks says which of them the configuration asks for.
type Marks struct{ Split, Target bool }

// group notes where another group begins.
func (l *loader) group(cells []string) {
	if l.config.Group == "" {
		return
	}
	name, row, n := strings.TrimSpace(cells[l.columns.group]), len(l.out.times), len(l.out.groups)
	if n == 0 || l.out.groups[n-1].group != name {
		l.out.groups = append(l.out.groups, stretch{group: strings.Clone(name)})
		l.begun = row
		n++
	}
	l.out.groups[n-1].end = row + 1
}

// mark reads what a row says for training.
func (l *loader) mark(cells []string) error {
	if l.config.Split != "" {
		split, err := parseSplit(cells[l.columns.split])
		if err != nil {
			return l.fail(l.config.Split, err)
		}
		l.out.splits = append(l.out.splits, split)
	}
	if l.config.Target != "" {
		v, err := parseCell(cells[l.columns.target])
		if err != nil {
			return l.fail(l.config.Target, err)
		}
		if v == notFinite {
			v = absent
		}
		l.out.targets = append(l.out.targets, float32(v))
	}
	return nil
}

func parseSplit(cell string) (int8, error) {
	word := strings.ToLower(strings.TrimSpace(cell))
	switch word {
	case "":
		return -1, nil
	case "val", "valid", "dev":
		word = "validation"
	}
	i := slices.Index(Splits, word)
	if i < 0 {
		return 0, fmt.Errorf("%.40q is not one of: %s", cell, strings.Join(Splits, ", "))
	}
	return int8(i), nil
}

// Marks says what the recordings hold for training.
func (r *Replay) Marks() (m Marks) {
	for _, p := range r.players {
		m.Split = m.Split || p.splits != nil
		m.Target = m.Target || p.targets != nil
	}
	return m
}

// Mark is what the newest rows say for training. It may be called while the
// replay delivers or advances, by who is called.
func (r *Replay) Mark() Mark {
	m := Mark{-1, float32(math.NaN())}
	for _, p := range r.players {
		if p.shown == 0 {
			continue
		}
		if p.splits != nil {
			m.Split = int(p.splits[p.shown-1])
		}
		if p.targets != nil {
			m.Target = p.targets[p.shown-1]
		}
	}
	return m
}

// Stretch is a part of a replay on its own, and the group that it is of.
type Stretch struct {
	*Replay
	Group string
}

// Stretches takes a replay apart where the group changes, so that nothing need
// be carried over from one to the next; a replay without groups is one stretch with
// an empty name. All [[sensor]] blocks must have the same groups.
func (r *Replay) Stretches() ([]Stretch, error) {
	if !r.Grouped() {
		return []Stretch{{Replay: r}}, nil
	}
	var all []Stretch
	starts := make([]int, len(r.players))
	for i, s := range r.players[0].groups {
		part := &Replay{speed: r.speed, now: r.now}
		for j, p := range r.players {
			if len(p.groups) != len(r.players[0].groups) || p.groups[i].group != s.group {
				return nil, fmt.Errorf("group: the recordings of two [[sensor]] blocks do not have the same groups in the same order")
			}
			q := *p
			q.recording = p.part(starts[j], p.groups[i].end)
			starts[j] = p.groups[i].end
			part.players = append(part.players, &q)
		}
		if err := part.span(); err != nil {
			return nil, fmt.Errorf("group %s: %w", s.group, err)
		}
		all = append(all, Stretch{part, s.group})
	}
	return all, nil
}

// Grouped says whether some recording has groups.
func (r *Replay) Grouped() bool {
	return slices.ContainsFunc(r.players, func(p *player) bool { return p.groups != nil })
}
